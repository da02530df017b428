//! A stage waits for something, and that for longer than a hiccup. Those that wait for the same are one line; what does not
//! answer at all is told by another rule.

use super::rule::{Facts, Finding, Rule};
use crate::monitor::snapshot::{Severity, StageView};
use crate::{flow::StageId, monitor::waits::by_cause, streams::WaitCause, units::age};

pub(super) const RULE: Rule = Rule { id: "waiting", check };

/// A wait that is shorter is a hiccup.
const HICCUP: u64 = 3_000;

/// One that is longer is bad.
const LONG: u64 = 60_000;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let waiting = facts.now.stages.iter().filter(|stage| stage.since > HICCUP);
    let waiting = waiting.filter(|stage| facts.root_cause(stage.name).is_none());
    let by_cause = by_cause(waiting.filter_map(|stage| Some((stage.waits_for.as_ref()?, stage))));
    // Who waits for the first stage waits for what that waits for.
    let begins = by_cause.iter().any(|(_, stages)| stages.iter().any(|stage| stage.name == StageId::IngestFills));
    let is_covered = |cause: &WaitCause| *cause == WaitCause::NotBegun && begins;
    by_cause.iter().filter(|(cause, _)| !is_covered(cause)).map(|(cause, stages)| find(cause, stages)).collect()
}

fn find(cause: &WaitCause, stages: &[&StageView]) -> Finding {
    let since = stages.iter().map(|stage| stage.since).max().unwrap_or(0);
    let severity = if since > LONG { Severity::Bad } else { Severity::Warn };
    let (subject, who) = match stages {
        [one] => (one.name.to_string(), format!("{} waits", one.name)),
        more => (cause.to_string(), format!("{} stages wait", more.len())),
    };
    let mut text = format!("{who} for {}: {cause}", age(since));
    let failures = stages.iter().map(|stage| stage.failures_in_a_row).max().unwrap_or(0);
    if failures > 1 {
        text.push_str(&format!(" ({failures} failures in a row)"));
    }
    Finding::new(severity, subject, text)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;

    #[test]
    fn a_hiccup_is_not_worth_a_word_and_a_long_wait_is_bad() {
        let mut snapshot = healthy();
        let stage = &mut snapshot.stages[0];
        stage.wait_for(WaitCause::Other("node: refused".into()), 2_000);
        stage.failures_in_a_row = 7;
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.stages[0].since = 12_000;
        let found = check_now(&RULE, &snapshot);
        assert_eq!(found[0].severity, Severity::Warn);
        assert_eq!(found[0].text, "ingest-fills waits for 12s: node: refused (7 failures in a row)");
        snapshot.stages[0].since = 61_000;
        assert_eq!(check_now(&RULE, &snapshot)[0].severity, Severity::Bad);
        for stage in &mut snapshot.stages[1..] {
            stage.wait_for(WaitCause::NotBegun, 61_000);
        }
        assert_eq!(check_now(&RULE, &snapshot).len(), 1, "the others wait for that");
        snapshot.stages.remove(0);
        let found = check_now(&RULE, &snapshot);
        assert_eq!(found[0].text, "6 stages wait for 1m01: ingest-fills has not begun yet");
        assert_eq!(found.len(), 1);
    }
}
