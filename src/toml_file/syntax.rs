//! What of a text is no TOML. The parser knows where that is; what it looks like there says what was meant.

use std::ops::Range;

use super::{Fault, is_name, line_at};

/// What is wrong at a place that the parser did not understand.
pub(super) fn fault(text: &str, span: Range<usize>, message: &str) -> Fault {
    let lines: Vec<&str> = text.lines().collect();
    // What is missing at the end of a line is found to be missing on the next one.
    let found = line_at(text, span.start).min(lines.len().max(1));
    let begins_blank = |line: usize| lines.get(line - 1).is_none_or(|line| line.trim().is_empty());
    let line =
        if begins_blank(found) { (1..found).rev().find(|line| !begins_blank(*line)).unwrap_or(found) } else { found };
    let this = lines.get(line - 1).copied().unwrap_or_default();
    // What is an item of a list lacks a comma before it, and not the list its end.
    let is_behind = name_on(this).is_some() || (line == lines.len() && !this.trim().starts_with(['"', '\'']));
    if let Some((open, what)) = open_before(&lines, line).filter(|_| is_behind) {
        let name = lines.get(open - 1).and_then(|line| name_on(line)).unwrap_or_default();
        return Fault { line: open, name, message: format!("{what} that begins here has no end") };
    }
    let name = lines.iter().take(line).rev().find_map(|line| name_on(line)).unwrap_or_default();
    let message = match message.contains("duplicate") {
        true => twice(&lines, line),
        false => looks_like(this.trim()).to_owned(),
    };
    Fault { line, name, message }
}

/// The `key` of `key = value`, or a `[section]`.
fn name_on(line: &str) -> Option<String> {
    let line = line.trim();
    let section = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')).filter(|name| is_name(name));
    let key = || line.split_once('=').map(|(key, _)| key.trim()).filter(|key| is_name(key));
    section.map(|name| format!("[{name}]")).or_else(|| key().map(str::to_owned))
}

/// What begins before a line and has not ended: a list or a long text, and on which line.
fn open_before(lines: &[&str], line: usize) -> Option<(usize, &'static str)> {
    let mut open: Option<(usize, &'static str, &'static str)> = None;
    for (at, line) in lines.iter().enumerate().take(line - 1) {
        let value = line.split_once('=').map_or("", |(_, value)| value.trim());
        // A section in a list looks like a list of its own.
        let is_section = name_on(line).is_some_and(|name| name.starts_with('['));
        open = match open {
            Some((_, _, end)) if line.contains(end) && !is_section => None,
            None if value.starts_with('[') && !value.contains(']') => Some((at + 1, "the list", "]")),
            None if value.starts_with("\"\"\"") && value.matches("\"\"\"").count() == 1 => {
                Some((at + 1, "the text", "\"\"\""))
            }
            None if value.starts_with("'''") && value.matches("'''").count() == 1 => Some((at + 1, "the text", "'''")),
            open => open,
        };
    }
    open.map(|(at, what, _)| (at, what))
}

/// What stands on a line already has been said on an earlier one.
fn twice(lines: &[&str], line: usize) -> String {
    let name = lines.get(line - 1).and_then(|line| name_on(line));
    let is_section = |name: &str| name.starts_with('[');
    let mut earlier =
        lines.iter().enumerate().take(line - 1).rev().filter_map(|(at, line)| Some((at + 1, name_on(line)?)));
    let there = match name.as_deref() {
        Some(section) if is_section(section) => earlier.find(|(_, name)| name == section),
        // A key may stand in each section once.
        Some(key) => earlier.take_while(|(_, name)| !is_section(name)).find(|(_, name)| name == key),
        None => None,
    };
    match there {
        Some((there, _)) => format!("stands there twice: it is on line {there} already"),
        None => "stands there twice".to_owned(),
    }
}

fn looks_like(line: &str) -> &'static str {
    if let Some(section) = line.strip_prefix('[') {
        return match section.contains(']') {
            true => "a section stands alone on its line: [name]",
            false => "the bracket of a section is not closed: [name]",
        };
    }
    let Some((key, value)) = line.split_once('=') else {
        return match line.starts_with(['"', '\'']) {
            true => "a list lacks a comma or its end: [\"one\", \"two\"]",
            false => "neither a [section] nor a value: name = value",
        };
    };
    let (key, value) = (key.trim(), value.trim());
    match value.chars().next() {
        _ if key.is_empty() => "there is no name before the =: name = value",
        _ if key.contains(' ') && !key.starts_with(['"', '\'']) => "a name is one word: name = value",
        None | Some('#') => "there is no value behind the =: name = value",
        Some('"' | '\'') if is_closed(value) => "something stands behind the value: write name = value, one on a line",
        Some('"' | '\'') => "a quote is not closed: name = \"text\" (a \\ in a text is written \\\\)",
        Some('“' | '”' | '„' | '‘' | '’' | '«' | '`') => {
            "quotes of this kind are none here: name = \"text\""
        }
        Some('[') => "a list lacks a comma or its end: [\"one\", \"two\"]",
        Some('{') => "a table in braces lacks a comma or its end: { name = value, name = value }",
        Some('0') if value.bytes().all(|byte| byte.is_ascii_digit()) => "a number is written without zeros before it",
        Some(c) if c.is_ascii_digit() => "what is more than a number stands in quotes: name = \"30s\", name = \"5GB\"",
        _ => "a text stands in quotes: name = \"text\"",
    }
}

/// Whether a quote ends before a value does.
fn is_closed(value: &str) -> bool {
    let quote = value.chars().next().unwrap_or('"');
    value[1..].find(quote).is_some()
}
