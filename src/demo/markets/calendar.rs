//! When blocks are: the demo world's only clock is the number of a block.

use crate::demo::config::WorldConfig;

/// The times of blocks, which are named by their distance from the first one. Before it there is time, but no chain:
/// markets may be older than the world.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) struct Calendar {
    first_block: u64,
    genesis_ms: i64,
    block_nanos: i128,
}

impl Calendar {
    pub(in crate::demo) fn new(config: &WorldConfig) -> Self {
        let block_nanos = i128::try_from(config.block_time.as_nanos().max(1)).unwrap_or(i128::MAX);
        Self { first_block: config.first_block, genesis_ms: config.genesis_ms, block_nanos }
    }

    /// How far a block is behind the first one.
    pub(in crate::demo) fn offset(&self, block: u64) -> i64 {
        block.cast_signed().saturating_sub(self.first_block.cast_signed())
    }

    /// When the block at an offset is made, in unix microseconds.
    pub(in crate::demo) fn micros(&self, offset: i64) -> i64 {
        let age = i128::from(offset).saturating_mul(self.block_nanos).div_euclid(1_000);
        let time = i128::from(self.genesis_ms) * 1_000 + age;
        i64::try_from(time).unwrap_or(if time < 0 { i64::MIN } else { i64::MAX })
    }
}
