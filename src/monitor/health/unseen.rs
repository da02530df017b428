//! Something cannot be observed: its numbers are old, and nobody shall take them for now.

use super::rule::{Facts, Finding, Rule};
use crate::monitor::snapshot::{Seen, Severity};
use crate::{streams::WaitCause, units::age};

pub(super) const RULE: Rule = Rule { id: "unseen", check };

/// For so long after the start nothing needs to be there yet.
const STARTING: u64 = 10_000;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let now = facts.now;
    if now.uptime < STARTING {
        return Vec::new();
    }
    // Where something does not answer, or nobody has begun, that is what is to be said.
    let is_covered = |cause: &Option<WaitCause>| cause.as_ref().is_some_and(|cause| facts.is_covered(cause));
    let streams = now.streams.iter().filter(|stream| !is_covered(&stream.entries.cause));
    let streams = streams.filter_map(|stream| find(&stream.name, &stream.entries));
    let tables = now.tables.iter().filter(|table| !is_covered(&table.rows.cause));
    let tables = tables.filter_map(|table| find(&format!("table {}", table.name), &table.rows));
    // The tables are asked together: one line says it.
    streams.chain(tables.take(1)).collect()
}

fn find<T>(what: &str, seen: &Seen<T>) -> Option<Finding> {
    let reason = seen.missing.as_deref()?;
    let text = match seen.value {
        Some(_) if seen.is_stale() => format!("{what} cannot be observed for {}: {reason}", age(seen.age)),
        Some(_) => return None,
        None => format!("{what} cannot be observed: {reason}"),
    };
    Some(Finding::new(Severity::Warn, what, text))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;
    use crate::monitor::snapshot::OutageView;
    use crate::streams::Dependency;

    #[test]
    fn one_that_fails_for_a_moment_is_not_worth_a_word_and_a_stale_one_is() {
        let mut snapshot = healthy();
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.streams[2].entries.missing = Some("timed out".into());
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.streams[2].entries.age = 42_000;
        for table in &mut snapshot.tables {
            table.rows = Seen { missing: Some("refused".into()), ..Seen::of(None, 0) };
        }
        snapshot.uptime = 9_000;
        assert_eq!(check_now(&RULE, &snapshot), [], "it has just begun");
        snapshot.uptime = 60_000;
        let found: Vec<_> = check_now(&RULE, &snapshot).into_iter().map(|finding| finding.text).collect();
        assert_eq!(
            found,
            ["stream:trades cannot be observed for 42s: timed out", "table trades cannot be observed: refused"]
        );
        snapshot.streams[2].entries.cause = Some(WaitCause::NotBegun);
        for table in &mut snapshot.tables {
            let asked = Dependency { name: "a server".into(), text: "refused".into() };
            table.rows.cause = Some(WaitCause::Dependency(asked));
        }
        assert_eq!(check_now(&RULE, &snapshot).len(), 1, "it answers others");
        snapshot.outages = vec![OutageView { name: "a server".into(), cause: "away".into(), lasts: 9, failures: 1 }];
        assert_eq!(check_now(&RULE, &snapshot), []);
    }
}
