//! A contract emits what nobody knows, or has a new implementation.

use super::rule::{Facts, Finding, Rule};
use crate::{monitor::snapshot::Severity, units::thousands};

pub(super) const RULE: Rule = Rule { id: "surprises", check };

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let source = &facts.now.source;
    let mut found = Vec::new();
    if let Some((count, kind)) = &source.unknown_events {
        let count = thousands(*count);
        let text = format!("{count} unknown events, {kind}: fills may be missing, look for a newer polytape");
        found.push(Finding::new(Severity::Bad, "unknown events", text));
    }
    if let Some(upgrade) = &source.upgrade {
        found.push(Finding::new(Severity::Warn, "upgrade", upgrade.as_str()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;

    #[test]
    fn what_nobody_knows_is_alarmed() {
        let mut snapshot = healthy();
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.source.unknown_events = Some((1_200, "0x12 of v3".into()));
        snapshot.source.upgrade = Some("v3 has a new implementation since block 7: 0x34".into());
        let found = check_now(&RULE, &snapshot);
        assert_eq!(found[0].severity, Severity::Bad);
        assert!(found[0].text.starts_with("1,200 unknown events, 0x12 of v3"), "{found:?}");
        assert_eq!((found[1].severity, found[1].subject.as_str()), (Severity::Warn, "upgrade"));
    }
}
