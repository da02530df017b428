//! A trade: a fill and what is known of its token. One row of the `trades` table.

use super::{Fill, PositionId};

/// What is known of a fill's token.
///
/// The order of the variants is the order of completeness: a row is only ever replaced by one that knows at least as
/// much, whenever it arrives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// Nothing yet.
    Unknown,
    /// What the token's id itself tells.
    Token {
        /// The condition, as text.
        condition_id: String,
        /// The outcome, as the protocol names it.
        outcome: String,
    },
    /// The market that lists it.
    Market {
        /// The condition, as text.
        condition_id: String,
        /// The outcome, as the market names it.
        outcome: String,
        /// Gamma's id of the market.
        market_id: String,
        /// The token's place in the market's list.
        side: NonUsdcSide,
    },
}

/// The place of a token in its market's list: `token1`, `token2`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NonUsdcSide(pub u8);

impl Resolution {
    /// What the token id tells without asking anybody.
    pub fn of_fill(fill: &Fill) -> Self {
        match PositionId::of(fill.token_id) {
            None => Self::Unknown,
            Some(position) => Self::Token {
                condition_id: position.condition.to_string(),
                outcome: position.outcome_name().to_owned(),
            },
        }
    }

    /// The completeness, which is the row's version: 0 token unknown, 1 condition and outcome known, 2 market known.
    pub const fn version(&self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Token { .. } => 1,
            Self::Market { .. } => 2,
        }
    }

    /// `condition_id`, or `''`.
    pub fn condition_id(&self) -> &str {
        match self {
            Self::Unknown => "",
            Self::Token { condition_id, .. } | Self::Market { condition_id, .. } => condition_id,
        }
    }

    /// `outcome`, or `''`.
    pub fn outcome(&self) -> &str {
        match self {
            Self::Unknown => "",
            Self::Token { outcome, .. } | Self::Market { outcome, .. } => outcome,
        }
    }

    /// `market_id`, or `''`.
    pub fn market_id(&self) -> &str {
        match self {
            Self::Market { market_id, .. } => market_id,
            _ => "",
        }
    }

    /// `nonusdc_side`, or `''`: the market's list decides it, so a token id alone does not tell.
    pub fn nonusdc_side(&self) -> String {
        match self {
            Self::Market { side: NonUsdcSide(place), .. } => format!("token{place}"),
            _ => String::new(),
        }
    }
}

/// One row of the `trades` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The fill.
    pub fill: Fill,
    /// What is known of its token.
    pub resolution: Resolution,
}
