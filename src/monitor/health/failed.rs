//! A stage is refused for good. Those that are refused for the same reason are one line.

use std::collections::BTreeMap;

use super::rule::{Facts, Finding, Rule};
use crate::control::Command;
use crate::monitor::snapshot::{Severity, StageView, State};

pub(super) const RULE: Rule = Rule { id: "failed", check };

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut by_cause = BTreeMap::<&str, Vec<&StageView>>::new();
    for stage in facts.now.stages.iter().filter(|stage| stage.state == State::Fail) {
        by_cause.entry(stage.cause.as_deref().unwrap_or("no reason was given")).or_default().push(stage);
    }
    by_cause.into_iter().map(|(cause, stages)| find(cause, &stages)).collect()
}

fn find(cause: &str, stages: &[&StageView]) -> Finding {
    let (subject, who) = match stages {
        [one] => (one.name.as_str(), one.name.to_string()),
        more => ("stages", format!("{} stages", more.len())),
    };
    let mut finding = Finding::new(Severity::Bad, subject, format!("{who} failed for good: {cause}"));
    if let [one] = stages {
        if one.can_skip {
            finding = finding.helps(Command::Skip { stage: one.name });
        }
        finding = finding.helps(Command::Restart { stage: one.name });
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;
    use crate::flow::StageId;

    #[test]
    fn a_failed_stage_is_bad_and_says_why_and_what_helps() {
        let mut snapshot = healthy();
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.stages[4].state = State::Fail;
        snapshot.stages[4].cause = Some("16 rows in a row were refused".into());
        let found = check_now(&RULE, &snapshot);
        assert_eq!(found[0].severity, Severity::Bad);
        assert_eq!(found[0].text, "write-trades failed for good: 16 rows in a row were refused");
        assert_eq!(found[0].helps, [Command::Restart { stage: StageId::WriteTrades }]);
        snapshot.stages[4].can_skip = true;
        assert_eq!(
            check_now(&RULE, &snapshot)[0].helps,
            [Command::Skip { stage: StageId::WriteTrades }, Command::Restart { stage: StageId::WriteTrades }]
        );
    }

    #[test]
    fn those_that_failed_for_one_reason_are_one_line() {
        let mut snapshot = healthy();
        for stage in &mut snapshot.stages {
            (stage.state, stage.cause) = (State::Fail, Some("ClickHouse at h: wrong password".into()));
        }
        let texts: Vec<_> = check_now(&RULE, &snapshot).into_iter().map(|finding| finding.text).collect();
        assert_eq!(texts, ["7 stages failed for good: ClickHouse at h: wrong password"]);
    }
}
