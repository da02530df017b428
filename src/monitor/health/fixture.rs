//! A pipeline as it should be, for the tests of the rules.

use std::time::{Duration, Instant};

use super::rule::{Facts, Finding, Rule};
use crate::monitor::history::{History, Sample};
use crate::monitor::sample;
use crate::monitor::snapshot::{JobView, Snapshot};

pub(super) fn healthy() -> Snapshot {
    let mut snapshot = sample::healthy();
    snapshot.alerts.clear();
    snapshot
}

pub(super) fn job() -> JobView {
    sample::warning().jobs.remove(0)
}

/// What a rule finds without a past.
pub(super) fn check_now(rule: &Rule, snapshot: &Snapshot) -> Vec<Finding> {
    (rule.check)(&Facts { now: snapshot, history: &History::default() })
}

/// A past of so many seconds.
pub(super) fn past_of(seconds: u64, mut fill: impl FnMut(&mut Sample, u64)) -> History {
    let (begin, mut history) = (Instant::now(), History::default());
    for second in 0..seconds {
        let mut sample = Sample::default();
        fill(&mut sample, second);
        history.remember(begin + Duration::from_secs(second), sample);
    }
    history
}
