//! A file `.env`: a `NAME=value` a line, as docker compose and most readers take it, but that nothing is substituted. A `$` in a
//! password is a `$`.
//!
//! - `export ` may stand in front, and spaces around the `=`.
//! - Without quotes a value goes to the end of its line, or up to ` #`; a `\` is a `\`.
//! - In `'…'` all is as it stands. In `"…"` `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are what they are elsewhere.
//! - A value in quotes may go over several lines, but not over one that names something of ours.
//!
//! The file is shared: what is not ours may look as it likes.

/// A line that names something of ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The line, from 1.
    pub(super) line: usize,
    /// The name.
    pub(super) name: String,
    /// The value, or what is wrong with it.
    pub(super) value: Result<String, &'static str>,
}

/// The lines of a text that name something of ours.
pub(super) fn read(text: &str, is_ours: impl Fn(&str) -> bool) -> Vec<Entry> {
    let lines: Vec<&str> = text.strip_prefix('\u{feff}').unwrap_or(text).lines().collect();
    let mut entries = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let (name, rest) = named(line);
        let is_entry = is_ours(name);
        let (value, used) = match rest.strip_prefix('=') {
            Some(value) => {
                let names_ours = |line: &&&str| is_ours(named(line).0);
                let following = lines.iter().skip(at + 1).take_while(|line| !names_ours(line)).copied();
                valued(value, following)
            }
            None => (Err("write it as NAME=value"), 1),
        };
        if is_entry {
            entries.push(Entry { line: at + 1, name: name.to_owned(), value });
        }
        at += used;
    }
    entries
}

/// The name that a line begins with, and what stands behind it. The name of a comment is empty.
fn named(line: &str) -> (&str, &str) {
    let line = line.trim_start();
    let is_space = |rest: &&str| rest.starts_with(char::is_whitespace);
    // It may be a name itself.
    let exported = line.strip_prefix("export").filter(is_space).map(str::trim_start);
    let line = exported.filter(|rest| !rest.starts_with('=')).unwrap_or(line);
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    (name, rest.trim_start())
}

/// The value behind a `=`, and over how many lines it goes.
fn valued<'a>(text: &'a str, following: impl Iterator<Item = &'a str>) -> (Result<String, &'static str>, usize) {
    let trimmed = text.trim_start();
    match trimmed.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(&trimmed[1..], quote, following),
        _ => (Ok(up_to_comment(text).trim().to_owned()), 1),
    }
}

/// What stands before ` #`.
fn up_to_comment(text: &str) -> &str {
    let comment = text.match_indices('#').find(|(at, _)| text[..*at].ends_with(char::is_whitespace));
    comment.map_or(text, |(at, _)| &text[..at])
}

fn quoted<'a>(
    first: &'a str,
    quote: char,
    following: impl Iterator<Item = &'a str>,
) -> (Result<String, &'static str>, usize) {
    let mut value = String::new();
    for (number, line) in std::iter::once(first).chain(following).enumerate() {
        if number > 0 {
            value.push('\n');
        }
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                c if c == quote => {
                    return match up_to_comment(chars.as_str()).trim() {
                        "" => (Ok(value), number + 1),
                        _ => (Err("something stands behind its closing quote"), 1),
                    };
                }
                '\\' if quote == '"' => match chars.next() {
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('t') => value.push('\t'),
                    Some(c @ ('"' | '\\' | '$')) => value.push(c),
                    Some(c) => value.extend(['\\', c]),
                    None => value.push('\\'),
                },
                c => value.push(c),
            }
        }
    }
    (Err("its quote is not closed"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Vec<(usize, String, Result<String, &'static str>)> {
        let entries = read(text, |name| name.starts_with("OUR_"));
        entries.into_iter().map(|Entry { line, name, value }| (line, name, value)).collect()
    }

    #[test]
    fn values_are_as_they_stand() {
        for (line, expected) in [
            ("OUR_A=pa$$word", "pa$$word"),
            ("OUR_A=pa${HOME}$HOME", "pa${HOME}$HOME"),
            ("OUR_A=\"pa$HOME\"", "pa$HOME"),
            ("OUR_A='pa$HOME\\'", "pa$HOME\\"),
            ("OUR_A=a\\b\\n", "a\\b\\n"),
            ("OUR_A=\"a\\\"b\\\\c\\$d\\qe\\n\"", "a\"b\\c$d\\qe\n"),
            ("  export   OUR_A = two words ", "two words"),
            ("OUR_A=a#b # a comment", "a#b"),
            ("OUR_A=#secret", "#secret"),
            ("OUR_A= # nothing", ""),
            ("OUR_A=", ""),
            ("OUR_A=\"a # b\" # a comment", "a # b"),
            ("OUR_A=a=b", "a=b"),
            ("OUR_A=it's", "it's"),
            ("\u{feff}OUR_A=x\r", "x"),
        ] {
            assert_eq!(read_all(line), [(1, "OUR_A".to_owned(), Ok(expected.to_owned()))], "{line}");
        }
    }

    #[test]
    fn what_is_not_ours_may_look_as_it_likes() {
        let text = "# OUR_A=1\nwelcome to the jungle\n- a: b\nTHEIRS='it\nKEY=\"-----BEGIN\nOUR-----\nEND\"\n=x\nexport\nOUR_A=1\r\nA B=2\nOUR_B=\"two\nlines\"\nOUR_A=3";
        let found = read_all(text);
        let value = |value: &str| Ok(value.to_owned());
        let expected = [(10, "OUR_A", value("1")), (12, "OUR_B", value("two\nlines")), (14, "OUR_A", value("3"))];
        assert_eq!(found, expected.map(|(line, name, value)| (line, name.to_owned(), value)));
    }

    #[test]
    fn what_is_ours_and_cannot_be_read_is_told_with_its_line() {
        for (text, line, why) in [
            ("\nOUR_A: x", 2, "NAME=value"),
            ("OUR_A", 1, "NAME=value"),
            ("OUR_A=\"x\nOUR_B=y", 1, "not closed"),
            ("OUR_A='x' y", 1, "behind its closing quote"),
        ] {
            let found = read_all(text);
            assert!(
                matches!(&found[0], (at, _, Err(words)) if *at == line && words.contains(why)),
                "{text:?}: {found:?}"
            );
        }
        // A quote that is not closed swallows nothing of ours.
        assert_eq!(read_all("THEIRS=\"x\nOUR_B=y\n\"")[0], (2, "OUR_B".to_owned(), Ok("y".to_owned())));
    }
}
