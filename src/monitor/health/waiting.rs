//! A stage waits for something, and that for longer than a hiccup.

use super::{Facts, Finding, Rule};
use crate::monitor::{Severity, State};
use crate::units::age;

pub(super) const RULE: Rule = Rule { id: "waiting", check };

/// A wait that is shorter is a hiccup.
const HICCUP: u64 = 3_000;

/// One that is longer is bad.
const LONG: u64 = 60_000;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let waiting = facts.now.stages.iter().filter(|stage| stage.state == State::Wait && stage.since > HICCUP);
    waiting
        .map(|stage| {
            let severity = if stage.since > LONG { Severity::Bad } else { Severity::Warn };
            let cause = stage.cause.as_deref().unwrap_or("?");
            let mut text = format!("{} waits for {}: {cause}", stage.name, age(stage.since));
            if stage.failures_in_a_row > 1 {
                text.push_str(&format!(" ({} failures in a row)", stage.failures_in_a_row));
            }
            Finding::new(severity, stage.name.as_str(), text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;

    #[test]
    fn a_hiccup_is_not_worth_a_word_and_a_long_wait_is_bad() {
        let mut snapshot = healthy();
        let stage = &mut snapshot.stages[0];
        (stage.state, stage.since, stage.cause) = (State::Wait, 2_000, Some("node: refused".into()));
        stage.failures_in_a_row = 7;
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.stages[0].since = 12_000;
        let found = check_now(&RULE, &snapshot);
        assert_eq!(found[0].severity, Severity::Warn);
        assert_eq!(found[0].text, "ingest-fills waits for 12s: node: refused (7 failures in a row)");
        snapshot.stages[0].since = 61_000;
        assert_eq!(check_now(&RULE, &snapshot)[0].severity, Severity::Bad);
    }
}
