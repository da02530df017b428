//! A provider of the source is not to be believed, or rows may be missing because of one.

use super::rule::{Facts, Finding, Rule};
use crate::{monitor::snapshot::Severity, units::thousands};

pub(super) const RULE: Rule = Rule { id: "doubts", check };

/// So many in a minute are no accident.
const MANY: u64 = 10;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let source = &facts.now.source;
    let mut found = Vec::new();
    if let Some(block) = source.in_doubt {
        let text = format!(
            "{} is in doubt from block {} on: rows may be missing until a replay has read them again",
            source.name,
            thousands(block)
        );
        found.push(Finding::new(Severity::Bad, source.name.as_str(), text));
    }
    for node in &source.nodes {
        let name = &node.name;
        let many = node.doubts_per_minute.filter(|doubts| *doubts >= MANY);
        let text = match (node.other_chain, node.is_distrusted, many) {
            (Some(chain), _, _) => {
                format!("{name} shows chain {chain} and is left out: take it out of the configuration")
            }
            (None, true, _) => format!("{name} leaves logs out: all it says is read a second time, elsewhere"),
            (None, false, Some(doubts)) => format!("{name} gave reason to look twice {doubts} times within a minute"),
            (None, false, None) => continue,
        };
        found.push(Finding::new(Severity::Warn, name.as_str(), text));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;
    use crate::monitor::snapshot::NodeView;

    #[test]
    fn who_is_not_believed_is_named() {
        let mut snapshot = healthy();
        let node =
            |name: &str| NodeView { name: name.into(), doubts_per_minute: Some(MANY - 1), ..NodeView::default() };
        snapshot.source.nodes = vec![node("a"), node("b"), node("c")];
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.source.nodes[0].other_chain = Some(1);
        snapshot.source.nodes[1].is_distrusted = true;
        snapshot.source.nodes[2].doubts_per_minute = Some(MANY);
        snapshot.source.in_doubt = Some(97_000_000);
        let found = check_now(&RULE, &snapshot);
        let texts: Vec<_> = found.iter().map(|finding| finding.text.as_str()).collect();
        assert!(texts[0].starts_with("polygon is in doubt from block 97,000,000"), "{texts:?}");
        assert!(texts[1].starts_with("a shows chain 1"), "{texts:?}");
        assert!(texts[2].starts_with("b leaves logs out"), "{texts:?}");
        assert!(texts[3].ends_with("10 times within a minute"), "{texts:?}");
    }
}
