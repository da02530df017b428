//! A trade: a fill and what is known of its token. One row of the `trades` table.

use std::sync::Arc;

use super::{ConditionId, Fill, Module, PositionId, TokenId};

/// What is known of a fill's token.
///
/// The order of the variants is the order of completeness: a row is only ever replaced by one that knows at least as
/// much, whenever it arrives. Rows of one token share its texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resolution {
    /// Nothing yet.
    Unknown,
    /// What the token's id itself tells.
    Token {
        /// The condition, as text.
        condition_id: Arc<str>,
        /// The outcome, as the protocol names it.
        outcome: Arc<str>,
    },
    /// The market that lists it.
    Market {
        /// The condition, as text.
        condition_id: Arc<str>,
        /// The outcome, as the market names it, or the source of tokens where the market does not; `''` where nobody does.
        /// [`side`](Self::Market::side) tells it all the same.
        outcome: Arc<str>,
        /// Gamma's id of the market.
        market_id: Arc<str>,
        /// The token's place in the market's list.
        side: NonUsdcSide,
    },
}

/// The place of a token in its market's list: `token1`, `token2`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NonUsdcSide(pub u8);

impl Resolution {
    /// What the token id tells without asking anybody.
    pub fn of_fill(fill: &Fill) -> Self {
        match PositionId::of(fill.token_id) {
            None => Self::Unknown,
            Some(position) => Self::Token {
                condition_id: position.condition.to_string().into(),
                outcome: position.outcome_name().into(),
            },
        }
    }

    /// The completeness, which is the row's version: 0 token unknown, 1 condition known, 2 market known, 3 market and
    /// the name of its outcome known.
    pub fn version(&self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Token { .. } => 1,
            Self::Market { outcome, .. } if outcome.is_empty() => 2,
            Self::Market { .. } => 3,
        }
    }

    /// Whether nothing is left to be found out about this token: its market is known and names its outcome, or it is a
    /// combo, which has no market. Of rows the tables say the same in `schema/queries/is_open.sql`.
    pub fn is_complete(&self, token: TokenId) -> bool {
        self.version() >= 3 || PositionId::of(token).is_some_and(|position| position.module == Module::Combo)
    }

    /// This with the name that somebody else has for the outcome, where the market has none and both speak of one condition.
    pub fn named_by(self, other: &Self) -> Self {
        match self {
            Self::Market { condition_id, outcome, market_id, side }
                if outcome.is_empty() && *condition_id == *other.condition_id() =>
            {
                Self::Market { condition_id, outcome: other.outcome().into(), market_id, side }
            }
            known => known,
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

    /// Which outcome of its condition a token is on chain, from 0, as the condition proves it: not the token's place in the market's
    /// list, which may be in another order. It costs some powers in a field of 254 bits.
    pub fn outcome_slot(&self, token: TokenId) -> Option<u8> {
        let condition: ConditionId = self.condition_id().parse().ok()?;
        // Most lists are in the order of the chain.
        let listed = match self {
            Self::Market { side: NonUsdcSide(place), .. } => place.checked_sub(1),
            Self::Unknown | Self::Token { .. } => None,
        };
        listed.into_iter().chain(0..MOST_OUTCOMES).find(|slot| *slot < MOST_OUTCOMES && condition.has_at(token, *slot))
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

/// More outcomes than this no market has.
const MOST_OUTCOMES: u8 = 16;

/// One row of the `trades` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The fill.
    pub fill: Fill,
    /// What is known of its token.
    pub resolution: Resolution,
}

impl Trade {
    /// [`Fill::outcome_slot`], or what the id of the token tells.
    pub fn outcome_slot(&self) -> Option<u8> {
        self.fill.outcome_slot.or_else(|| PositionId::of(self.fill.token_id).map(|position| position.outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{B256, Collateral, U256, derive_token_id};

    fn market(outcome: &str) -> Resolution {
        let (condition_id, market_id) = ("0xc0".into(), "7".into());
        Resolution::Market { condition_id, outcome: outcome.into(), market_id, side: NonUsdcSide(1) }
    }

    #[test]
    fn a_market_that_does_not_name_its_outcome_is_known_all_the_same() {
        let token = Resolution::Token { condition_id: "0xc0".into(), outcome: "Up".into() };
        let versions = [Resolution::Unknown, token.clone(), market(""), market("Up")].map(|known| known.version());
        assert_eq!(versions, [0, 1, 2, 3]);
        assert_eq!(market("").named_by(&token), market("Up"), "who names it completes it");
        assert_eq!(market("Down").named_by(&token), market("Down"), "the market has the last word");
        let other = Resolution::Token { condition_id: "0xc1".into(), outcome: "Up".into() };
        assert_eq!(market("").named_by(&other), market(""), "that is another condition");
        assert_eq!(market("").named_by(&Resolution::Unknown), market(""));
    }

    #[test]
    fn the_condition_tells_the_slot_whatever_the_order_of_the_list() {
        let condition = B256::repeat_byte(7);
        for (slot, collateral) in [(0, Collateral::UsdcE), (1, Collateral::UsdcE), (1, Collateral::NegRiskWrapped)] {
            let token = derive_token_id(condition, slot, collateral);
            let of = |condition_id: String| {
                Resolution::Token { condition_id: condition_id.into(), outcome: "".into() }.outcome_slot(token)
            };
            assert_eq!(of(format!("{condition:#x}")), Some(slot));
            assert_eq!(of(format!("{:#x}", B256::repeat_byte(8))), None, "another condition proves nothing");
            assert_eq!((of(String::new()), of("0xc0".into())), (None, None));
        }
    }

    #[test]
    fn a_combo_is_never_to_be_found() {
        let combo = TokenId((U256::from(3) << 248) | (U256::from(9) << 120));
        assert!(Resolution::Unknown.is_complete(combo));
        assert!(!market("").is_complete(TokenId(U256::MAX)) && market("Up").is_complete(TokenId(U256::MAX)));
    }
}
