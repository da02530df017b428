//! One line of a file.

use crate::logs::LogRecord;

/// A line without its end, and what it says, where that can be read.
pub(super) struct Line {
    pub(super) raw: Vec<u8>,
    pub(super) record: Option<LogRecord>,
}

impl Line {
    /// Reads it. A line that is no record stays what it is.
    pub(super) fn new(raw: Vec<u8>) -> Self {
        Self { record: serde_json::from_slice(&raw).ok(), raw }
    }
}
