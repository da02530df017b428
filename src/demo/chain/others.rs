//! The logs of a block that are no fills: those between them, and those by which an exchange surprises.
//!
//! No truth knows them. Those between the fills fill the gaps of their indexes, as transfers and `OrdersMatched` do.

use alloy_primitives::{Address, B256, address, b256};

use crate::demo::ids::{Kind, id};
use crate::demo::world::{Block, World};
use crate::demo::{faults::Faults, fills::matching::Event};
use crate::model::{Exchange, Layout};

/// `OrdersMatched`, which repeats the row of a match's taker, by layout.
const ORDERS_MATCHED_V1: B256 = b256!("63bf4d16b7fa898ef4c4b2b6d90fd201e9c56313b65638af6088d149d2ce956c");
const ORDERS_MATCHED_V2: B256 = b256!("174b3811690657c217184f89418266767c87e4805d09680c39fc9c031c0cab7c");
/// `Transfer(address,address,uint256)`
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `Upgraded(address)`, which a proxy emits when its implementation is replaced.
const UPGRADED: B256 = b256!("bc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b");
/// A token that is transferred.
const COLLATERAL: Address = address!("2791Bca1f2de4661ED88A30C99A7a9449Aa84174");

/// A log that is no fill.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Other {
    pub(in crate::demo) address: Address,
    pub(in crate::demo) topics: Vec<B256>,
    /// How many words of data it has.
    pub(in crate::demo) words: usize,
    pub(in crate::demo) transaction_hash: B256,
    pub(in crate::demo) transaction_index: u64,
    pub(in crate::demo) log_index: u64,
}

/// The logs that stand between the fills of a block.
pub(in crate::demo) fn between(block: &Block) -> Vec<Other> {
    let mut others = Vec::new();
    let (mut free, mut last): (u64, Option<&Event>) = (0, None);
    for event in &block.events {
        for log_index in free..event.log_index {
            let matched = last.filter(|last| last.is_taker_row() && last.log_index + 1 == log_index);
            others.push(match matched {
                Some(last) => orders_matched(last, log_index),
                None => transfer(event, log_index),
            });
        }
        (free, last) = (event.log_index + 1, Some(event));
    }
    others
}

/// The logs by which an exchange surprises: `Upgraded`, and events that nobody knows.
pub(in crate::demo) fn surprises(world: &World, block: &Block, faults: &Faults) -> Vec<Other> {
    let seed = world.config().seed;
    let mut topics = Vec::new();
    if faults.upgraded_at == Some(block.number) {
        let implementation = id(seed, Kind::Wallet, [block.number, 1]);
        topics.push((vec![UPGRADED, Address::from_slice(&implementation[12..]).into_word()], 0));
    }
    if faults.unknown_layout_every.is_some_and(|every| block.number.is_multiple_of(every.max(1))) {
        // It is as a fill is, under another signature.
        let part = |part| id(seed, Kind::Order, [block.number, part, 0, 0, 0, 0]);
        topics.push((vec![id(seed, Kind::Signature, []), part(1), part(2), part(3)], 8));
    }
    let Some(transaction_index) = world.transactions(block).checked_sub(1) else { return Vec::new() };
    let next = block.events.last().map_or(0, |event| event.log_index + 1);
    let other = |((topics, words), log_index)| Other {
        address: Exchange::V3.address(),
        topics,
        words,
        transaction_hash: world.transaction(block.number, transaction_index),
        transaction_index,
        log_index,
    };
    topics.into_iter().zip(next..).map(other).collect()
}

fn orders_matched(taker: &Event, log_index: u64) -> Other {
    let signature = match taker.intent.exchange.layout() {
        Layout::V1 => ORDERS_MATCHED_V1,
        Layout::V2 => ORDERS_MATCHED_V2,
    };
    Other {
        address: taker.intent.exchange.address(),
        topics: vec![signature, taker.intent.order_hash, taker.intent.maker.into_word()],
        words: 4,
        transaction_hash: taker.transaction_hash,
        transaction_index: taker.transaction_index,
        log_index,
    }
}

fn transfer(event: &Event, log_index: u64) -> Other {
    Other {
        address: COLLATERAL,
        topics: vec![TRANSFER, event.intent.maker.into_word(), event.intent.taker.into_word()],
        words: 1,
        transaction_hash: event.transaction_hash,
        transaction_index: event.transaction_index,
        log_index,
    }
}
