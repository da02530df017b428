//! A block of the demo world.

use alloy_primitives::B256;

use crate::demo::fills::matching::Event;

/// One block of a [`World`](super::World).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// The hash of the block before it.
    pub parent_hash: B256,
    /// Unix seconds.
    pub timestamp: u64,
    pub(in crate::demo) events: Vec<Event>,
}

impl Block {
    /// How many logs it has, broken ones included.
    pub fn logs(&self) -> usize {
        self.events.len()
    }

    /// How many fills it has.
    pub fn fills(&self) -> usize {
        self.events.iter().filter(|event| event.intent.defect.is_none()).count()
    }
}
