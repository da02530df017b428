//! Inserts take long, or one is not confirmed at all.

use super::rule::{Facts, Finding, Rule};
use crate::monitor::snapshot::{State, TableView};
use crate::units::{age, latency};

pub(super) const RULE: Rule = Rule { id: "inserts", check };

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    // A stage that is held with a batch in its hands is no slow one.
    let is_held = |table: &&TableView| {
        let mut held = facts.now.stages.iter().filter(|stage| matches!(stage.state, State::Paus | State::Stop));
        held.any(|stage| Some(stage.name) == table.writer())
    };
    facts.now.tables.iter().filter(|table| !is_held(table)).filter_map(find).collect()
}

fn find(table: &TableView) -> Option<Finding> {
    let (name, inserts) = (&table.name, &table.inserts);
    let severity = inserts.severity()?;
    let text = match (inserts.running_severity(), inserts.running) {
        (Some(_), Some(running)) => format!("an insert into {name} has not been confirmed for {}", age(running)),
        _ => {
            let [median, longest] = [inserts.median, inserts.longest].map(|took| latency(took.unwrap_or(0)));
            format!("inserts into {name} take {median}, the longest of the last minute {longest}")
        }
    };
    Some(Finding::new(severity, format!("table {name}"), text))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;
    use crate::monitor::snapshot::{InsertsView, Severity};

    fn found(median: Option<u64>, running: Option<u64>) -> Option<(Severity, String)> {
        let mut snapshot = healthy();
        snapshot.tables[0].inserts = InsertsView { median, longest: Some(90_000), running, ..InsertsView::default() };
        check_now(&RULE, &snapshot).pop().map(|finding| (finding.severity, finding.text))
    }

    #[test]
    fn one_long_insert_in_the_past_is_nothing_and_a_slow_middle_is() {
        assert_eq!(found(None, None), None);
        assert_eq!(found(Some(2_000), Some(5_000)), None);
        let text = "inserts into trades take 2.1s, the longest of the last minute 1m30";
        assert_eq!(found(Some(2_100), Some(100)), Some((Severity::Warn, text.into())));
    }

    #[test]
    fn one_that_is_not_confirmed_gets_worse() {
        let text = |age: &str| format!("an insert into trades has not been confirmed for {age}");
        assert_eq!(found(Some(3), Some(6_000)), Some((Severity::Warn, text("6s"))));
        assert_eq!(found(None, Some(60_000)), Some((Severity::Warn, text("1m00"))));
        assert_eq!(found(Some(9_000), Some(72_000)), Some((Severity::Bad, text("1m12"))));
    }
}
