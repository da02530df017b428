//! A pipeline as it should be, for the tests of the rules.

use std::time::{Duration, Instant};

use super::{Facts, Finding, Rule};
use crate::monitor::past::{Moment, Past};
use crate::monitor::{JobView, Snapshot, sample};

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
    (rule.check)(&Facts { now: snapshot, past: &Past::default() })
}

/// A past of so many seconds.
pub(super) fn past_of(seconds: u64, mut fill: impl FnMut(&mut Moment, u64)) -> Past {
    let (begin, mut past) = (Instant::now(), Past::default());
    for second in 0..seconds {
        let mut moment = Moment::default();
        fill(&mut moment, second);
        past.remember(begin + Duration::from_secs(second), moment);
    }
    past
}
