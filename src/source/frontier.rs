//! How far a source can be read.

use std::time::Duration;

use super::position::Position;

/// The newest block that is final: everything up to it can be read and will never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub block: u64,
    /// Its time, in unix seconds. Its age proves that the source is alive: "no new rows" proves nothing.
    pub timestamp: u64,
}

impl Head {
    /// A head that is older than this does not prove that the source is alive. A node without the `finalized` tag is
    /// about two minutes behind by design.
    pub const FRESH: Duration = Duration::from_secs(300);

    /// How old it is at a time since 1970.
    pub const fn age(self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_secs(self.timestamp))
    }
}

/// How far a source can be read now: everything before `end` is there and will never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    /// The position behind the newest of it.
    pub end: Position,
    /// The time of the newest of it, in unix seconds. Its age proves that the source is alive.
    pub timestamp: u64,
    /// What a subgraph says of itself, where it is one.
    pub subgraph: Option<Subgraph>,
}

/// What a subgraph says of itself, and whether its data still grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subgraph {
    /// The newest block that it has indexed.
    pub block: Option<u64>,
    /// That block's time, in unix seconds.
    pub time: Option<u64>,
    /// Some of its handlers failed: rows may be missing or wrong.
    pub has_indexing_errors: bool,
    /// The time of its newest row, in unix seconds, where nothing comes behind it any more although it answers. Everything
    /// there is can have been read then, and still that is not the head of the chain.
    pub frozen_since: Option<u64>,
}

impl Frontier {
    /// Since when nothing new comes, where the source answers and its data has ended.
    pub fn frozen_since(&self) -> Option<u64> {
        self.subgraph?.frozen_since
    }

    /// How old it is at a time since 1970.
    pub const fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_secs(self.timestamp))
    }

    /// The chain's newest final block, where it is one of the chain.
    pub fn head(&self) -> Option<Head> {
        Some(Head { block: self.end.chain()?.block.saturating_sub(1), timestamp: self.timestamp })
    }
}
