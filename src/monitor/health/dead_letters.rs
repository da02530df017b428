//! Events are being refused.

use std::time::Duration;

use super::rule::{Facts, Finding, Rule};
use crate::{flow::TableId, monitor::snapshot::Severity, units::thousands};

pub(super) const RULE: Rule = Rule { id: "dead-letters", check };

const OVER: Duration = Duration::from_secs(300);

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let grown = facts.history.then_and_now(OVER, |sample| sample.rows.get(&TableId::DeadLetters).copied());
    let new = grown.map_or(0, |(_, then, now)| now.saturating_sub(then));
    if new == 0 {
        return Vec::new();
    }
    let noun = if new == 1 { "dead letter" } else { "dead letters" };
    let text = format!("{} new {noun} within 5 minutes: the table says why", thousands(new));
    vec![Finding::new(Severity::Warn, TableId::DeadLetters.as_str(), text)]
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{healthy, past_of};
    use super::*;

    #[test]
    fn only_new_ones_count() {
        let snapshot = healthy();
        let rows = |grow: u64| {
            past_of(60, move |sample, second| {
                sample.rows.insert(TableId::DeadLetters, 17 + second.min(grow));
            })
        };
        assert_eq!(check(&Facts { now: &snapshot, history: &rows(0) }), []);
        let text = |grow| check(&Facts { now: &snapshot, history: &rows(grow) }).remove(0).text;
        assert_eq!(text(1), "1 new dead letter within 5 minutes: the table says why");
        assert_eq!(text(3), "3 new dead letters within 5 minutes: the table says why");
    }
}
