//! Where reading markets stands, as it is stored.

use serde::{Deserialize, Serialize};

use crate::streams::error::StageError;

/// `{"step":12,"entries":"9c22ff5f21f0b81b","closed_since":1784965486,"history":{"behind":"MTAw"}}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarketCursor {
    /// Rises with every move, so that a repeated append can be told from a first one.
    pub(crate) step: u64,
    /// A hash of all entries up to this step, so that two ingesters which make different moves write different cursors, and
    /// equal cursors have the same entries before them.
    #[serde(default)]
    pub(crate) entries: String,
    /// Every closing before this time of the source (unix seconds) is in the stream; null until the first ones were read.
    pub(crate) closed_since: Option<u64>,
    /// How far the closed markets of the past have been read.
    pub(crate) history: History,
}

/// A walk through all closed markets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum History {
    /// It has not begun.
    NotBegun,
    /// The next page begins behind this cursor of the source.
    Behind(String),
    /// It came to its end at this time (unix seconds).
    Done(u64),
}

impl MarketCursor {
    /// Where everybody begins.
    pub(crate) const START: Self =
        Self { step: 0, entries: String::new(), closed_since: None, history: History::NotBegun };

    /// The cursor as text.
    pub(crate) fn write(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// The cursor that a text holds; `what` names it in the error.
    pub(crate) fn read(what: &str, text: &str) -> Result<Self, StageError> {
        serde_json::from_str(text).map_err(|_| StageError::Position { what: what.into(), text: text.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let cursor = MarketCursor {
            step: 12,
            entries: "8f".into(),
            closed_since: Some(1_784_965_486),
            history: History::Behind("MTAw".into()),
        };
        let text = r#"{"closed_since":1784965486,"entries":"8f","history":{"behind":"MTAw"},"step":12}"#;
        assert_eq!(cursor.write(), text);
        for cursor in [cursor, MarketCursor::START, MarketCursor { history: History::Done(7), ..MarketCursor::START }] {
            assert_eq!(MarketCursor::read("c", &cursor.write()).unwrap(), cursor);
        }
        for text in ["", "{}", r#"{"block":1,"log_index":0}"#] {
            assert!(MarketCursor::read("c", text).is_err(), "{text}");
        }
    }
}
