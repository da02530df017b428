//! A query that is asked again and again reads more rows than any may: it grows with what is there.

use super::rule::{Facts, Finding, Rule};
use crate::monitor::snapshot::{QueryView, Severity};
use crate::{units::thousands, warehouse::MOST_READ_ROWS};

pub(super) const RULE: Rule = Rule { id: "read-rows", check };

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.now.queries.iter().filter_map(find).collect()
}

fn find(QueryView { name, read_rows }: &QueryView) -> Option<Finding> {
    let rows = (*read_rows).filter(|rows| *rows > MOST_READ_ROWS)?;
    let text = format!("{name}: the query read {} rows, more than {}", thousands(rows), thousands(MOST_READ_ROWS));
    Some(Finding::new(Severity::Warn, format!("query {name}"), text))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;

    fn found(read_rows: Option<u64>) -> Option<String> {
        let mut snapshot = healthy();
        snapshot.queries = vec![QueryView { name: "unresolved tokens: list".into(), read_rows }];
        check_now(&RULE, &snapshot).pop().map(|finding| finding.text)
    }

    #[test]
    fn what_reads_more_than_it_may_is_said_and_what_nobody_knows_is_not() {
        assert_eq!([found(None), found(Some(0)), found(Some(MOST_READ_ROWS))], [None, None, None]);
        let text = "unresolved tokens: list: the query read 10,000,001 rows, more than 10,000,000";
        assert_eq!(found(Some(MOST_READ_ROWS + 1)).as_deref(), Some(text));
    }
}
