//! Where a reader of the chain stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in the chain's logs: everything before it has been read, nothing at or after it has.
///
/// Written as `{"block":97800001,"log_index":0}`. A log index above 0 stands inside a block, so that a block may be
/// split over several appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainPosition {
    /// The block of the next log to read.
    pub block: u64,
    /// The smallest index, within that block, of the next log to read.
    pub log_index: u32,
}

impl ChainPosition {
    /// The place before the first log of a block.
    pub const fn start_of(block: u64) -> Self {
        Self { block, log_index: 0 }
    }

    /// As it is kept, in cursors, checkpoints and replays.
    pub fn stored(self) -> String {
        let Self { block, log_index } = self;
        format!(r#"{{"block":{block},"log_index":{log_index}}}"#)
    }

    /// The place right behind a log.
    pub const fn after(block: u64, log_index: u32) -> Self {
        match log_index.checked_add(1) {
            Some(log_index) => Self { block, log_index },
            None => Self::start_of(block + 1),
        }
    }
}

impl fmt::Display for ChainPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.block, self.log_index)
    }
}
