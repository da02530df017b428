//! What the tables must hold: made from the intents, without any of polytape's own reading of logs.

use std::ops::RangeInclusive;

use alloy_primitives::{Address, B256, keccak256};
use serde::{Serialize, Serializer};

use crate::demo::fills::matching::{Event, Intent};
use crate::demo::trade_row::{Price, TradeRow};
use crate::demo::world::{Block, World};
use crate::demo::{chain::render, markets::wallets::Wallets};
use crate::model::{Exchange, Side};

/// What a range of blocks must leave behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// The rows of `trades`, sorted.
    pub trades: Vec<TradeRow>,
    /// The rows of `dead_letters`, in the order of the chain.
    pub dead_letters: Vec<DeadLetterRow>,
}

/// One row of `dead_letters`, without the wording of its reason and the time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DeadLetterRow {
    /// `polygon` or `gamma`
    pub source: String,
    /// `<transaction hash>:<log index>` or `keccak:<hash of raw>`
    pub position: String,
    /// `ingest-fills` or `ingest-markets`
    pub stage: String,
    /// The log's JSON as it is served, with the block's time, or that of the element of a listing.
    #[serde(serialize_with = "as_text")]
    pub raw: Vec<u8>,
}

impl DeadLetterRow {
    /// The row of an element of a listing of markets.
    pub(in crate::demo) fn of_gamma(json: &str) -> Self {
        Self {
            source: "gamma".into(),
            position: format!("keccak:{:#x}", keccak256(json)),
            stage: "ingest-markets".into(),
            raw: json.into(),
        }
    }
}

/// Bytes for a reader: what is no text is shown as such.
fn as_text<S: Serializer>(raw: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(raw))
}

impl World {
    /// What these blocks must leave in the tables where the chain alone is asked, and nobody about markets.
    pub fn truth(&self, blocks: RangeInclusive<u64>) -> Truth {
        let mut truth = Truth::default();
        for number in self.eventful(blocks) {
            truth.add(self.wallets(), &self.block(number));
        }
        truth
    }
}

impl Truth {
    pub(in crate::demo) fn add(&mut self, wallets: &Wallets, block: &Block) {
        for event in &block.events {
            if event.intent.defect.is_some() {
                self.dead_letters.push(dead_letter(wallets, block, event));
            } else {
                self.trades.push(trade(wallets, block, event));
            }
        }
    }
}

pub(in crate::demo) fn dead_letter(wallets: &Wallets, block: &Block, event: &Event) -> DeadLetterRow {
    let mut raw = Vec::new();
    render::log(&mut raw, wallets, block, event, true);
    DeadLetterRow {
        source: "polygon".into(),
        position: format!("{}:{}", hash(event.transaction_hash), event.log_index),
        stage: "ingest-fills".into(),
        raw,
    }
}

/// The row of a fill, as the chain alone tells it.
pub(in crate::demo) fn trade(wallets: &Wallets, block: &Block, event: &Event) -> TradeRow {
    let intent = &event.intent;
    let market = wallets.market(intent.market);
    let token = &market.tokens[intent.outcome];
    let (maker_direction, taker_direction) = match intent.side {
        Side::Buy => ("BUY", "SELL"),
        Side::Sell => ("SELL", "BUY"),
    };
    let (condition_id, outcome, version) = match &token.known {
        Some(known) => (known.condition_id.as_str(), known.outcome, 1),
        None => ("", "", 0),
    };
    TradeRow {
        timestamp: block.timestamp.cast_signed(),
        block_number: block.number.cast_signed(),
        log_index: event.log_index.cast_signed(),
        transaction_hash: hash(event.transaction_hash),
        order_hash: hash(intent.order_hash),
        source_id: String::new(),
        exchange: exchange(intent.exchange).into(),
        token_id: token.decimal.clone(),
        condition_id: condition_id.into(),
        market_id: String::new(),
        outcome: outcome.into(),
        nonusdc_side: String::new(),
        maker: address(intent.maker),
        taker: address(intent.taker),
        maker_direction: maker_direction.into(),
        taker_direction: taker_direction.into(),
        price: (intent.shares > 0).then(|| Price::new(intent.usd as f64 / intent.shares as f64)),
        usd_amount: six_places(intent.usd),
        token_amount: six_places(intent.shares),
        fee_amount: six_places(intent.fee),
        fee_unit: fee_unit(intent).into(),
        is_taker_row: intent.taker == intent.exchange.address(),
        version,
        match_log_index: end_of_match(block, event).map(|row| row.log_index.cast_signed()),
        // The tokens of a market are in the order of the chain here.
        outcome_slot: token.known.as_ref().map(|_| intent.outcome as i64),
    }
}

/// The row of the taker order of the match that a fill is of.
fn end_of_match<'a>(block: &'a Block, of: &Event) -> Option<&'a Event> {
    let is_end = |event: &&Event| event.group == of.group && event.intent.defect.is_none() && event.is_taker_row();
    block.events.iter().find(is_end)
}

fn exchange(exchange: Exchange) -> &'static str {
    match exchange {
        Exchange::CtfV1 => "ctf_v1",
        Exchange::NegRiskV1 => "neg_risk_v1",
        Exchange::CtfV2 => "ctf_v2",
        Exchange::NegRiskV2 => "neg_risk_v2",
        Exchange::V3 => "v3",
    }
}

fn fee_unit(intent: &Intent) -> &'static str {
    match (intent.exchange, intent.side) {
        (Exchange::CtfV1 | Exchange::NegRiskV1, Side::Buy) => "shares",
        _ => "usd",
    }
}

fn hash(hash: B256) -> String {
    format!("{hash:#x}")
}

fn address(address: Address) -> String {
    format!("{address:#x}")
}

fn six_places(micros: u128) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
