//! What a user may not do, as a server says it, and the ACL rule that would let it.

use redis::RedisError;

/// How a refusal begins that comes out of a script: Redis 7.0 does not name the command there, later releases do.
const IN_SCRIPT: [&str; 2] = ["ACL failure in script", "The user executing the script can't"];

/// Whether a user may not do that.
pub(super) fn is_denied(error: &RedisError) -> bool {
    let detail = error.detail().unwrap_or_default();
    match error.code() {
        Some("NOPERM") => true,
        Some("ERR") => IN_SCRIPT.iter().any(|begin| detail.contains(begin)) || detail.contains("no permissions to run"),
        _ => false,
    }
}

/// What to do about such a refusal.
pub(super) fn advice(detail: &str) -> String {
    match command(detail) {
        Some(command) => format!("; {}", refused(&[command], None)),
        None if detail.contains("key") => {
            "; its user needs the keys behind key_prefix: polytape check names the ACL rule".to_owned()
        }
        None => "; its user needs more commands: polytape check names the ACL rule".to_owned(),
    }
}

/// What a user may not do and the rules to add: commands, and where those are not enough the pattern of the keys.
pub(super) fn refused(commands: &[&str], pattern: Option<&str>) -> String {
    let names: Vec<String> = commands.iter().map(|name| name.to_uppercase().replace('|', " ")).collect();
    let rules = commands.iter().map(|name| format!("+{}", name.to_lowercase().replace(' ', "|")));
    let rules: Vec<String> = rules.chain(pattern.map(|pattern| format!("~{pattern}"))).collect();
    let rules = rules.join(" ");
    match (names.is_empty(), pattern) {
        (true, Some(pattern)) => format!("its user may not use the keys {pattern}: add the ACL rule {rules}"),
        (_, Some(pattern)) => {
            format!("its user may not run {} on {pattern}: add the ACL rules {rules}", names.join(", "))
        }
        (_, None) => format!("its user may not run {}: add the ACL rule {rules}", names.join(", ")),
    }
}

/// The command that a refusal names.
fn command(detail: &str) -> Option<&str> {
    let name = detail.split_once("run the '")?.1.split_once('\'')?.0;
    Some(name).filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '|'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_that_is_missing_is_named() {
        for (said, advice_) in [
            ("this user has no permissions to run the 'evalsha' command", "EVALSHA: add the ACL rule +evalsha"),
            (
                "User tape has no permissions to run the 'xgroup|create' command",
                "XGROUP CREATE: add the ACL rule +xgroup|create",
            ),
            (
                "ACL failure in script: User tape has no permissions to run the 'xadd' command",
                "XADD: add the ACL rule +xadd",
            ),
            ("The user executing the script can't run this command or subcommand", "polytape check names the ACL rule"),
            ("No permissions to access a key", "needs the keys behind key_prefix"),
            ("run the 'x y; DROP' command", "needs more commands"),
        ] {
            let given = advice(said);
            assert!(given.contains(advice_), "{said}: {given}");
        }
        assert_eq!(
            refused(&["XADD", "XGROUP CREATE"], Some("tape:stream:*")),
            "its user may not run XADD, XGROUP CREATE on tape:stream:*: add the ACL rules +xadd +xgroup|create ~tape:stream:*"
        );
        assert_eq!(
            refused(&[], Some("stream:*")),
            "its user may not use the keys stream:*: add the ACL rule ~stream:*"
        );
    }
}
