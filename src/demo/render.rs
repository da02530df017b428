//! Writes the answers of a node: logs and headers, in the shape of real ones.
//!
//! JSON is written straight into the buffer: a block has a hundred logs, a benchmark a million.

use alloy_primitives::{Address, B256, hex};

use super::cast::Cast;
use super::matching::{Defect, Event, Intent};
use super::others::Other;
use super::world::Block;
use crate::model::{Layout, ORDER_FILLED_V1, ORDER_FILLED_V2, Side};

/// What a builder's code looks like in the demo world.
const BUILDER: [u8; 32] = *b"polytape demo builder code\0\0\0\0\0\0";

/// The topics of an event: signature, order, maker, taker.
pub(super) fn topics(intent: &Intent) -> [B256; 4] {
    let signature = match intent.exchange.layout() {
        Layout::V1 => ORDER_FILLED_V1,
        Layout::V2 => ORDER_FILLED_V2,
    };
    [signature, intent.order_hash, intent.maker.into_word(), intent.taker.into_word()]
}

/// Where a log says that it stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) block: &'a Block,
    pub(super) transaction_hash: &'a B256,
    pub(super) transaction_index: u64,
    pub(super) log_index: u64,
    /// The time of its block. Not every provider tells it.
    pub(super) timestamp: Option<u64>,
}

/// One log as `eth_getLogs` gives it.
pub(super) fn log(out: &mut Vec<u8>, cast: &Cast, block: &Block, event: &Event, block_timestamp: bool) {
    let place = Place {
        block,
        transaction_hash: &event.transaction_hash,
        transaction_index: event.transaction_index,
        log_index: event.log_index,
        timestamp: block_timestamp.then_some(block.timestamp),
    };
    fill(out, cast, &event.intent, place);
}

/// A fill's log, at a place.
pub(super) fn fill(out: &mut Vec<u8>, cast: &Cast, intent: &Intent, place: Place<'_>) {
    head(out, intent.exchange.address(), &topics(intent));
    data(out, cast, intent);
    tail(out, place);
}

/// A log that is no fill, at a place.
pub(super) fn other(out: &mut Vec<u8>, other: &Other, place: Place<'_>) {
    head(out, other.address, &other.topics);
    for word in 0..other.words {
        out.extend_from_slice(hex::Buffer::<32>::new().format(&number(word as u128 + 1)).as_bytes());
    }
    tail(out, place);
}

fn head(out: &mut Vec<u8>, emitter: Address, topics: &[B256]) {
    out.extend_from_slice(b"{\"address\":\"");
    address(out, emitter);
    out.extend_from_slice(b"\",\"topics\":[");
    for (place, topic) in topics.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"\"" } else { b",\"" });
        hash(out, topic);
        out.push(b'"');
    }
    out.extend_from_slice(b"],\"data\":\"0x");
}

fn tail(out: &mut Vec<u8>, place: Place<'_>) {
    out.extend_from_slice(b"\",\"blockNumber\":\"");
    quantity(out, place.block.number);
    out.extend_from_slice(b"\",\"transactionHash\":\"");
    hash(out, place.transaction_hash);
    out.extend_from_slice(b"\",\"transactionIndex\":\"");
    quantity(out, place.transaction_index);
    out.extend_from_slice(b"\",\"blockHash\":\"");
    hash(out, &place.block.hash);
    if let Some(timestamp) = place.timestamp {
        out.extend_from_slice(b"\",\"blockTimestamp\":\"");
        quantity(out, timestamp);
    }
    out.extend_from_slice(b"\",\"logIndex\":\"");
    quantity(out, place.log_index);
    out.extend_from_slice(b"\",\"removed\":false}");
}

/// A header as `eth_getBlockByNumber` gives it, without the fields that nobody reads.
pub(super) fn header(out: &mut Vec<u8>, block: &Block, transactions: impl Iterator<Item = B256>) {
    out.extend_from_slice(b"{\"number\":\"");
    quantity(out, block.number);
    out.extend_from_slice(b"\",\"hash\":\"");
    hash(out, &block.hash);
    out.extend_from_slice(b"\",\"parentHash\":\"");
    hash(out, &block.parent_hash);
    out.extend_from_slice(b"\",\"timestamp\":\"");
    quantity(out, block.timestamp);
    out.extend_from_slice(b"\",\"transactions\":[");
    for (place, transaction) in transactions.enumerate() {
        out.extend_from_slice(if place == 0 { b"\"" } else { b",\"" });
        hash(out, &transaction);
        out.push(b'"');
    }
    out.extend_from_slice(b"]}");
}

/// A receipt up to the beginning of its list of logs.
pub(super) fn receipt_head(out: &mut Vec<u8>, block: &Block, transaction: &B256, index: u64) {
    out.extend_from_slice(b"{\"type\":\"0x2\",\"status\":\"0x1\",\"transactionHash\":\"");
    hash(out, transaction);
    out.extend_from_slice(b"\",\"transactionIndex\":\"");
    quantity(out, index);
    out.extend_from_slice(b"\",\"blockHash\":\"");
    hash(out, &block.hash);
    out.extend_from_slice(b"\",\"blockNumber\":\"");
    quantity(out, block.number);
    out.extend_from_slice(b"\",\"logs\":[");
}

/// A number as JSON-RPC writes it: `0x`, no leading zeros.
pub(super) fn quantity(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(b"0x");
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(number >> (place * 4) & 0xf) as usize]);
    }
}

pub(super) fn hash(out: &mut Vec<u8>, hash: &B256) {
    out.extend_from_slice(hex::Buffer::<32, true>::new().format(&hash.0).as_bytes());
}

fn address(out: &mut Vec<u8>, address: Address) {
    out.extend_from_slice(hex::Buffer::<20, true>::new().format(&address.0.0).as_bytes());
}

/// The unindexed arguments, broken where the intent says so.
fn data(out: &mut Vec<u8>, cast: &Cast, intent: &Intent) {
    let (give, take) = match intent.side {
        Side::Buy => (intent.usd, intent.shares),
        Side::Sell => (intent.shares, intent.usd),
    };
    let give = if intent.defect == Some(Defect::HugeAmount) { 10u128.pow(38) + give } else { give };
    let token = match intent.defect {
        Some(Defect::NoToken) => [0; 32],
        _ => cast.market(intent.market).tokens[intent.outcome].word,
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
