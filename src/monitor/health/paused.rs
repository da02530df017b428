//! A stage holds or is stopped on purpose: nobody shall forget that.

use super::rule::{Facts, Finding, Rule};
use crate::monitor::snapshot::{Severity, State};
use crate::{control::Command, units::about};

pub(super) const RULE: Rule = Rule { id: "paused", check };

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let held = facts.now.stages.iter().filter_map(|stage| {
        let word = match stage.state {
            State::Paus => "paused",
            State::Stop => "stopped",
            _ => return None,
        };
        let text = format!("{} is {word} for {}", stage.name, about(stage.since));
        Some(Finding::new(Severity::Info, stage.name.as_str(), text).helps(Command::Resume { stage: stage.name }))
    });
    held.collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;

    #[test]
    fn who_holds_is_named() {
        let mut snapshot = healthy();
        (snapshot.stages[2].state, snapshot.stages[2].since) = (State::Paus, 130_000);
        snapshot.stages[4].state = State::Stop;
        let found: Vec<_> = check_now(&RULE, &snapshot).into_iter().map(|finding| finding.text).collect();
        assert_eq!(found[0], "process-trades is paused for 2m");
        assert!(found[1].starts_with("write-trades is stopped for "), "{found:?}");
    }
}
