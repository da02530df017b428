//! An event within a batch: numbers as the difference to the event before, hashes and addresses as references.

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::seen::{Read, Written};
use crate::model::entry::{error::EntryError, v1};
use crate::model::{Amount, Fill, Resolution, Side, TokenId};

/// Set beside the exchange for a sale.
const SELL: u8 = 0x80;

/// The fields of an event. What is new of its references follows it, in their order.
#[derive(Serialize, Deserialize)]
struct Row {
    block: i64,
    timestamp: i64,
    log_index: i32,
    transaction: u32,
    order: u32,
    token: u32,
    maker: u32,
    taker: u32,
    /// 0 for none; else one more than the reference.
    source_id: u32,
    exchange_and_side: u8,
    usd: u128,
    shares: u128,
    fee: u128,
    /// The difference to the log index.
    match_log_index: Option<i32>,
    outcome_slot: Option<u8>,
}

/// The numbers that differences are to.
#[derive(Clone, Copy, Default)]
struct Before {
    block: u64,
    timestamp: u64,
    log_index: u32,
}

/// Writes the events of a batch.
pub(super) struct Writer {
    bytes: Vec<u8>,
    before: Before,
    transactions: Written<B256>,
    orders: Written<B256>,
    tokens: Written<TokenId>,
    wallets: Written<Address>,
    source_ids: Written<String>,
    resolutions: Written<Resolution>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            before: Before::default(),
            transactions: Written::new(),
            orders: Written::new(),
            tokens: Written::new(),
            wallets: Written::new(),
            source_ids: Written::new(),
            resolutions: Written::new(),
        }
    }

    /// What was written so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn fill(&mut self, fill: &Fill) {
        let before = self.before;
        self.before = Before { block: fill.block_number, timestamp: fill.timestamp, log_index: fill.log_index };
        let row = Row {
            block: fill.block_number.wrapping_sub(before.block).cast_signed(),
            timestamp: fill.timestamp.wrapping_sub(before.timestamp).cast_signed(),
            log_index: fill.log_index.wrapping_sub(before.log_index).cast_signed(),
            transaction: self.transactions.refer(&fill.transaction_hash),
            order: self.orders.refer(&fill.order_hash),
            token: self.tokens.refer(&fill.token_id),
            maker: self.wallets.refer(&fill.maker),
            taker: self.wallets.refer(&fill.taker),
            source_id: if fill.source_id.is_empty() { 0 } else { self.source_ids.refer(&fill.source_id) + 1 },
            exchange_and_side: v1::exchange_number(fill.exchange) | if fill.side == Side::Sell { SELL } else { 0 },
            usd: fill.usd.micros(),
            shares: fill.shares.micros(),
            fee: fill.fee.micros(),
            match_log_index: fill.match_log_index.map(|index| index.wrapping_sub(fill.log_index).cast_signed()),
            outcome_slot: fill.outcome_slot,
        };
        self.put(&row);
        if row.transaction == 0 {
            self.bytes.extend(fill.transaction_hash);
        }
        if row.order == 0 {
            self.bytes.extend(fill.order_hash);
        }
        if row.token == 0 {
            self.bytes.extend(fill.token_id.0.to_be_bytes::<32>());
        }
        if row.maker == 0 {
            self.bytes.extend(fill.maker);
        }
        if row.taker == 0 {
            self.bytes.extend(fill.taker);
        }
        if row.source_id == 1 {
            self.put(&fill.source_id);
        }
    }

    pub(super) fn resolution(&mut self, resolution: &Resolution) {
        let reference = self.resolutions.refer(resolution);
        self.put(&reference);
        if reference == 0 {
            self.put(&v1::Resolved::from(resolution));
        }
    }

    #[allow(clippy::expect_used, reason = "numbers, bytes and text into memory: postcard has nothing to refuse")]
    fn put<T: Serialize>(&mut self, value: &T) {
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes = postcard::to_extend(value, bytes).expect("memory takes every byte");
    }
}

/// Reads the events of a batch.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    before: Before,
    transactions: Read<B256>,
    orders: Read<B256>,
    tokens: Read<TokenId>,
    wallets: Read<Address>,
    source_ids: Read<String>,
    resolutions: Read<Resolution>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(rest: &'a [u8]) -> Self {
        Self {
            rest,
            before: Before { block: 0, timestamp: 0, log_index: 0 },
            transactions: Read::new(),
            orders: Read::new(),
            tokens: Read::new(),
            wallets: Read::new(),
            source_ids: Read::new(),
            resolutions: Read::new(),
        }
    }

    /// What is left.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next fill; inside, that one of its fields holds what it may not.
    pub(super) fn fill(&mut self) -> Option<Result<Fill, EntryError>> {
        let Self { rest, before, .. } = self;
        let row: Row = get(rest)?;
        *before = Before {
            block: before.block.wrapping_add(row.block.cast_unsigned()),
            timestamp: before.timestamp.wrapping_add(row.timestamp.cast_unsigned()),
            log_index: before.log_index.wrapping_add(row.log_index.cast_unsigned()),
        };
        let Before { block: block_number, timestamp, log_index } = *before;
        let transaction_hash = self.transactions.get(row.transaction, || take(rest).map(B256::from))?;
        let order_hash = self.orders.get(row.order, || take(rest).map(B256::from))?;
        let token_id =
            self.tokens.get(row.token, || take::<32>(rest).map(|bytes| TokenId(U256::from_be_bytes(bytes))))?;
        let maker = self.wallets.get(row.maker, || take(rest).map(Address::from))?;
        let taker = self.wallets.get(row.taker, || take(rest).map(Address::from))?;
        let source_id = match row.source_id.checked_sub(1) {
            None => String::new(),
            Some(reference) => self.source_ids.get(reference, || get(rest))?,
        };
        let amount = |name, micros| Amount::from_micros(micros).map_err(|_| EntryError::OutOfRange(name));
        let read = || {
            Ok(Fill {
                block_number,
                log_index,
                timestamp,
                transaction_hash,
                source_id,
                order_hash,
                exchange: v1::exchange_of(row.exchange_and_side & !SELL)?,
                token_id,
                maker,
                taker,
                side: if row.exchange_and_side & SELL == 0 { Side::Buy } else { Side::Sell },
                usd: amount("usd amount", row.usd)?,
                shares: amount("share amount", row.shares)?,
                fee: amount("fee", row.fee)?,
                match_log_index: row.match_log_index.map(|index| log_index.wrapping_add(index.cast_unsigned())),
                outcome_slot: row.outcome_slot,
            })
        };
        Some(read())
    }

    pub(super) fn resolution(&mut self) -> Option<Resolution> {
        let Self { rest, resolutions, .. } = self;
        let reference = get(rest)?;
        resolutions.get(reference, || get::<v1::Resolved>(rest).map(Resolution::from))
    }
}

fn get<T: DeserializeOwned>(rest: &mut &[u8]) -> Option<T> {
    let (value, behind) = postcard::take_from_bytes(rest).ok()?;
    *rest = behind;
    Some(value)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*bytes)
}
