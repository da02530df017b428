//! The source shows no new final block: no news is not good news.

use super::{Facts, Finding, Rule};
use crate::monitor::{Severity, StageView, State};
use crate::source::Head;
use crate::stage::{StageName, is_for_room};
use crate::units::{age, thousands};

pub(super) const RULE: Rule = Rule { id: "frozen", check };

/// The source was not even asked for so long.
const SILENT: u64 = 60_000;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let head = &facts.now.source.head;
    let Some(seen) = head.value.filter(|_| is_asked(facts)) else { return Vec::new() };
    let source = &facts.now.source.name;
    let fresh = u64::try_from(Head::FRESH.as_millis()).unwrap_or(u64::MAX);
    let block = thousands(seen.block);
    let text = if seen.age > fresh {
        format!("{source} is frozen: its newest final block {block} is {} old", age(seen.age))
    } else if head.age > SILENT {
        format!("{source} has said nothing for {}: its newest final block was {block}", age(head.age))
    } else {
        return Vec::new();
    };
    vec![Finding::new(Severity::Bad, source.as_str(), text).slows(StageName::IngestFills)]
}

/// Nobody asks while the stage that does is held, has failed, or has no room for what it reads.
fn is_asked(facts: &Facts<'_>) -> bool {
    let has_no_room = |stage: &StageView| stage.cause.as_deref().is_some_and(is_for_room);
    let is_away = facts.root_cause(StageName::IngestFills).is_some();
    let asks =
        |stage: &StageView| !matches!(stage.state, State::Paus | State::Stop | State::Fail) && !has_no_room(stage);
    facts.now.stages.iter().any(|stage| stage.name == StageName::IngestFills && asks(stage)) && !is_away
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;

    #[test]
    fn an_old_head_is_bad_whether_or_not_it_is_confirmed() {
        let mut snapshot = healthy();
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.source.head.age = 61_000;
        assert!(check_now(&RULE, &snapshot)[0].text.starts_with("polygon has said nothing for 1m01"));
        snapshot.source.head.age = 500;
        if let Some(head) = &mut snapshot.source.head.value {
            head.age = 301_000;
        }
        let found = check_now(&RULE, &snapshot);
        assert_eq!(found[0].severity, Severity::Bad);
        assert!(found[0].text.contains("is frozen") && found[0].text.ends_with("is 5m01 old"), "{found:?}");
    }

    #[test]
    fn who_holds_does_not_ask() {
        let mut snapshot = healthy();
        (snapshot.source.head.age, snapshot.stages[0].state) = (90_000, State::Paus);
        assert_eq!(check_now(&RULE, &snapshot), []);
        let full = Some("backpressure: stream:order_events 512 MiB".to_owned());
        (snapshot.stages[0].state, snapshot.stages[0].cause) = (State::Wait, full);
        assert_eq!(check_now(&RULE, &snapshot), []);
    }

    #[test]
    fn a_head_that_nobody_told_is_no_frozen_one() {
        let mut snapshot = healthy();
        snapshot.source.head.value = None;
        assert_eq!(check_now(&RULE, &snapshot), []);
    }
}
