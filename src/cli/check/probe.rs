//! A source of exactly one fill, which is marked.

use std::{sync::OnceLock, time::Instant};

use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use rand::RngExt;

use crate::clock::since_epoch;
use crate::model::{Amount, ChainPosition, Exchange, Fill, Side, TokenId, U256};
use crate::source::{Evidence, FillSource, Frontier, Head, Page, Position, SourceError, SourceEvent, Start};

/// The block of the fill, and the last one.
const BLOCK: u64 = 1;

/// One fill of the first second of 1970, where no trade is, with a token that nobody knows.
pub(super) struct Probe {
    fill: Fill,
    /// When it was read.
    read: OnceLock<Instant>,
}

impl Probe {
    pub(super) fn new(source_id: String) -> Self {
        let mut dice = rand::rng();
        let fill = Fill {
            block_number: BLOCK,
            log_index: 0,
            timestamp: 0,
            transaction_hash: B256::from(dice.random::<[u8; 32]>()),
            source_id,
            order_hash: B256::ZERO,
            exchange: Some(Exchange::CtfV2),
            token_id: TokenId(U256::from_be_bytes(dice.random::<[u8; 32]>())),
            maker: Address::ZERO,
            taker: Address::ZERO,
            side: Side::Buy,
            usd: Amount::ZERO,
            shares: Amount::ZERO,
            fee: Amount::ZERO,
            match_log_index: None,
            outcome_slot: None,
        };
        Self { fill, read: OnceLock::new() }
    }

    /// When it was read.
    pub(super) fn read(&self) -> Option<Instant> {
        self.read.get().copied()
    }
}

impl Evidence for Probe {}

#[async_trait]
impl FillSource for Probe {
    fn name(&self) -> &'static str {
        "check"
    }

    async fn world(&self) -> Result<String, SourceError> {
        Ok("check".into())
    }

    fn position(&self, stored: &str) -> Option<Position> {
        serde_json::from_str(stored).ok().map(Position::Chain)
    }

    async fn frontier(&self) -> Result<Frontier, SourceError> {
        Ok(Head { block: BLOCK, timestamp: since_epoch().as_secs() }.into())
    }

    async fn resolve(&self, _: &Start) -> Result<Position, SourceError> {
        Ok(ChainPosition::start_of(BLOCK).into())
    }

    async fn page(&self, from: &Position, end: &Position) -> Result<Page, SourceError> {
        let mut events = Vec::new();
        if *from <= ChainPosition::start_of(BLOCK).into() {
            self.read.get_or_init(Instant::now);
            events.push(SourceEvent { next: ChainPosition::after(BLOCK, 0).into(), fill: Ok(self.fill.clone()) });
        }
        Ok(Page { events, next: end.clone() })
    }
}
