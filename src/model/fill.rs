//! A fill: one order, matched, on chain.

use std::fmt;

use alloy_primitives::{Address, B256};

use super::{Amount, Exchange, Layout, TokenId};

/// What the order of a fill's `maker` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// It paid dollars for shares.
    Buy,
    /// It gave shares for dollars.
    Sell,
}

impl Side {
    /// The other side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// `BUY` or `SELL`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// What a fee was paid in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeeUnit {
    /// Collateral.
    Usd,
    /// Outcome shares.
    Shares,
}

impl FeeUnit {
    /// `usd` or `shares`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Usd => "usd",
            Self::Shares => "shares",
        }
    }
}

/// One `OrderFilled` event.
///
/// It describes the order of `maker`, in every row. A match emits one for each maker order and then one for the taker
/// order, whose `taker` is the exchange itself: see [`Fill::is_taker_row`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The block; 0 where the source has none.
    pub block_number: u64,
    /// The place of the log in its block; 0 where the source has none.
    pub log_index: u32,
    /// The block's time, in unix seconds.
    pub timestamp: u64,
    /// The transaction. With `log_index` it is the identity of a chain row.
    pub transaction_hash: B256,
    /// The source's own id where a row has no log index; empty for chain rows.
    pub source_id: String,
    /// The order. One order fills many times, even within a transaction.
    pub order_hash: B256,
    /// The contract, where the source tells it.
    pub exchange: Option<Exchange>,
    /// The outcome token that changed hands.
    pub token_id: TokenId,
    /// Whose order this is.
    pub maker: Address,
    /// The wallet of the taker order, or the exchange in the taker row.
    pub taker: Address,
    /// What the maker's order did.
    pub side: Side,
    /// Dollars, gross of fees.
    pub usd: Amount,
    /// Shares, gross of fees.
    pub shares: Amount,
    /// The fee as emitted, in [`Fill::fee_unit`].
    pub fee: Amount,
    /// The `log_index` of the taker row of its match, in that row too; `None` for a direct fill, and where it is not told. A function
    /// of the rows of one exchange in the transaction: see [`matches`](super::matches).
    pub match_log_index: Option<u32>,
    /// Which outcome of its condition the token is on chain, from 0; `None` where nothing proves it yet. Of the positions of protocol v2
    /// the id tells it.
    pub outcome_slot: Option<u8>,
}

impl Fill {
    /// Dollars a share, or `None` where no share moved.
    ///
    /// Not rounded to a tick: prices such as 0.8990804597701149 are real. The exact figures are the two amounts.
    pub fn price(&self) -> Option<f64> {
        // Amounts below 2⁵³ micros (nine billion dollars) convert exactly, so the one rounding is the division's.
        (!self.shares.is_zero()).then(|| self.usd.micros() as f64 / self.shares.micros() as f64)
    }

    /// What the fee was paid in: V1 takes it from what the order receives, which for a BUY is shares. Sources that do not tell
    /// the exchange know V1 only.
    pub const fn fee_unit(&self) -> FeeUnit {
        match (self.exchange, self.side) {
            (None, Side::Buy) => FeeUnit::Shares,
            (Some(exchange), Side::Buy) if matches!(exchange.layout(), Layout::V1) => FeeUnit::Shares,
            _ => FeeUnit::Usd,
        }
    }

    /// Whether this is the taker order's row: the one to count for volume, since every trade is emitted at least twice.
    pub fn is_taker_row(&self) -> bool {
        self.exchange.is_some_and(|exchange| self.taker == exchange.address())
    }

    /// The name in the `exchange` column; empty where the source does not tell the exchange.
    pub fn exchange_label(&self) -> &'static str {
        self.exchange.map_or("", Exchange::label)
    }
}
