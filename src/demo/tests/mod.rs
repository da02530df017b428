//! The demo world against itself, against polytape's decoder, and over the wire.

mod chain;
mod content;
mod goldsky;
mod lies;
mod outside;
mod wire;

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256, hex};
use serde_json::Value;

use super::{World, WorldConfig};
use crate::model::RawLog;

const FIRST: u64 = 90_000_000;

fn world(seed: u64, fills: Option<u64>) -> World {
    World::new(WorldConfig { seed, fills, ..WorldConfig::default() })
}

/// A log as a client reads it, and the block time beside it.
fn read_log(log: &Value) -> (RawLog, u64) {
    let number = |name: &str| u64::from_str_radix(&log[name].as_str().unwrap()[2..], 16).unwrap();
    let raw = RawLog {
        address: log["address"].as_str().unwrap().parse().unwrap(),
        topics: log["topics"].as_array().unwrap().iter().map(|t| t.as_str().unwrap().parse().unwrap()).collect(),
        data: hex::decode(log["data"].as_str().unwrap()).unwrap().into(),
        block_number: number("blockNumber"),
        log_index: number("logIndex").try_into().unwrap(),
        transaction_hash: log["transactionHash"].as_str().unwrap().parse().unwrap(),
    };
    (raw, number("blockTimestamp"))
}

/// `key` of every item, counted.
fn tally<T, K: Ord>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(key(&item)).or_default() += 1;
    }
    counts
}

fn word(token: &str) -> B256 {
    token.parse::<U256>().unwrap().into()
}
