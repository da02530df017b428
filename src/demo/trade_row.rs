//! A row of `trades`, as plain values that compare.

use std::fmt;

use serde::{Serialize, Serializer};

/// A price that compares and sorts by its bits: to be equal, two have to be the same number exactly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u64);

impl Price {
    /// The price as a table gives it.
    pub fn new(price: f64) -> Self {
        Self(price.to_bits())
    }

    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.get())
    }
}

/// One row of the embedded `trades` table, without `ingested_at`. Rows sort in the order of the chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TradeRow {
    /// Block time, unix seconds.
    pub timestamp: i64,
    /// The block.
    pub block_number: i64,
    /// The place of the log in the block.
    pub log_index: i64,
    /// `0x…`
    pub transaction_hash: String,
    /// `0x…`
    pub order_hash: String,
    /// Always `''`: these are chain rows.
    pub source_id: String,
    /// `ctf_v1`, `neg_risk_v1`, `ctf_v2`, `neg_risk_v2` or `v3`.
    pub exchange: String,
    /// Decimal.
    pub token_id: String,
    /// `0x…` where it is known, else `''`.
    pub condition_id: String,
    /// Gamma's id where the market is known, else `''`.
    pub market_id: String,
    /// As the market names it, or the token id itself where there is no market; else `''`.
    pub outcome: String,
    /// `token1`, `token2`, … where the market is known, else `''`.
    pub nonusdc_side: String,
    /// `0x…`
    pub maker: String,
    /// `0x…`
    pub taker: String,
    /// `BUY` or `SELL`.
    pub maker_direction: String,
    /// `BUY` or `SELL`.
    pub taker_direction: String,
    /// Dollars a share; `None` where no share moved.
    pub price: Option<Price>,
    /// Decimal, six places, as the next two.
    pub usd_amount: String,
    /// Shares.
    pub token_amount: String,
    /// In `fee_unit`.
    pub fee_amount: String,
    /// `usd` or `shares`.
    pub fee_unit: String,
    /// Whether this is the row of the taker order.
    pub is_taker_row: bool,
    /// 2 where the market is known, 1 where the condition is, else 0.
    pub version: i64,
    /// `log_index` of the taker row of its match; `None` for a direct fill.
    pub match_log_index: Option<i64>,
    /// Which outcome of the condition the token is on chain; `None` where the condition is not known.
    pub outcome_slot: Option<i64>,
}
