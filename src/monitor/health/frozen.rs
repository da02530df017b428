//! The source shows no new final block: no news is not good news.

use super::rule::{Facts, Finding, Rule};
use crate::monitor::snapshot::{BesideView, Severity, StageView, State};
use crate::units::{age, thousands};
use crate::{flow::StageId, source::Head, streams::WaitCause};

pub(super) const RULE: Rule = Rule { id: "frozen", check };

/// The source was not even asked for so long.
const SILENT: u64 = 60_000;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    of_chain(facts).into_iter().chain(facts.now.beside.iter().filter_map(|beside| of_another(facts, beside))).collect()
}

fn of_chain(facts: &Facts<'_>) -> Vec<Finding> {
    let head = &facts.now.source.head;
    let Some(seen) = head.value.filter(|_| is_asked(facts, StageId::IngestFills)) else { return Vec::new() };
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
    vec![Finding::new(Severity::Bad, source.as_str(), text).slows(StageId::IngestFills)]
}

fn of_another(facts: &Facts<'_>, beside: &BesideView) -> Option<Finding> {
    let (name, seen) = (&beside.name, &beside.newest);
    if let Some(since) = &beside.frozen_since {
        let text = format!("{name} answers, but its data is frozen since {since}");
        return Some(Finding::new(Severity::Warn, name.as_str(), text));
    }
    let newest = seen.value.filter(|_| seen.age > SILENT && is_asked(facts, beside.stage))?;
    let text = format!("{name} has said nothing for {}: its newest was {} old", age(seen.age), age(newest));
    Some(Finding::new(Severity::Bad, name.as_str(), text).slows(beside.stage))
}

/// Nobody asks while the stage that does is held, has failed, or has no room for what it reads.
fn is_asked(facts: &Facts<'_>, by: StageId) -> bool {
    let has_no_room = |stage: &StageView| matches!(stage.waits_for, Some(WaitCause::Backpressure(_)));
    let is_away = facts.root_cause(by).is_some();
    let asks =
        |stage: &StageView| !matches!(stage.state, State::Paus | State::Stop | State::Fail) && !has_no_room(stage);
    facts.now.stages.iter().any(|stage| stage.name == by && asks(stage)) && !is_away
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;
    use crate::monitor::sample;

    #[test]
    fn data_that_has_ended_is_told_whether_or_not_its_source_answers() {
        let mut snapshot = sample::with_another_source();
        snapshot.beside[0].frozen_since = Some("2026-04-28T11:00:40Z".into());
        let found = check_now(&RULE, &snapshot);
        let text = "other answers, but its data is frozen since 2026-04-28T11:00:40Z";
        assert_eq!((found.len(), found[0].severity, found[0].text.as_str()), (1, Severity::Warn, text));
    }

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
        snapshot.stages[0].wait_for(WaitCause::Backpressure("backpressure: stream:order_events 512 MiB".into()), 0);
        assert_eq!(check_now(&RULE, &snapshot), []);
    }

    #[test]
    fn every_source_is_watched_by_itself() {
        let mut snapshot = sample::with_another_source();
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.beside[0].newest.age = 61_000;
        let found = check_now(&RULE, &snapshot);
        assert_eq!(found[0].text, "other has said nothing for 1m01: its newest was 2s old");
    }

    #[test]
    fn a_head_that_nobody_told_is_no_frozen_one() {
        let mut snapshot = healthy();
        snapshot.source.head.value = None;
        assert_eq!(check_now(&RULE, &snapshot), []);
    }
}
