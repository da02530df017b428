//! What a user may do, of what polytape needs: asked before anything is done, so that a run does not stop in its middle.

use std::collections::BTreeSet;

use redis::Value;

use super::denied::refused;
use super::reply::{count, list, many, text};

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    /// Why nothing can be done with them.
    pub(super) fault: Option<String>,
    /// Whether the server's clock may be asked.
    pub(super) has_time: bool,
}

/// Whether a command may be run on a kind of key.
struct Right {
    kind: String,
    command: String,
    is_given: bool,
}

impl Rights {
    /// As `rights.lua` answers.
    pub(super) fn read(value: Value, prefix: &str) -> Option<Self> {
        let right = |value| {
            let [kind, command, is_given] = list(value)?;
            Some(Right { kind: text(kind)?, command: text(command)?, is_given: count(&is_given)? == 1 })
        };
        let rights: Vec<Right> = many(value)?.into_iter().map(right).collect::<Option<_>>()?;
        let (of_keys, others): (Vec<_>, Vec<_>) = rights.into_iter().partition(|right| !right.kind.is_empty());
        Some(Self { fault: fault(&of_keys, prefix), has_time: others.iter().all(|right| right.is_given) })
    }
}

/// What is missing, in words. Keys on which nothing may be run are to blame, where what is run there may be run elsewhere; else
/// the commands that may be run nowhere.
fn fault(rights: &[Right], prefix: &str) -> Option<String> {
    let is_given = |command: &str| rights.iter().any(|right| right.command == command && right.is_given);
    let kinds: BTreeSet<&str> = rights.iter().map(|right| right.kind.as_str()).collect();
    let faults = kinds.into_iter().filter_map(|kind| {
        let (given, denied): (Vec<&Right>, Vec<&Right>) =
            rights.iter().filter(|right| right.kind == kind).partition(|right| right.is_given);
        if denied.is_empty() {
            return None;
        }
        let pattern = format!("{prefix}{kind}:*");
        let nowhere: Vec<&str> =
            denied.iter().map(|right| right.command.as_str()).filter(|command| !is_given(command)).collect();
        Some(match (given.is_empty(), nowhere.len() == denied.len()) {
            // Neither keys nor commands are clear.
            (true, true) => refused(&nowhere, Some(&pattern)),
            (true, false) => refused(&[], Some(&pattern)),
            // Keys that may be read only.
            (false, _) if nowhere.is_empty() => refused(&[], Some(&pattern)),
            (false, _) => refused(&nowhere, None),
        })
    });
    let mut faults: Vec<String> = faults.collect();
    faults.dedup();
    (!faults.is_empty()).then(|| faults.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(rights: &[(&str, &str, bool)]) -> Option<String> {
        let right = |&(kind, command, is_given): &(&str, &str, bool)| Right {
            kind: kind.into(),
            command: command.into(),
            is_given,
        };
        fault(&rights.iter().map(right).collect::<Vec<_>>(), "tape:")
    }

    #[test]
    fn commands_and_keys_are_told_apart() {
        let all = [("stream", "TYPE", true), ("stream", "XADD", true), ("tally", "TYPE", true)];
        assert_eq!(fault_of(&all), None);
        assert_eq!(
            fault_of(&[("stream", "TYPE", true), ("stream", "XADD", false), ("tally", "TYPE", true)]).unwrap(),
            "its user may not run XADD: add the ACL rule +xadd"
        );
        assert_eq!(
            fault_of(&[("stream", "TYPE", true), ("stream", "XADD", true), ("tally", "TYPE", false)]).unwrap(),
            "its user may not use the keys tape:tally:*: add the ACL rule ~tape:tally:*"
        );
        let keys = [("stream", "TYPE", false), ("stream", "XADD", false), ("tally", "TYPE", true)];
        let words = "its user may not use the keys tape:stream:*: add the ACL rule ~tape:stream:*";
        assert_eq!(fault_of(&keys).unwrap(), words);
        let both = fault_of(&[("stream", "XADD", false), ("tally", "TYPE", true)]).unwrap();
        assert!(both.ends_with("add the ACL rules +xadd ~tape:stream:*"), "{both}");
    }

    /// What no script says is not asked for, and what a script says is.
    #[test]
    fn every_command_of_the_scripts_is_asked_for() {
        let asked: BTreeSet<String> = quoted_commands(include_str!("lua/rights.lua"), "{'").collect();
        let scripts = super::super::script::all();
        let texts = scripts.iter().filter(|(file, _)| !file.ends_with("rights.lua")).map(|(_, script)| script.text());
        let mut used: BTreeSet<String> = texts.flat_map(|text| quoted_commands(text, "redis.call('")).collect();
        // Built up piece by piece, and called outside of scripts.
        used.extend(["XCLAIM", "XREAD"].map(str::to_owned));
        assert_eq!(asked, used);
    }

    /// The commands that a text names behind some words, with their subcommands.
    fn quoted_commands<'a>(text: &'a str, behind: &'a str) -> impl Iterator<Item = String> + 'a {
        text.split(behind).skip(1).filter_map(|rest| {
            let mut words = rest.split('\'').step_by(2);
            let name = words.next()?;
            let is_command = name.chars().all(|c| c.is_ascii_uppercase());
            match (is_command, matches!(name, "XINFO" | "XGROUP")) {
                (false, _) => None,
                (true, false) => Some(name.to_owned()),
                (true, true) => Some(format!("{name} {}", words.next()?)),
            }
        })
    }
}
