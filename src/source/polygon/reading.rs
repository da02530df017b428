//! What an endpoint said of some blocks, as far as it is settled.

use super::{block::Block, log::ReadLog};

/// What an endpoint said of some blocks, as far as it is settled.
#[derive(Debug)]
pub(super) struct Read {
    /// The last block that it covers.
    pub(super) to: u64,
    /// The blocks that hold logs, in order.
    pub(super) blocks: Vec<Block>,
    /// Logs that do not say in which block they are.
    pub(super) unplaced: Vec<ReadLog>,
    /// Whether many blocks, up to the last one, are only said to hold nothing.
    pub(super) empty_behind: bool,
}

impl Read {
    /// How many logs there are.
    pub(super) fn rows(&self) -> usize {
        self.unplaced.len() + self.blocks.iter().map(|block| block.logs.len()).sum::<usize>()
    }

    /// How many of them cannot be read.
    pub(super) fn garbled(&self) -> usize {
        self.unplaced.len() + self.blocks.iter().map(Block::garbled).sum::<usize>()
    }

    /// Whether nothing is doubtful about it.
    pub(super) fn is_whole(&self) -> bool {
        !self.empty_behind && self.garbled() == 0
    }

    /// In words, for a range that began at a block.
    pub(super) fn what_is_doubtful(&self, from: u64) -> String {
        match self.garbled() {
            0 => {
                let begin = self.blocks.last().map_or(from, |block| block.header.number + 1);
                format!("it has nothing from {begin} to {}", self.to)
            }
            garbled => format!("{garbled} logs from {from} to {} cannot be read", self.to),
        }
    }
}
