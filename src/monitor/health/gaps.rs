//! The source of markets fails on one of them wherever it would list it.

use super::rule::{Facts, Finding, Rule};
use crate::{flow::StageId, monitor::snapshot::Severity};

pub(super) const RULE: Rule = Rule { id: "gaps", check };

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let gaps = facts.now.markets.iter().flat_map(|markets| &markets.gaps);
    let text = |gap: &String| {
        format!(
            "the source fails on {gap}: they are left out, and trades of them may stay without a market; the log says why"
        )
    };
    gaps.map(|gap| Finding::new(Severity::Warn, StageId::IngestMarkets.as_str(), text(gap))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;

    #[test]
    fn what_cannot_be_listed_is_said() {
        let mut snapshot = healthy();
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.markets.get_or_insert_default().gaps.push("open markets between 5 and 7".to_owned());
        let found = check_now(&RULE, &snapshot);
        assert!(found[0].text.contains("open markets between 5 and 7"), "{found:?}");
    }
}
