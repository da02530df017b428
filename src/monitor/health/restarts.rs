//! A stage begins again and again.

use std::time::Duration;

use super::rule::{Facts, Finding, Rule};
use crate::monitor::snapshot::Severity;

pub(super) const RULE: Rule = Rule { id: "restarts", check };

const OVER: Duration = Duration::from_secs(300);

/// So many in that time are a loop.
const LOOP: u64 = 3;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for stage in &facts.now.stages {
        let restarts = facts.history.then_and_now(OVER, |sample| sample.restarts.get(&stage.name).copied());
        let Some((_, then, now)) = restarts.filter(|(_, then, now)| now.saturating_sub(*then) >= LOOP) else {
            continue;
        };
        let last =
            stage.last_failure.as_ref().map_or(String::new(), |(_, cause)| format!(", the last time after: {cause}"));
        let text = format!("{} began again {} times within 5 minutes{last}", stage.name, now - then);
        found.push(Finding::new(Severity::Warn, stage.name.as_str(), text).slows(stage.name));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{healthy, past_of};
    use super::*;
    use crate::flow::StageId;

    #[test]
    fn three_in_five_minutes_are_a_loop() {
        let mut snapshot = healthy();
        snapshot.stages[0].last_failure = Some((900, "panicked: boom".into()));
        let restarts = |times: u64| {
            past_of(60, move |sample, second| {
                sample.restarts.insert(StageId::IngestFills, second.min(times));
            })
        };
        assert_eq!(check(&Facts { now: &snapshot, history: &restarts(2) }), []);
        let found = check(&Facts { now: &snapshot, history: &restarts(3) });
        assert_eq!(
            found[0].text,
            "ingest-fills began again 3 times within 5 minutes, the last time after: panicked: boom"
        );
    }
}
