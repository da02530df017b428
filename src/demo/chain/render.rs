//! Writes the answers of a node: logs and headers, in the shape of real ones.
//!
//! JSON is written straight into the buffer: a block has a hundred logs, a benchmark a million.

use std::io::Write as _;

use alloy_primitives::{Address, B256, hex};

use super::others::Other;
use crate::demo::fills::matching::{Defect, Event, Intent};
use crate::demo::{markets::wallets::Wallets, world::Block};
use crate::model::{Layout, ORDER_FILLED_V1, ORDER_FILLED_V2, Side};

/// What a builder's code looks like in the demo world.
const BUILDER: [u8; 32] = *b"polytape demo builder code\0\0\0\0\0\0";

/// The topics of an event: signature, order, maker, taker.
pub(in crate::demo) fn topics(intent: &Intent) -> [B256; 4] {
    let signature = match intent.exchange.layout() {
        Layout::V1 => ORDER_FILLED_V1,
        Layout::V2 => ORDER_FILLED_V2,
    };
    [signature, intent.order_hash, intent.maker.into_word(), intent.taker.into_word()]
}

/// Where a log says that it stands.
#[derive(Clone, Copy)]
pub(in crate::demo) struct Place<'a> {
    pub(in crate::demo) block: &'a Block,
    pub(in crate::demo) transaction_hash: &'a B256,
    pub(in crate::demo) transaction_index: u64,
    pub(in crate::demo) log_index: u64,
    /// The time of its block. Not every provider tells it.
    pub(in crate::demo) timestamp: Option<u64>,
}

/// One log as `eth_getLogs` gives it.
pub(in crate::demo) fn log(out: &mut Vec<u8>, wallets: &Wallets, block: &Block, event: &Event, block_timestamp: bool) {
    let place = Place {
        block,
        transaction_hash: &event.transaction_hash,
        transaction_index: event.transaction_index,
        log_index: event.log_index,
        timestamp: block_timestamp.then_some(block.timestamp),
    };
    fill(out, wallets, &event.intent, place);
}

/// A fill's log, at a place.
pub(in crate::demo) fn fill(out: &mut Vec<u8>, wallets: &Wallets, intent: &Intent, place: Place<'_>) {
    head(out, intent.exchange.address(), &topics(intent));
    data(out, wallets, intent);
    tail(out, place);
}

/// A log that is no fill, at a place.
pub(in crate::demo) fn other(out: &mut Vec<u8>, other: &Other, place: Place<'_>) {
    head(out, other.address, &other.topics);
    for word in 0..other.words {
        out.extend_from_slice(hex::Buffer::<32>::new().format(&number(word as u128 + 1)).as_bytes());
    }
    tail(out, place);
}

fn head(out: &mut Vec<u8>, emitter: Address, topics: &[B256]) {
    let _ = write!(out, r#"{{"address":"{emitter:#x}","topics":["#);
    hashes(out, topics.iter().copied());
    out.extend_from_slice(br#"],"data":"0x"#);
}

fn hashes(out: &mut Vec<u8>, hashes: impl Iterator<Item = B256>) {
    for (place, hash) in hashes.enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let _ = write!(out, r#"{comma}"{hash:#x}""#);
    }
}

fn tail(out: &mut Vec<u8>, place: Place<'_>) {
    let Place { block: Block { number, hash, .. }, transaction_hash, transaction_index, log_index, timestamp } = place;
    let _ = write!(out, r#"","blockNumber":"{number:#x}","transactionHash":"{transaction_hash:#x}","#);
    let _ = write!(out, r#""transactionIndex":"{transaction_index:#x}","blockHash":"{hash:#x}""#);
    if let Some(timestamp) = timestamp {
        let _ = write!(out, r#","blockTimestamp":"{timestamp:#x}""#);
    }
    let _ = write!(out, r#","logIndex":"{log_index:#x}","removed":false}}"#);
}

/// A header as `eth_getBlockByNumber` gives it, without the fields that nobody reads.
pub(in crate::demo) fn header(out: &mut Vec<u8>, block: &Block, transactions: impl Iterator<Item = B256>) {
    let Block { number, hash, parent_hash, timestamp, .. } = block;
    let _ = write!(out, r#"{{"number":"{number:#x}","hash":"{hash:#x}","parentHash":"{parent_hash:#x}","#);
    let _ = write!(out, r#""timestamp":"{timestamp:#x}","transactions":["#);
    hashes(out, transactions);
    out.extend_from_slice(b"]}");
}

/// A receipt up to the beginning of its list of logs.
pub(in crate::demo) fn receipt_head(out: &mut Vec<u8>, block: &Block, transaction: &B256, index: u64) {
    let Block { number, hash, .. } = block;
    let _ = write!(out, r#"{{"type":"0x2","status":"0x1","transactionHash":"{transaction:#x}","#);
    let _ = write!(out, r#""transactionIndex":"{index:#x}","blockHash":"{hash:#x}","#);
    let _ = write!(out, r#""blockNumber":"{number:#x}","logs":["#);
}

/// The unindexed arguments, broken where the intent says so.
fn data(out: &mut Vec<u8>, wallets: &Wallets, intent: &Intent) {
    let (give, take) = match intent.side {
        Side::Buy => (intent.usd, intent.shares),
        Side::Sell => (intent.shares, intent.usd),
    };
    let give = if intent.defect == Some(Defect::HugeAmount) { 10u128.pow(38) + give } else { give };
    let token = match intent.defect {
        Some(Defect::NoToken) => [0; 32],
        _ => wallets.market(intent.market).tokens[intent.outcome].word,
    };
    let amounts = [number(give), number(take), number(intent.fee)];
    match intent.exchange.layout() {
        Layout::V1 => {
            let assets = match intent.side {
                Side::Buy => [number(0), token],
                Side::Sell => [token, number(0)],
            };
            words(out, intent, &[assets[0], assets[1], amounts[0], amounts[1], amounts[2]]);
        }
        Layout::V2 => {
            let side = match (intent.defect, intent.side) {
                (Some(Defect::UnknownSide), _) => 2,
                (_, Side::Buy) => 0,
                (_, Side::Sell) => 1,
            };
            let builder = if intent.tagged { BUILDER } else { [0; 32] };
            words(out, intent, &[number(side), token, amounts[0], amounts[1], amounts[2], builder, [0; 32]]);
        }
    }
}

fn words(out: &mut Vec<u8>, intent: &Intent, words: &[[u8; 32]]) {
    let cut = usize::from(intent.defect == Some(Defect::CutData));
    for word in &words[..words.len() - cut] {
        out.extend_from_slice(hex::Buffer::<32>::new().format(word).as_bytes());
    }
}

/// An unsigned number as an ABI word.
fn number(value: u128) -> [u8; 32] {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&value.to_be_bytes());
    word
}
