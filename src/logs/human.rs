//! A record as people read it: one line, whatever it holds.

use std::fmt::Write;

use super::{form::rfc3339, record::LogRecord};
use crate::secrets::is_unsafe;

/// `2026-11-25`, in UTC.
pub fn date(record: &LogRecord) -> String {
    rfc3339(record.at).split('T').next().unwrap_or_default().to_owned()
}

/// `02:36:47.123`, in UTC.
pub fn time_of_day(record: &LogRecord) -> String {
    let at = rfc3339(record.at);
    at.split_once('T').map_or("", |(_, time)| time).trim_end_matches('Z').to_owned()
}

/// `message key=value key=value`
pub fn text(record: &LogRecord) -> String {
    let mut text = record.message.clone();
    for (key, value) in &record.fields {
        let space = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{space}{key}={value}");
    }
    printable(&text)
}

/// `02:36:47.123 INFO  write-trades message key=value`
pub fn line(record: &LogRecord) -> String {
    format!("{} {:<5} {} {}", time_of_day(record), record.level.as_str(), printable(record.origin()), text(record))
}

/// Spaces for control characters, and for those that turn the direction of a text: a line stays one line, and nothing in it commands the terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn is_one_line_that_commands_nothing() {
        let record = LogRecord {
            at: 1_795_574_207_003,
            level: Level::WARN,
            stage: None,
            target: "polytape::headless".into(),
            message: "two\nlines \u{1b}[2J\u{9b}1m".into(),
            fields: vec![("error".into(), "a\tb".into()), ("n".into(), "1".into())],
        };
        assert_eq!(line(&record), "02:36:47.003 WARN  polytape two lines  [2J 1m error=a b n=1");
        assert_eq!(date(&record), "2026-11-25");
        let silent = LogRecord { message: String::new(), at: 0, ..record };
        assert_eq!((text(&silent).as_str(), time_of_day(&silent).as_str()), ("error=a b n=1", "00:00:00.000"));
    }
}
