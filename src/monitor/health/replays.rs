//! A replay does not come further, or has failed.

use super::rule::{Facts, Finding, Rule};
use crate::units::{age, percent};
use crate::{monitor::snapshot::Severity, warehouse::JobState};

pub(super) const RULE: Rule = Rule { id: "replay", check };

/// For so long it did not come further.
const STUCK: u64 = 30_000;

/// For so long a failure is shown.
const SHOWN: u64 = 600_000;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for job in &facts.now.jobs {
        let cause = job.cause.as_deref().unwrap_or("no reason is known");
        let text = match job.state {
            JobState::Running if job.progressed > STUCK => {
                let done = percent(job.done, job.total);
                format!("replay {} of {} stands at {done} for {}: {cause}", job.id, job.stage, age(job.progressed))
            }
            JobState::Failed if job.ended.is_some_and(|ended| ended < SHOWN) => {
                format!("replay {} of {} failed: {cause}", job.id, job.stage)
            }
            _ => continue,
        };
        found.push(Finding::new(Severity::Warn, job.id.as_str(), text));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy, job};
    use super::*;

    #[test]
    fn a_stuck_one_and_a_failed_one_are_told_for_a_while() {
        let mut snapshot = healthy();
        snapshot.jobs = vec![job()];
        assert_eq!(check_now(&RULE, &snapshot), []);
        (snapshot.jobs[0].progressed, snapshot.jobs[0].cause) = (31_000, Some("node: refused".into()));
        let found = check_now(&RULE, &snapshot);
        assert_eq!(found[0].text, "replay a3f09c of ingest-fills stands at 41% for 31s: node: refused");
        (snapshot.jobs[0].state, snapshot.jobs[0].ended) = (JobState::Failed, Some(9_000));
        assert_eq!(check_now(&RULE, &snapshot)[0].text, "replay a3f09c of ingest-fills failed: node: refused");
        snapshot.jobs[0].ended = Some(SHOWN);
        assert_eq!(check_now(&RULE, &snapshot), []);
    }
}
