//! The chain of the demo world.

mod block;

use std::{ops::RangeInclusive, sync::OnceLock};

use alloy_primitives::B256;

use crate::demo::ids::{Kind, id};
use crate::demo::{config::WorldConfig, fills::matching, fills::pace::Pace, gamma::Gamma, markets::wallets::Wallets};

pub use self::block::Block;

/// A chain that never was, from its first block on without end.
///
/// Holds no blocks: each is made when it is asked for, and is the same every time.
#[derive(Debug)]
pub struct World {
    config: WorldConfig,
    wallets: Wallets,
    pace: Pace,
    /// Made when it is first asked for: a world of which only the chain is used does without.
    gamma: OnceLock<Gamma>,
}

impl World {
    /// How far the finalized block is behind the newest one.
    pub const FINALITY: u64 = 3;

    /// The world of a configuration. A bounded world looks for its end here, at about a microsecond a block.
    pub fn new(config: WorldConfig) -> Self {
        Self { wallets: Wallets::new(&config), pace: Pace::new(&config), gamma: OnceLock::new(), config }
    }

    /// What it was made from.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// The id of its chain, `0xde30…`, which no other world shares.
    pub fn chain_id(&self) -> u64 {
        self.config.chain_id()
    }

    /// A block. Before the first block there are none: such a block is empty, and a server denies it.
    pub fn block(&self, number: u64) -> Block {
        let fills = self.pace.fills_in(number);
        let events = matching::events(&self.config, &self.wallets, number, fills);
        Block { events, ..self.header(number) }
    }

    /// A block without its events, at no cost.
    pub(in crate::demo) fn header(&self, number: u64) -> Block {
        Block {
            number,
            hash: self.block_hash(number),
            parent_hash: self.block_hash(number.wrapping_sub(1)),
            timestamp: self.timestamp(number),
            events: Vec::new(),
        }
    }

    /// The hash of a block. Its last eight bytes hide the number, so that a block is found by its hash without a list.
    pub(in crate::demo) fn block_hash(&self, number: u64) -> B256 {
        let mut hash = id(self.config.seed, Kind::Block, [number]);
        let masked = number ^ head_of(&hash);
        hash[24..].copy_from_slice(&masked.to_be_bytes());
        hash
    }

    /// The number of the block with a hash, where that is one of this world.
    pub(in crate::demo) fn number_of(&self, hash: &B256) -> Option<u64> {
        let masked = u64::from_be_bytes(hash[24..].try_into().ok()?);
        let number = masked ^ head_of(hash);
        (self.block_hash(number) == *hash).then_some(number)
    }

    /// The hash of a block's transaction.
    pub(in crate::demo) fn transaction(&self, block: u64, index: u64) -> B256 {
        id(self.config.seed, Kind::Transaction, [block, index])
    }

    /// How many transactions a block has: some stand behind those with fills, and some blocks have none at all.
    pub(in crate::demo) fn transactions(&self, block: &Block) -> u64 {
        match block.events.last() {
            Some(last) => last.transaction_index + 3,
            None => u64::from(block.hash[0] % 4),
        }
    }

    /// The newest block at a time; the first one before there was any.
    pub fn head_at(&self, unix_ms: i64) -> u64 {
        let age = i128::from(unix_ms) - i128::from(self.config.genesis_ms);
        let blocks = age.max(0) as u128 * 1_000_000 / self.block_nanos();
        self.config.first_block.saturating_add(u64::try_from(blocks).unwrap_or(u64::MAX))
    }

    /// The newest final block under a head. The first block was always final.
    pub fn finalized(&self, head: u64) -> u64 {
        head.saturating_sub(Self::FINALITY).max(self.config.first_block)
    }

    /// The same where finality moves by so many blocks at once, as milestones do.
    pub fn finalized_in_steps(&self, head: u64, step: u64) -> u64 {
        let last = self.finalized(head);
        (last - last % step.max(1)).max(self.config.first_block)
    }

    /// The last block with fills, where `fills` bounds the world.
    pub fn last_fill_block(&self) -> Option<u64> {
        self.pace.last_block()
    }

    /// The part of a range in which anything can have happened.
    pub(in crate::demo) fn eventful(&self, blocks: RangeInclusive<u64>) -> RangeInclusive<u64> {
        let last = self.last_fill_block().unwrap_or(u64::MAX);
        *blocks.start().max(&self.config.first_block)..=*blocks.end().min(&last)
    }

    pub(in crate::demo) fn wallets(&self) -> &Wallets {
        &self.wallets
    }

    pub(in crate::demo) fn gamma(&self) -> &Gamma {
        self.gamma.get_or_init(|| Gamma::new(&self.config, &self.wallets))
    }

    /// When a block is made, in unix seconds.
    pub(in crate::demo) fn timestamp(&self, number: u64) -> u64 {
        let age_ms = u128::from(number.saturating_sub(self.config.first_block)) * self.block_nanos() / 1_000_000;
        let unix_ms = i128::from(self.config.genesis_ms) + i128::try_from(age_ms).unwrap_or(i128::MAX / 2);
        u64::try_from(unix_ms.div_euclid(1_000)).unwrap_or_default()
    }

    /// The blocks of some seconds. The last is before the first where there are none.
    pub(in crate::demo) fn blocks_in(&self, seconds: RangeInclusive<i64>) -> RangeInclusive<u64> {
        let after = self.first_at(seconds.end().saturating_add(1));
        self.first_at(*seconds.start())..=after.saturating_sub(1)
    }

    /// The first block of a second or a later one.
    fn first_at(&self, second: i64) -> u64 {
        let second = u64::try_from(second).unwrap_or_default();
        let (mut low, mut high) = (self.config.first_block, u64::MAX);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.timestamp(middle) < second { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn block_nanos(&self) -> u128 {
        self.config.block_time.as_nanos().max(1)
    }
}

/// The first eight bytes of a hash, as a number.
fn head_of(hash: &B256) -> u64 {
    u64::from_be_bytes(hash[..8].try_into().unwrap_or_default())
}
