//! Samples of what endpoints delivered, which wait to be compared.

use std::collections::{BTreeSet, VecDeque};

use alloy_primitives::B256;

/// So many samples wait at most; further ones are not taken.
const WAITING: usize = 16;

/// What tells a log: its transaction and its index.
pub(super) type Place = (B256, u32);

/// Some blocks as an endpoint delivered them.
#[derive(Debug)]
pub(super) struct Sample {
    /// The endpoint's place in the list.
    pub(super) endpoint: usize,
    pub(super) blocks: Vec<(u64, BTreeSet<Place>)>,
}

/// The samples that wait.
#[derive(Debug, Default)]
pub(super) struct Samples(VecDeque<Sample>);

impl Samples {
    /// Takes one in, if not too many wait.
    pub(super) fn add(&mut self, sample: Sample) {
        if self.0.len() < WAITING {
            self.0.push_back(sample);
        }
    }

    /// The one that waits longest.
    pub(super) fn take(&mut self) -> Option<Sample> {
        self.0.pop_front()
    }
}
