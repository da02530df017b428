//! Whether this process is ready: its dependencies answer, its stages work, and what it shows is young enough.
//!
//! It depends on the stages that run here only. Whether the process lives is another question, which no dependency can answer.

use std::time::Duration;

use serde::Serialize;

use crate::flow::StageId;
use crate::monitor::{Snapshot, State};
use crate::units;

/// Why a process is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Reason {
    /// What is not as it should be, in words.
    pub(super) why: String,
    /// Since when, in unix milliseconds, where that is known.
    pub(super) since: Option<i64>,
}

/// Milliseconds from which on a snapshot says nothing of now.
const FRESH: u64 = 10_000;

/// How old a snapshot is that is too old to say how things are now.
pub(super) fn stale(snapshot: &Snapshot, now: i64) -> Option<u64> {
    u64::try_from(now.saturating_sub(snapshot.at)).ok().filter(|age| *age > FRESH)
}

/// Why what a snapshot shows is not ready, at a time in unix milliseconds; empty where it is.
pub(super) fn reasons(snapshot: &Snapshot, within: Duration, now: i64) -> Vec<Reason> {
    let within = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
    let since = |age: u64| Some(snapshot.at.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX)));
    let mut reasons = Vec::new();
    if let Some(old) = stale(snapshot, now) {
        reasons
            .push(Reason { why: format!("nothing was seen of the pipeline for {}", units::age(old)), since: since(0) });
    }
    for outage in &snapshot.outages {
        reasons.push(Reason {
            why: format!("{} does not answer: {}", outage.name, outage.cause),
            since: since(outage.lasts),
        });
    }
    for stage in &snapshot.stages {
        let cause = stage.cause.as_deref().unwrap_or("it does not say why");
        match stage.state {
            State::Fail => {
                reasons.push(Reason { why: format!("{} has failed: {cause}", stage.name), since: since(stage.since) })
            }
            State::Unkn => reasons
                .push(Reason { why: format!("{} cannot be observed: {cause}", stage.name), since: since(stage.since) }),
            _ => {}
        }
    }
    let runs = |id: StageId| snapshot.stages.iter().any(|stage| stage.name == id);
    let source = &snapshot.source;
    if runs(StageId::IngestFills) {
        match source.head.value {
            None => reasons
                .push(Reason { why: format!("the newest final block of {} is not known", source.name), since: None }),
            Some(head) if head.age > within => {
                let why = format!("the newest final block of {} is {} old", source.name, units::age(head.age));
                reasons.push(Reason { why, since: since(head.age - within) });
            }
            Some(_) => {}
        }
        match source.behind() {
            None => {
                reasons.push(Reason { why: "it is not known up to where fills are in the tables".into(), since: None })
            }
            Some(behind) if behind > within => {
                let why = format!("the newest block whose fills are all in the tables is {} old", units::age(behind));
                reasons.push(Reason { why, since: since(behind - within) });
            }
            Some(_) => {}
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::{OutageView, sample};

    const WITHIN: Duration = Duration::from_secs(120);

    fn why(snapshot: &Snapshot) -> Vec<String> {
        reasons(snapshot, WITHIN, snapshot.at).into_iter().map(|reason| reason.why).collect()
    }

    #[test]
    fn what_is_well_is_ready_and_what_is_not_says_why_and_since_when() {
        let mut snapshot = sample::healthy();
        assert_eq!(why(&snapshot), [""; 0]);
        let late = reasons(&snapshot, WITHIN, snapshot.at + 11_000);
        assert_eq!(late[0].why, "nothing was seen of the pipeline for 11s");

        let mut head = snapshot.source.head.value.unwrap();
        head.age = 200_000;
        snapshot.source.head.value = Some(head);
        let all = reasons(&snapshot, WITHIN, snapshot.at);
        assert_eq!(all[0].why, "the newest final block of polygon is 3m20 old");
        assert_eq!(all[0].since, Some(snapshot.at - 80_000), "since it is too old");

        let mut snapshot = sample::healthy();
        snapshot.source.watermark = None;
        assert_eq!(why(&snapshot), ["it is not known up to where fills are in the tables"]);

        let mut snapshot = sample::healthy();
        snapshot.outages =
            vec![OutageView { name: "ClickHouse at h".into(), cause: "refused".into(), lasts: 7_000, failures: 3 }];
        let all = reasons(&snapshot, WITHIN, snapshot.at);
        assert_eq!(
            (all[0].why.as_str(), all[0].since),
            ("ClickHouse at h does not answer: refused", Some(snapshot.at - 7_000))
        );

        let mut snapshot = sample::healthy();
        (snapshot.stages[4].state, snapshot.stages[4].cause) = (State::Fail, Some("452".into()));
        assert_eq!(why(&snapshot), ["write-trades has failed: 452"]);
    }

    #[test]
    fn a_process_without_the_source_does_not_depend_on_it() {
        let mut snapshot = sample::healthy();
        snapshot.stages.retain(|stage| stage.name == StageId::WriteTrades);
        snapshot.source.head.value = None;
        assert_eq!(why(&snapshot), [""; 0]);
    }
}
