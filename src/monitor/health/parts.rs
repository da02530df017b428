//! A partition is made of many parts: ClickHouse merges them more slowly than they come, and will refuse more in the end.

use super::rule::{Facts, Finding, Rule};
use crate::{monitor::snapshot::TableView, units::count};

pub(super) const RULE: Rule = Rule { id: "parts", check };

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.now.tables.iter().filter_map(find).collect()
}

fn find(table: &TableView) -> Option<Finding> {
    let severity = table.parts_severity()?;
    let parts = table.parts.as_ref()?.value?;
    let text = format!(
        "{} has {} parts in one partition: ClickHouse does not merge as fast as rows come; a longer writer.linger makes \
         fewer",
        table.name,
        count(parts)
    );
    Some(Finding::new(severity, format!("table {}", table.name), text))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;
    use crate::monitor::snapshot::{Seen, Severity};

    fn found(parts: Option<u64>, age: u64) -> Option<Severity> {
        let mut snapshot = healthy();
        snapshot.tables[0].parts = Some(Seen::of(parts, age));
        check_now(&RULE, &snapshot).pop().map(|finding| finding.severity)
    }

    #[test]
    fn many_parts_are_a_warning_and_too_many_are_bad() {
        assert_eq!([found(None, 0), found(Some(0), 0), found(Some(300), 0), found(Some(4_000), 42_000)], [None; 4]);
        assert_eq!([found(Some(301), 0), found(Some(1_000), 0)], [Some(Severity::Warn); 2]);
        assert_eq!(found(Some(1_001), 0), Some(Severity::Bad));
        let mut snapshot = healthy();
        snapshot.tables[0].parts = Some(Seen::of(Some(301), 0));
        let text = check_now(&RULE, &snapshot).remove(0).text;
        assert!(text.starts_with("trades has 301 parts in one partition: "), "{text}");
    }
}
