//! What decides a demo world.

use std::time::Duration;

use crate::demo::ids::{Kind, id};

/// Everything that a [`World`](super::World) is made from: equal configurations are equal worlds, in every process.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldConfig {
    /// Markets, wallets, orders and amounts follow from it.
    pub seed: u64,
    /// The exact number of good fills, after which blocks stay empty; `None` for a world without end.
    pub fills: Option<u64>,
    /// Mean number of fills in a second of block time.
    pub rate: f64,
    /// Time between two blocks. Below a second, several blocks share a timestamp.
    pub block_time: Duration,
    /// The first block that exists.
    pub first_block: u64,
    /// The time of the first block, in unix milliseconds.
    pub genesis_ms: i64,
    /// Whether about one log in 1,500 is broken.
    pub bad_logs: bool,
    /// Every so many blocks a new market of the series is born; 0 for a world without a series.
    pub market_period: u64,
    /// Whether some elements of Gamma's listings are broken.
    pub bad_markets: bool,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            seed: 42,
            fills: None,
            rate: 60.0,
            block_time: Duration::from_millis(1_500),
            first_block: 90_000_000,
            genesis_ms: 1_767_225_600_000, // 2026-01-01T00:00:00Z
            bad_logs: true,
            market_period: 400,
            bad_markets: true,
        }
    }
}

/// The leading digits of every demo chain id in hex; Polygon's own is 137.
const CHAIN_PREFIX: u64 = 0xde30;

impl WorldConfig {
    /// Whether a world's name (`chain:<id>`) is that of some demo world.
    pub fn is_demo_world(world: &str) -> bool {
        let id = world.strip_prefix("chain:").and_then(|id| id.parse::<u64>().ok());
        id.is_some_and(|id| id >> 36 == CHAIN_PREFIX)
    }

    /// `0xde30` and 36 bits of a hash of everything above: exact as a JSON number, and a store that was filled from
    /// another world is told apart.
    pub(super) fn chain_id(&self) -> u64 {
        let Self { seed, fills, rate, block_time, first_block, genesis_ms, bad_logs, market_period, bad_markets } =
            self;
        let parts = [
            u64::from(fills.is_some()),
            fills.unwrap_or_default(),
            rate.to_bits(),
            block_time.as_secs(),
            u64::from(block_time.subsec_nanos()),
            *first_block,
            genesis_ms.cast_unsigned(),
            u64::from(*bad_logs),
            *market_period,
            u64::from(*bad_markets),
        ];
        let hash = id(*seed, Kind::World, parts);
        let low = hash[..8].iter().fold(0u64, |value, byte| (value << 8) | u64::from(*byte)) >> 28;
        (CHAIN_PREFIX << 36) | low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_makes_another_chain() {
        let base = WorldConfig::default();
        let others = [
            WorldConfig { seed: 43, ..base.clone() },
            WorldConfig { fills: Some(0), ..base.clone() },
            WorldConfig { fills: Some(1), ..base.clone() },
            WorldConfig { rate: 61.0, ..base.clone() },
            WorldConfig { block_time: Duration::from_millis(500), ..base.clone() },
            WorldConfig { first_block: 1, ..base.clone() },
            WorldConfig { genesis_ms: 0, ..base.clone() },
            WorldConfig { bad_logs: false, ..base.clone() },
            WorldConfig { market_period: 100, ..base.clone() },
            WorldConfig { bad_markets: false, ..base.clone() },
            base.clone(),
        ];
        let ids: std::collections::BTreeSet<_> = others.iter().map(WorldConfig::chain_id).collect();
        assert_eq!(ids.len(), others.len());
        for id in ids {
            assert_eq!(id >> 36, CHAIN_PREFIX);
            assert!(id < 1 << 53, "exact as a JSON number");
            assert!(WorldConfig::is_demo_world(&format!("chain:{id}")));
        }
        assert!(["chain:137", "chain:x", "", "137"].iter().all(|world| !WorldConfig::is_demo_world(world)));
    }
}
