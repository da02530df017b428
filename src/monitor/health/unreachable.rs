//! Something that stages depend on does not answer: one line for it, and none for each of those who wait for it.

use std::cmp::Reverse;

use super::rule::{Facts, Finding, Rule};
use crate::flow::StageId;
use crate::monitor::snapshot::{OutageView, Severity};

pub(super) const RULE: Rule = Rule { id: "unreachable", check };

/// An outage that is shorter is a hiccup.
const HICCUP: u64 = 1_000;

/// One that is longer is bad.
const LONG: u64 = 60_000;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let waits = facts.now.waits();
    let lasting = facts.now.outages.iter().filter(|outage| outage.lasts >= HICCUP);
    let mut found: Vec<_> = lasting.map(|outage| (outage.waiting(&waits), outage)).collect();
    // What most of them wait for comes first.
    found.sort_by_key(|(waiting, _)| Reverse(waiting.len()));
    found.into_iter().filter_map(|(waiting, outage)| find(&waiting, outage)).collect()
}

fn find(waiting: &[StageId], outage: &OutageView) -> Option<Finding> {
    if waiting.is_empty() && outage.failures < 2 {
        return None;
    }
    let severity = if outage.lasts > LONG { Severity::Bad } else { Severity::Warn };
    // That stages wait, too, is news.
    let subject = if waiting.is_empty() { format!("what is seen of {}", outage.name) } else { outage.name.clone() };
    Some(Finding::new(severity, subject, outage.text(waiting)))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::super::{examine, waiting};
    use super::*;
    use crate::monitor::history::History;
    use crate::monitor::snapshot::Snapshot;
    use crate::streams::{Dependency, WaitCause};

    fn outage(name: &str, cause: &str) -> OutageView {
        OutageView { name: name.into(), cause: cause.into(), lasts: 9_000, failures: 12 }
    }

    fn away(name: &str, text: &str) -> WaitCause {
        WaitCause::Dependency(Dependency { name: name.into(), text: format!("{name} {text}") })
    }

    /// All stages wait for this.
    fn waiting_for(cause: &WaitCause) -> Snapshot {
        let mut snapshot = healthy();
        for stage in &mut snapshot.stages {
            stage.wait_for(cause.clone(), 9_000);
        }
        snapshot
    }

    #[test]
    fn seven_stages_that_wait_for_one_thing_are_one_line() {
        let name = "ClickHouse at http://h:8123";
        let mut snapshot = waiting_for(&away(name, "cannot be reached: connection refused"));
        snapshot.outages = vec![outage("Redis at h:1", "connection refused"), outage(name, "connection refused")];
        let cause = away(name, "cannot be reached: client error (Connect)");
        for table in &mut snapshot.tables {
            (table.rows.age, table.rows.missing) = (42_000, Some(cause.to_string()));
            table.rows.cause = Some(cause.clone());
        }
        examine(&mut snapshot, &History::default(), &mut super::super::Memory::default());
        let texts: Vec<_> = snapshot.alerts.iter().map(|alert| alert.text.as_str()).collect();
        let expected = [
            "7 stages wait for ClickHouse at http://h:8123: connection refused",
            "Redis at h:1 does not answer: connection refused",
        ];
        assert_eq!(texts, expected);
        snapshot.outages[1].lasts = 61_000;
        assert_eq!(check_now(&RULE, &snapshot)[0].severity, Severity::Bad);
    }

    #[test]
    fn who_waits_for_the_first_stage_waits_for_what_that_waits_for() {
        let mut snapshot = waiting_for(&WaitCause::NotBegun);
        snapshot.stages[0].wait_for(away("the nodes of polygon", "do not answer"), 9_000);
        snapshot.outages = vec![outage("the nodes of polygon", "node:8545: connection refused")];
        let found = check_now(&RULE, &snapshot);
        assert_eq!(found[0].text, "7 stages wait for the nodes of polygon: node:8545: connection refused");
        assert_eq!(check_now(&waiting::RULE, &snapshot), []);
    }

    #[test]
    fn a_hiccup_is_not_worth_a_word_and_what_only_probes_ask_is() {
        let mut snapshot = healthy();
        snapshot.outages = vec![outage("Redis at h:1", "connection reset")];
        assert_eq!(check_now(&RULE, &snapshot)[0].text, "Redis at h:1 does not answer: connection reset");
        snapshot.outages[0].lasts = 900;
        assert_eq!(check_now(&RULE, &snapshot), []);
    }
}
