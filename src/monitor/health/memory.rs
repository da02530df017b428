//! The server of the streams fills up: at its limit it refuses everything that makes it fuller.

use super::rule::{Facts, Finding, Rule};
use crate::{broker::Memory, monitor::snapshot::Severity, units::bytes};

pub(super) const RULE: Rule = Rule { id: "memory", check };

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let fresh = facts.now.memory.as_ref().filter(|seen| !seen.is_stale());
    let Some(memory) = fresh.and_then(|seen| seen.value) else { return Vec::new() };
    let (Some(severity), Some(limit), Some(percent)) = (memory.severity(), memory.limit, memory.percent) else {
        return Vec::new();
    };
    let what = format!("{} holds {} of {}, {percent}%", memory.server.label(), bytes(memory.used), bytes(limit));
    let text = match severity {
        Severity::Bad => {
            format!("{what}: nothing new is read until the writers have caught up, or its maxmemory is raised")
        }
        _ => format!("{what}: what everybody has read goes early, and at {}% reading stops", Memory::FULL),
    };
    vec![Finding::new(severity, memory.server.label(), text)]
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;
    use crate::broker::Product;
    use crate::monitor::snapshot::{MemoryView, Seen};

    fn found(used: u64, limit: Option<u64>, age: u64) -> Option<(Severity, String)> {
        found_of(Product::Redis, used, limit, age)
    }

    fn found_of(server: Product, used: u64, limit: Option<u64>, age: u64) -> Option<(Severity, String)> {
        let mut snapshot = healthy();
        let percent = Memory { server, used, limit }.percent();
        snapshot.memory = Some(Seen::of(Some(MemoryView { server, used, limit, percent }), age));
        check_now(&RULE, &snapshot).pop().map(|finding| (finding.severity, finding.text))
    }

    #[test]
    fn warns_before_it_is_full_and_says_when_reading_stops() {
        let limit = Some(1 << 30);
        let mib = |mib: u64| mib << 20;
        assert_eq!(found(mib(716), limit, 0), None);
        let (severity, text) = found(mib(717), limit, 0).unwrap();
        assert_eq!(severity, Severity::Warn);
        assert_eq!(
            text,
            "redis holds 717M of 1.00G, 70%: what everybody has read goes early, and at 85% reading stops"
        );
        assert_eq!(found(mib(870), limit, 0).unwrap().0, Severity::Warn);
        let (severity, text) = found(mib(871), limit, 0).unwrap();
        assert_eq!(severity, Severity::Bad);
        assert!(text.starts_with("redis holds 871M of 1.00G, 85%: nothing new is read"), "{text}");
        let (_, text) = found_of(Product::Valkey, mib(871), limit, 0).unwrap();
        assert!(text.starts_with("valkey holds 871M of 1.00G"), "{text}");
    }

    #[test]
    fn says_nothing_without_a_limit_or_of_what_is_old_or_unknown() {
        assert_eq!(found(1 << 40, None, 0), None);
        assert_eq!(found(1 << 40, Some(1), 42_000), None);
        let mut snapshot = healthy();
        for memory in [None, Some(Seen::default())] {
            snapshot.memory = memory;
            assert_eq!(check_now(&RULE, &snapshot), []);
        }
    }
}
