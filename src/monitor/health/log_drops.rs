//! Log lines did not get into their file.

use super::rule::{Facts, Finding, Rule};
use crate::{monitor::snapshot::Severity, units::thousands};

pub(super) const RULE: Rule = Rule { id: "log-drops", check };

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let text = match facts.now.log.dropped {
        Some(0) => return Vec::new(),
        None => "there is no log file: its directory cannot be used, the first lines of the log say why".to_owned(),
        Some(dropped) => {
            format!("{} log lines did not get into the file: the disk is too slow for them", thousands(dropped))
        }
    };
    vec![Finding::new(Severity::Info, "log", text)]
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;

    #[test]
    fn a_loss_is_never_silent() {
        let mut snapshot = healthy();
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.log.dropped = Some(1_234);
        assert!(check_now(&RULE, &snapshot)[0].text.starts_with("1,234 log lines"));
        snapshot.log.dropped = None;
        assert!(check_now(&RULE, &snapshot)[0].text.starts_with("there is no log file"));
    }
}
