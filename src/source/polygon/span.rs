//! What is to be read, and how far below the head it lies.

use super::config::PolygonConfig;
use crate::model::ChainPosition;

/// What is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: ChainPosition,
    /// The last block.
    pub(super) last: u64,
    /// The newest final block.
    pub(super) head: u64,
}

/// How far below the head a block lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Tip,
    Near,
    Deep,
}

impl Span {
    /// How far below the head it begins.
    pub(super) const fn depth(self, config: &PolygonConfig) -> Depth {
        match self.head.saturating_sub(self.from.block) {
            below if below < config.by_hash_within => Depth::Tip,
            below if below < config.careful_within => Depth::Near,
            _ => Depth::Deep,
        }
    }
}
