//! What a process knows of the streams beside the file.

use std::collections::HashMap;

use super::ledger::Ledger;
use crate::broker::{error::BrokerError, error::Result, stream::Stream};

/// What the file does not hold: which session was joined, and the ledgers of its streams.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) generation: Option<String>,
    pub(super) streams: HashMap<Stream, Ledger>,
    /// How many readers there have been, of all groups and sessions.
    pub(super) tokens: u64,
}

impl Shared {
    pub(super) fn ledger(&mut self, stream: &Stream) -> Result<&mut Ledger> {
        self.streams.get_mut(stream).ok_or_else(|| BrokerError::Lost(format!("{stream} is gone")))
    }
}
