//! A stage has entries to work on, does not wait for anything, and moves nothing.

use std::time::Duration;

use super::rule::{Facts, Finding, Rule};
use crate::monitor::snapshot::{Severity, State};
use crate::units::{age, count};

pub(super) const RULE: Rule = Rule { id: "stalled", check };

/// For so long nothing moved.
const STALLED: Duration = Duration::from_secs(15);

/// So long the oldest entry has been there.
const OLD: u64 = 15_000;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for stream in &facts.now.streams {
        let (Some(reader), Some(group)) = (stream.reader(), stream.live()) else { continue };
        let stage = facts.now.stages.iter().find(|stage| stage.name == reader);
        let works = stage.is_some_and(|stage| matches!(stage.state, State::Run | State::Idle | State::Slow));
        let moved = facts.history.then_and_now(STALLED, |sample| sample.moved.get(&reader).copied());
        let stands = moved.is_some_and(|(span, then, now)| then == now && span + Duration::from_secs(2) >= STALLED);
        let oldest = group.oldest.unwrap_or(0);
        // What was given out and is not in the hands of a stage that is idle here is another process's.
        let is_idle = stage.is_some_and(|stage| stage.state == State::Idle);
        let waiting = if is_idle { group.lag } else { group.pending + group.lag };
        if works && stands && oldest > OLD && waiting > 0 {
            let entries = count(group.pending + group.lag);
            let text =
                format!("{reader} moves nothing: {entries} unread in {}, the oldest {}", stream.name, age(oldest));
            found.push(Finding::new(Severity::Warn, reader.as_str(), text).slows(reader));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{healthy, past_of};
    use super::*;
    use crate::flow::StageId;

    #[test]
    fn unread_entries_that_nobody_moves_are_a_stall() {
        let mut snapshot = healthy();
        let stream = snapshot.streams.iter_mut().find(|stream| stream.name == "stream:trades").expect("it is there");
        (stream.groups[0].pending, stream.groups[0].lag, stream.groups[0].oldest) = (500, 0, Some(20_000));
        let stands = past_of(30, |sample, _| {
            sample.moved.insert(StageId::WriteTrades, 7);
        });
        let found = check(&Facts { now: &snapshot, history: &stands });
        assert_eq!(found[0].text, "write-trades moves nothing: 500 unread in stream:trades, the oldest 20s");
        assert_eq!(found[0].slows, Some(StageId::WriteTrades));
        let moves = past_of(30, |sample, second| {
            sample.moved.insert(StageId::WriteTrades, second);
        });
        assert_eq!(check(&Facts { now: &snapshot, history: &moves }), []);
        let short = past_of(5, |sample, _| {
            sample.moved.insert(StageId::WriteTrades, 7);
        });
        assert_eq!(check(&Facts { now: &snapshot, history: &short }), [], "not long enough to tell");
    }
}
