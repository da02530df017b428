//! The daily scan found incomplete trades whose tokens were not on the list of what is to be done: something wrote them without it.

use super::rule::{Facts, Finding, Rule};
use crate::{monitor::snapshot::Severity, units::thousands};

pub(super) const RULE: Rule = Rule { id: "unlisted", check };

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let missed = facts.now.tokens.map_or(0, |tokens| tokens.missed);
    if missed == 0 {
        return Vec::new();
    }
    let text = format!(
        "{} tokens with incomplete trades were not on the list of unresolved tokens, and are now: did an older polytape write \
         them?",
        thousands(missed)
    );
    vec![Finding::new(Severity::Warn, "unresolved_tokens", text)]
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check_now, healthy};
    use super::*;
    use crate::monitor::snapshot::TokensView;

    #[test]
    fn a_list_that_was_not_whole_is_said() {
        let mut snapshot = healthy();
        assert_eq!(check_now(&RULE, &snapshot), []);
        snapshot.tokens = Some(TokensView { missed: 3, ..TokensView::default() });
        let text = check_now(&RULE, &snapshot).remove(0).text;
        assert!(text.starts_with("3 tokens with incomplete trades were not on the list"), "{text}");
    }
}
