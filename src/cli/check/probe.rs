//! A source of exactly one fill, which is marked.

use std::sync::OnceLock;
use std::time::Instant;

use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use rand::RngExt;

use crate::clock::since_epoch;
use crate::model::{Amount, ChainPosition, Exchange, Fill, Side, TokenId, U256};
use crate::source::{FillSource, Head, Page, SourceError, SourceEvent, Start};

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
            exchange: Exchange::CtfV2,
            token_id: TokenId(U256::from_be_bytes(dice.random::<[u8; 32]>())),
            maker: Address::ZERO,
            taker: Address::ZERO,
            side: Side::Buy,
            usd: Amount::ZERO,
            shares: Amount::ZERO,
            fee: Amount::ZERO,
        };
        Self { fill, read: OnceLock::new() }
    }

    /// When it was read.
    pub(super) fn read(&self) -> Option<Instant> {
        self.read.get().copied()
    }
}

#[async_trait]
impl FillSource for Probe {
    fn name(&self) -> &'static str {
        "check"
    }

    async fn world(&self) -> Result<String, SourceError> {
        Ok("check".into())
    }

    async fn head(&self) -> Result<Head, SourceError> {
        Ok(Head { block: BLOCK, timestamp: since_epoch().as_secs() })
    }

    async fn resolve(&self, _: &Start) -> Result<ChainPosition, SourceError> {
        Ok(ChainPosition::start_of(BLOCK))
    }

    async fn page(&self, from: ChainPosition, _: u64) -> Result<Page, SourceError> {
        let next = ChainPosition::start_of(BLOCK + 1);
        let mut events = Vec::new();
        if from <= ChainPosition::start_of(BLOCK) {
            self.read.get_or_init(Instant::now);
            events.push(SourceEvent { next: ChainPosition::after(BLOCK, 0), fill: Ok(self.fill.clone()) });
        }
        Ok(Page { events, next })
    }
}
