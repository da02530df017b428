//! The tables are behind the chain. While they catch up that is news, not trouble.

use std::time::Duration;

use super::rule::{Facts, Finding, Rule};
use crate::monitor::snapshot::Severity;
use crate::units::{age, thousands};

pub(super) const RULE: Rule = Rule { id: "behind", check };

/// Fewer blocks than this are no backlog: a minute.
const BLOCKS: u64 = 30;

/// For so long the watermark stood.
const STOOD: Duration = Duration::from_secs(20);

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let source = &facts.now.source;
    let Some(behind) = source.blocks_behind().filter(|behind| *behind > BLOCKS) else { return Vec::new() };
    let blocks = thousands(behind);
    let moved = facts.history.then_and_now(STOOD, |sample| sample.watermark);
    let stood = moved.is_some_and(|(span, then, now)| then == now && span + Duration::from_secs(2) >= STOOD);
    // The chain goes on by half a block a second while it is being read.
    let pace = source.rate.map(|rate| rate.saturating_mul(2).saturating_sub(1)).filter(|pace| *pace > 0);
    let (severity, text) = match pace {
        _ if stood => (Severity::Warn, format!("the tables are {blocks} blocks behind and the watermark stands")),
        Some(pace) => {
            let left = age(behind.saturating_mul(2_000) / pace);
            (Severity::Info, format!("catching up: {blocks} blocks behind, {left} left"))
        }
        None => (Severity::Info, format!("catching up: {blocks} blocks behind")),
    };
    vec![Finding::new(severity, "watermark", text)]
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{healthy, past_of};
    use super::*;
    use crate::model::ChainPosition;
    use crate::monitor::history::History;

    #[test]
    fn catching_up_is_news_and_standing_still_is_trouble() {
        let mut snapshot = healthy();
        let head = snapshot.source.head.value.expect("it is known").block;
        assert_eq!(check(&Facts { now: &snapshot, history: &History::default() }), []);
        snapshot.source.watermark = Some(ChainPosition::start_of(head - 1_999));
        snapshot.source.rate = Some(50);
        let found = check(&Facts { now: &snapshot, history: &History::default() });
        assert_eq!(found[0].severity, Severity::Info);
        assert_eq!(found[0].text, "catching up: 2,000 blocks behind, 40s left");
        let stands = past_of(30, |sample, _| sample.watermark = Some(7));
        let found = check(&Facts { now: &snapshot, history: &stands });
        assert_eq!(found[0].severity, Severity::Warn);
        assert_eq!(found[0].text, "the tables are 2,000 blocks behind and the watermark stands");
    }
}
