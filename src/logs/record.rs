//! One event, as it is kept, searched and written.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use tracing::Level;

use super::form;
use crate::secrets::is_unsafe;

/// Bytes of a message or of the value of a field, at most. An event has at most 32 fields, so a record is bounded, too.
pub const MAX_TEXT: usize = 4 << 10;

/// What stands where a text was cut.
const CUT: &str = "…";

/// One event. As JSON it is one flat object on one line, whose `stage` is always there and `""` where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRecord {
    /// When it happened: unix milliseconds.
    #[serde(rename = "timestamp", with = "form::timestamp")]
    pub at: i64,
    /// How much it matters.
    #[serde(with = "form::level")]
    pub level: Level,
    /// The stage that it is about.
    #[serde(with = "form::stage")]
    pub stage: Option<String>,
    /// The module that says it.
    pub target: String,
    /// What it says.
    pub message: String,
    /// What else it says, in its order. The stage is not among them.
    #[serde(with = "form::fields")]
    pub fields: Vec<(String, String)>,
}

impl LogRecord {
    /// Who says it: the stage, `polytape` for the rest of it, the crate for a library.
    pub fn origin(&self) -> &str {
        let library = || self.target.split("::").next().unwrap_or_default();
        self.stage.as_deref().unwrap_or_else(library)
    }

    /// The line of a file, with its end.
    pub fn json_line(&self) -> String {
        // Strings and numbers always become JSON.
        let json = serde_json::to_string(self).unwrap_or_default();
        let mut line = String::with_capacity(json.len() + 1);
        for c in json.chars() {
            // Inside a string, where alone they can be, an escape means the same character. A terminal that shows the
            // line obeys none of them.
            if is_unsafe(c) {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                    let _ = write!(line, "\\u{unit:04x}");
                });
            } else {
                line.push(c);
            }
        }
        line.push('\n');
        line
    }

    /// Cuts every text that is longer than [`MAX_TEXT`].
    pub fn bound(&mut self) {
        cut(&mut self.message);
        self.fields.iter_mut().for_each(|(_, value)| cut(value));
    }
}

fn cut(text: &mut String) {
    if text.len() <= MAX_TEXT {
        return;
    }
    let room = MAX_TEXT - CUT.len();
    let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text.push_str(CUT);
    text.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> LogRecord {
        LogRecord {
            at: 1_795_574_207_123,
            level: Level::INFO,
            stage: Some("write-trades".into()),
            target: "polytape::stage".into(),
            message: "a \"batch\"\nof \u{1b}[31m rows".into(),
            fields: vec![("rows".into(), "500".into()), ("after".into(), "1s".into())],
        }
    }

    #[test]
    fn is_one_flat_line_of_json() {
        let line = record().json_line();
        assert_eq!(
            line,
            concat!(
                r#"{"timestamp":"2026-11-25T02:36:47.123Z","level":"INFO","stage":"write-trades","#,
                r#""target":"polytape::stage","message":"a \"batch\"\nof \u001b[31m rows","#,
                r#""fields":{"rows":"500","after":"1s"}}"#,
                "\n"
            )
        );
        assert_eq!(serde_json::from_str::<LogRecord>(&line).unwrap(), record());
    }

    #[test]
    fn nothing_in_a_line_commands_who_shows_it() {
        let text = "\u{7f}\u{9b}31m\u{202e}evil\u{2028}\u{feff}\u{e0041}\u{200d}é";
        let record = LogRecord { message: text.into(), fields: vec![(text.into(), text.into())], ..record() };
        let line = record.json_line();
        assert!(line.contains(r"\u007f\u009b31m\u202eevil\u2028\ufeff\udb40\udc41"), "{line}");
        assert!(!line.trim_end().chars().any(is_unsafe), "{line}");
        assert_eq!(serde_json::from_str::<LogRecord>(&line).unwrap(), record);
    }

    #[test]
    fn a_stage_that_is_not_there_is_empty() {
        let record = LogRecord { stage: None, fields: vec![], level: Level::TRACE, ..record() };
        let line = record.json_line();
        assert!(line.contains(r#""level":"TRACE","stage":"","#) && line.contains(r#""fields":{}"#), "{line}");
        assert_eq!(serde_json::from_str::<LogRecord>(&line).unwrap(), record);
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let line = record().json_line();
        for (from, to) in
            [("INFO", "LOUD"), ("2026-11-25", "yesterday"), ("\"stage\"", "\"stadium\""), ("\"500\"", "[]")]
        {
            assert!(serde_json::from_str::<LogRecord>(&line.replace(from, to)).is_err(), "{to}");
        }
    }

    #[test]
    fn knows_who_says_it() {
        let of = |stage: Option<&str>, target: &str| {
            LogRecord { stage: stage.map(str::to_owned), target: target.into(), ..record() }.origin().to_owned()
        };
        assert_eq!(of(Some("resolver"), "polytape::stage"), "resolver");
        assert_eq!(of(None, "polytape::headless::heartbeat"), "polytape");
        assert_eq!(of(None, "polytape"), "polytape");
        assert_eq!(of(None, "hyper_util::client"), "hyper_util");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        for (text, cut_to) in [("x", MAX_TEXT), ("é", MAX_TEXT - 1), ("𝄞", MAX_TEXT - 1)] {
            let mut long = record();
            long.message = text.repeat(MAX_TEXT);
            if text == "x" {
                long.message.push('x');
            }
            long.fields[0].1 = text.repeat(2 * MAX_TEXT);
            long.bound();
            assert!(long.message.ends_with(CUT) && long.message.len() <= cut_to, "{}", long.message.len());
            assert!(long.message.len() > MAX_TEXT - 8 && long.fields[0].1.len() <= MAX_TEXT);
            assert_eq!(long.fields[1].1, "1s");
        }
        let mut whole = LogRecord { message: "x".repeat(MAX_TEXT), ..record() };
        let before = whole.clone();
        whole.bound();
        assert_eq!(whole, before);
    }
}
