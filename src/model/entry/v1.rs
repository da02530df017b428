//! Version 1 of every entry. These shapes are on disk: never change them, add a version.

use alloy_primitives::U256;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::error::EntryError;
use crate::model::{self, Amount, ConditionId, Event, Exchange, NonUsdcSide, RawJson, Resolution, Side, TokenId};

/// The version byte.
pub(in crate::model) const VERSION: u8 = 1;

/// The version byte and the body.
#[allow(clippy::expect_used, reason = "numbers, bytes and text into memory: postcard has nothing to refuse")]
pub(in crate::model) fn write<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.push(VERSION);
    postcard::to_extend(value, bytes).expect("memory takes every byte")
}

/// The body, which must be used up.
pub(in crate::model) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, EntryError> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(EntryError::Malformed(format!("{} bytes too many", rest.len()))),
        Err(error) => Err(EntryError::Malformed(error.to_string())),
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Fill {
    block_number: u64,
    log_index: u32,
    timestamp: u64,
    transaction_hash: [u8; 32],
    source_id: String,
    order_hash: [u8; 32],
    /// 0 where the source does not tell it.
    exchange: u8,
    token_id: [u8; 32],
    maker: [u8; 20],
    taker: [u8; 20],
    sell: bool,
    usd: u128,
    shares: u128,
    fee: u128,
}

impl From<&model::Fill> for Fill {
    fn from(fill: &model::Fill) -> Self {
        Self {
            block_number: fill.block_number,
            log_index: fill.log_index,
            timestamp: fill.timestamp,
            transaction_hash: fill.transaction_hash.0,
            source_id: fill.source_id.clone(),
            order_hash: fill.order_hash.0,
            exchange: exchange_number(fill.exchange),
            token_id: fill.token_id.0.to_be_bytes(),
            maker: fill.maker.into_array(),
            taker: fill.taker.into_array(),
            sell: fill.side == Side::Sell,
            usd: fill.usd.micros(),
            shares: fill.shares.micros(),
            fee: fill.fee.micros(),
        }
    }
}

/// The number of an exchange, 0 where the source does not tell it.
pub(super) const fn exchange_number(exchange: Option<Exchange>) -> u8 {
    match exchange {
        None => 0,
        Some(Exchange::CtfV1) => 1,
        Some(Exchange::NegRiskV1) => 2,
        Some(Exchange::CtfV2) => 3,
        Some(Exchange::NegRiskV2) => 4,
        Some(Exchange::V3) => 5,
    }
}

pub(super) const fn exchange_of(number: u8) -> Result<Option<Exchange>, EntryError> {
    Ok(match number {
        0 => None,
        1 => Some(Exchange::CtfV1),
        2 => Some(Exchange::NegRiskV1),
        3 => Some(Exchange::CtfV2),
        4 => Some(Exchange::NegRiskV2),
        5 => Some(Exchange::V3),
        _ => return Err(EntryError::OutOfRange("exchange")),
    })
}

impl TryFrom<Fill> for model::Fill {
    type Error = EntryError;

    fn try_from(fill: Fill) -> Result<Self, EntryError> {
        let amount = |name, micros| Amount::from_micros(micros).map_err(|_| EntryError::OutOfRange(name));
        Ok(Self {
            block_number: fill.block_number,
            log_index: fill.log_index,
            timestamp: fill.timestamp,
            transaction_hash: fill.transaction_hash.into(),
            source_id: fill.source_id,
            order_hash: fill.order_hash.into(),
            exchange: exchange_of(fill.exchange)?,
            token_id: TokenId(U256::from_be_bytes(fill.token_id)),
            maker: fill.maker.into(),
            taker: fill.taker.into(),
            side: if fill.sell { Side::Sell } else { Side::Buy },
            usd: amount("usd amount", fill.usd)?,
            shares: amount("share amount", fill.shares)?,
            fee: amount("fee", fill.fee)?,
            // This version does not carry them: what went through it has lost them.
            match_log_index: None,
            outcome_slot: None,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Trade {
    fill: Fill,
    resolution: Resolved,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Resolved {
    Unknown,
    Token { condition_id: String, outcome: String },
    Market { condition_id: String, outcome: String, market_id: String, side: u8 },
}

impl From<&model::Trade> for Trade {
    fn from(trade: &model::Trade) -> Self {
        Self { fill: (&trade.fill).into(), resolution: (&trade.resolution).into() }
    }
}

impl From<&Resolution> for Resolved {
    fn from(resolution: &Resolution) -> Self {
        match resolution {
            Resolution::Unknown => Self::Unknown,
            Resolution::Token { condition_id, outcome } => {
                Self::Token { condition_id: condition_id.to_string(), outcome: outcome.to_string() }
            }
            Resolution::Market { condition_id, outcome, market_id, side } => {
                let [condition_id, outcome, market_id] = [condition_id, outcome, market_id].map(ToString::to_string);
                Self::Market { condition_id, outcome, market_id, side: side.0 }
            }
        }
    }
}

impl From<Resolved> for Resolution {
    fn from(resolved: Resolved) -> Self {
        match resolved {
            Resolved::Unknown => Self::Unknown,
            Resolved::Token { condition_id, outcome } => {
                Self::Token { condition_id: condition_id.into(), outcome: outcome.into() }
            }
            Resolved::Market { condition_id, outcome, market_id, side } => {
                let [condition_id, outcome, market_id] = [condition_id, outcome, market_id].map(Into::into);
                Self::Market { condition_id, outcome, market_id, side: NonUsdcSide(side) }
            }
        }
    }
}

impl TryFrom<Trade> for model::Trade {
    type Error = EntryError;

    fn try_from(trade: Trade) -> Result<Self, EntryError> {
        Ok(Self { fill: trade.fill.try_into()?, resolution: trade.resolution.into() })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct DeadLetter {
    source: String,
    position: String,
    stage: String,
    reason: String,
    raw: Vec<u8>,
    first_seen: i64,
}

impl From<&model::DeadLetter> for DeadLetter {
    fn from(letter: &model::DeadLetter) -> Self {
        let model::DeadLetter { source, position, stage, reason, raw, first_seen } = letter.clone();
        Self { source, position, stage, reason, raw, first_seen }
    }
}

impl TryFrom<DeadLetter> for model::DeadLetter {
    type Error = EntryError;

    fn try_from(letter: DeadLetter) -> Result<Self, EntryError> {
        let DeadLetter { source, position, stage, reason, raw, first_seen } = letter;
        Ok(Self { source, position, stage, reason, raw, first_seen })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Market {
    id: String,
    condition_id: Condition,
    question: String,
    slug: String,
    outcomes: Vec<String>,
    token_ids: Vec<[u8; 32]>,
    position_ids: Vec<[u8; 32]>,
    neg_risk: bool,
    event_id: String,
    event_slug: String,
    event_title: String,
    tags: Vec<String>,
    created_at: Option<i64>,
    end_at: Option<i64>,
    closed_at: Option<i64>,
    active: bool,
    closed: bool,
    volume: String,
    liquidity: String,
    raw: Vec<u8>,
    version: u64,
}

#[derive(Serialize, Deserialize)]
enum Condition {
    None,
    Ctf([u8; 32]),
    Position([u8; 31]),
}

impl From<&model::Market> for Market {
    fn from(market: &model::Market) -> Self {
        let words = |tokens: &[TokenId]| tokens.iter().map(|token| token.0.to_be_bytes()).collect();
        let model::Market { id, question, slug, outcomes, event, tags, volume, liquidity, .. } = market.clone();
        Self {
            id,
            condition_id: match market.condition_id {
                None => Condition::None,
                Some(ConditionId::Ctf(id)) => Condition::Ctf(id.0),
                Some(ConditionId::Position(id)) => Condition::Position(id),
            },
            question,
            slug,
            outcomes,
            token_ids: words(&market.token_ids),
            position_ids: words(&market.position_ids),
            neg_risk: market.neg_risk,
            event_id: event.id,
            event_slug: event.slug,
            event_title: event.title,
            tags,
            created_at: market.created_at,
            end_at: market.end_at,
            closed_at: market.closed_at,
            active: market.active,
            closed: market.closed,
            volume,
            liquidity,
            raw: market.raw.as_packed().to_vec(),
            version: market.version,
        }
    }
}

impl TryFrom<Market> for model::Market {
    type Error = EntryError;

    fn try_from(market: Market) -> Result<Self, EntryError> {
        let tokens = |words: Vec<[u8; 32]>| words.into_iter().map(|word| TokenId(U256::from_be_bytes(word))).collect();
        Ok(Self {
            id: market.id,
            condition_id: match market.condition_id {
                Condition::None => None,
                Condition::Ctf(id) => Some(ConditionId::Ctf(id.into())),
                Condition::Position(id) => Some(ConditionId::Position(id)),
            },
            question: market.question,
            slug: market.slug,
            outcomes: market.outcomes,
            token_ids: tokens(market.token_ids),
            position_ids: tokens(market.position_ids),
            neg_risk: market.neg_risk,
            event: Event { id: market.event_id, slug: market.event_slug, title: market.event_title },
            tags: market.tags,
            created_at: market.created_at,
            end_at: market.end_at,
            closed_at: market.closed_at,
            active: market.active,
            closed: market.closed,
            volume: market.volume,
            liquidity: market.liquidity,
            raw: RawJson::from_packed(market.raw),
            version: market.version,
        })
    }
}
