//! A trade of Goldsky's subgraph: a row of a table of its own, which travels as any trade does.

use super::entry::{Entry, EntryError, RefusedEvent};
use super::{Fill, Trade};

/// A trade that was read from Goldsky's subgraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldskyTrade(pub Trade);

impl GoldskyTrade {
    /// What the source id of its fills begins with; their id there follows.
    pub const PREFIX: &str = "goldsky:";

    /// Whether it is a fill of such a trade.
    pub fn has(fill: &Fill) -> bool {
        fill.source_id.starts_with(Self::PREFIX)
    }
}

impl Entry for GoldskyTrade {
    fn encode(&self) -> Vec<u8> {
        self.0.encode()
    }

    fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        Trade::decode(bytes).map(Self)
    }

    fn decode_all(bytes: &[u8]) -> Result<Vec<Result<Self, RefusedEvent>>, EntryError> {
        Ok(Trade::decode_all(bytes)?.into_iter().map(|trade| trade.map(Self)).collect())
    }
}
