//! A stage is refused for good.

use super::{Facts, Finding, Rule};
use crate::monitor::{Severity, State};

pub(super) const RULE: Rule = Rule { id: "failed", check };

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let failed = facts.now.stages.iter().filter(|stage| stage.state == State::Fail);
    failed
        .map(|stage| {
            let cause = stage.cause.as_deref().unwrap_or("no reason was given");
            let text = format!("{} failed for good: {cause}. R tries again", stage.name);
            Finding::new(Severity::Bad, stage.name.as_str(), text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;

    #[test]
    fn a_failed_stage_is_bad_and_says_why() {
        let mut snapshot = healthy();
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.stages[4].state = State::Fail;
        snapshot.stages[4].cause = Some("16 rows in a row were refused".into());
        let found = check_now(&RULE, &snapshot);
        assert_eq!(found[0].severity, Severity::Bad);
        assert_eq!(found[0].text, "write-trades failed for good: 16 rows in a row were refused. R tries again");
    }
}
