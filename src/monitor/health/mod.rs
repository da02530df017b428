//! Health rules: what somebody should look at, and why. A rule is a value, in a file of its own.

mod backlog;
mod behind;
mod dead_letters;
mod doubts;
mod failed;
mod fired;
mod frozen;
mod gaps;
mod inserts;
mod log_drops;
mod memory;
mod parts;
mod paused;
mod read_rows;
mod replays;
mod restarts;
mod rule;
mod stalled;
mod surprises;
mod unlisted;
mod unreachable;
mod unseen;
mod waiting;

#[cfg(test)]
mod fixture;

use std::{collections::BTreeMap, time::Instant};

pub(super) use fired::Fired;

use self::rule::{Facts, Finding, Rule};
use super::snapshot::{Alert, Snapshot, State};
use super::{history::History, probe::millis};

/// The rules.
const RULES: &[Rule] = &[
    failed::RULE,
    unreachable::RULE,
    unseen::RULE,
    frozen::RULE,
    doubts::RULE,
    surprises::RULE,
    waiting::RULE,
    stalled::RULE,
    memory::RULE,
    backlog::RULE,
    inserts::RULE,
    parts::RULE,
    restarts::RULE,
    replays::RULE,
    dead_letters::RULE,
    unlisted::RULE,
    read_rows::RULE,
    behind::RULE,
    log_drops::RULE,
    gaps::RULE,
    paused::RULE,
];

/// Since when rules fire.
#[derive(Default)]
pub(super) struct Memory {
    since: BTreeMap<(&'static str, String), Instant>,
}

/// Asks all rules, and puts what they find into the snapshot: alerts, the worst first, and `SLOW` stages.
pub(super) fn examine(snapshot: &mut Snapshot, history: &History, memory: &mut Memory) {
    let facts = Facts { now: snapshot, history };
    let found: Vec<(&'static str, Finding)> =
        RULES.iter().flat_map(|rule| (rule.check)(&facts).into_iter().map(|finding| (rule.id, finding))).collect();
    let now = Instant::now();
    memory.since = found
        .iter()
        .map(|(rule, finding)| {
            let key = (*rule, finding.subject.clone());
            let since = memory.since.get(&key).copied().unwrap_or(now);
            (key, since)
        })
        .collect();
    for (_, finding) in &found {
        let Some(stage) = finding.slows else { continue };
        let stage = snapshot.stages.iter_mut().find(|view| view.name == stage);
        if let Some(view) = stage.filter(|view| matches!(view.state, State::Run | State::Idle)) {
            view.state = State::Slow;
            view.cause = Some(finding.text.clone());
        }
    }
    let alert = |(rule, finding): (&'static str, Finding)| Alert {
        since: memory.since.get(&(rule, finding.subject.clone())).map_or(0, |since| millis(now.duration_since(*since))),
        rule: rule.to_owned(),
        severity: finding.severity,
        subject: finding.subject,
        text: finding.text,
        helps: finding.helps,
    };
    snapshot.alerts = found.into_iter().map(alert).collect();
    // Among equals the order of the rules counts.
    snapshot.alerts.sort_by_key(|alert| std::cmp::Reverse(alert.severity));
}

#[cfg(test)]
mod tests {
    use super::fixture::healthy;
    use super::*;
    use crate::flow::StageId;
    use crate::monitor::snapshot::Severity;

    #[test]
    fn a_healthy_pipeline_has_no_alerts() {
        let mut snapshot = healthy();
        examine(&mut snapshot, &History::default(), &mut Memory::default());
        assert_eq!(snapshot.alerts, []);
    }

    #[test]
    fn the_worst_comes_first_and_what_is_slow_says_so() {
        let mut snapshot = healthy();
        snapshot.stages[0].state = State::Paus;
        snapshot.stages[1].state = State::Fail;
        snapshot.stages[1].cause = Some("refused".into());
        let trades = snapshot.streams.iter_mut().find(|stream| stream.name == "stream:trades").expect("it is there");
        trades.groups[0].unread_bytes = snapshot.about.max_stream_bytes / 3;
        examine(&mut snapshot, &History::default(), &mut Memory::default());
        let severities: Vec<_> = snapshot.alerts.iter().map(|alert| alert.severity).collect();
        assert_eq!(severities, [Severity::Bad, Severity::Warn, Severity::Info]);
        let slow = snapshot.stages.iter().find(|stage| stage.name == StageId::WriteTrades).expect("it is there");
        assert_eq!(slow.state, State::Slow);
        assert!(slow.cause.as_deref().is_some_and(|cause| cause.contains("unread")), "{slow:?}");
    }

    #[test]
    fn a_rule_knows_since_when_it_fires() {
        let mut memory = Memory::default();
        let mut snapshot = healthy();
        snapshot.stages[0].state = State::Fail;
        examine(&mut snapshot.clone(), &History::default(), &mut memory);
        std::thread::sleep(std::time::Duration::from_millis(20));
        examine(&mut snapshot, &History::default(), &mut memory);
        assert!(snapshot.alerts[0].since >= 20, "{:?}", snapshot.alerts);
        examine(&mut healthy(), &History::default(), &mut memory);
        assert!(memory.since.is_empty(), "what does not fire any more is forgotten");
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(names.len(), RULES.len());
    }
}
