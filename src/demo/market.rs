//! The markets of the demo world.

use alloy_primitives::U256;

use super::dice::{Dice, Purpose};
use super::ids::{Kind, id};
use crate::model::{Collateral, Exchange, derive_token_id};

/// How many a world has.
pub(super) const MARKETS: u64 = 60;

/// Where a market trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Venue {
    /// One question, on the CTF exchanges.
    Standard,
    /// One of several exclusive questions, on the neg-risk exchanges.
    NegRisk,
    /// Protocol v2, on Exchange V3.
    Positions,
}

/// What is known of a token from its id alone: only position ids tell anything.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) condition_id: String,
    pub(super) outcome: &'static str,
}

/// One outcome of a market.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// The id as an ABI word.
    pub(super) word: [u8; 32],
    /// The id as the tables write it.
    pub(super) decimal: String,
    pub(super) known: Option<Known>,
}

/// One market: its outcomes and where its price goes.
#[derive(Clone, Debug)]
pub(super) struct Market {
    pub(super) venue: Venue,
    /// Yes and No.
    pub(super) tokens: [Token; 2],
    /// The middle of the Yes price, in thousandths.
    middle: u64,
    /// How far it swings to both sides.
    swing: u64,
    /// Blocks between two peaks.
    period: u64,
}

impl Market {
    /// The market of a number below [`MARKETS`]. Venues alternate, so each has popular markets.
    pub(super) fn new(seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed, Purpose::Markets, number);
        let (venue, tokens) = match number % 5 {
            0 | 2 => (Venue::Standard, [0, 1].map(|outcome| hashed(seed, number, outcome, Collateral::UsdcE))),
            1 | 3 => (Venue::NegRisk, [0, 1].map(|outcome| hashed(seed, number, outcome, Collateral::NegRiskWrapped))),
            _ => (Venue::Positions, [0, 1].map(|outcome| position(seed, number, outcome))),
        };
        let middle = dice.between(60, 940);
        let swing = dice.below(middle.min(1_000 - middle) - 20);
        Self { venue, tokens, middle, swing, period: dice.between(400, 40_000) }
    }

    /// One of the contracts on which it trades.
    pub(super) fn exchange(&self, dice: &mut Dice) -> Exchange {
        match (self.venue, dice.one_in(2)) {
            (Venue::Standard, true) => Exchange::CtfV1,
            (Venue::Standard, false) => Exchange::CtfV2,
            (Venue::NegRisk, true) => Exchange::NegRiskV1,
            (Venue::NegRisk, false) => Exchange::NegRiskV2,
            (Venue::Positions, _) => Exchange::V3,
        }
    }

    /// The price of an outcome at a block, in thousandths of a dollar: a slow swing around the middle.
    pub(super) fn price(&self, outcome: usize, block: u64) -> u64 {
        let phase = block % self.period;
        let rise = phase.min(self.period - phase) * 4 * self.swing / self.period;
        let yes = self.middle - self.swing + rise;
        if outcome == 0 { yes } else { 1_000 - yes }
    }
}

/// A token of a V1 or V2 market, whose id is a hash.
fn hashed(seed: u64, market: u64, outcome: u8, collateral: Collateral) -> Token {
    let token = derive_token_id(id(seed, Kind::Condition, [market]), outcome, collateral);
    Token { word: token.0.to_be_bytes(), decimal: token.to_string(), known: None }
}

/// A position of protocol v2, whose id says what it is.
///
/// From the high bytes on: module 1, base hash 16, arity 2, reserved 8 (zero), resolution chain 2, condition index 2,
/// outcome 1.
fn position(seed: u64, market: u64, outcome: u8) -> Token {
    let base = id(seed, Kind::Condition, [market]);
    let module = 1 + (market / 5 % 3) as u8;
    let mut word = [0; 32];
    word[0] = module;
    word[1..17].copy_from_slice(&base[..16]);
    word[18] = match module {
        1 => 2,
        2 => 5,
        _ => 3, // the legs of a combo
    };
    if module == 2 {
        word[30] = 4; // the fifth of five exclusive questions
    }
    word[31] = outcome;
    let digits: String = word[..31].iter().map(|byte| format!("{byte:02x}")).collect();
    let known = Known { condition_id: format!("0x{digits}"), outcome: ["Yes", "No"][usize::from(outcome)] };
    Token { word, decimal: U256::from_be_bytes(word).to_string(), known: Some(known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_stay_between_nothing_and_a_dollar() {
        for number in 0..MARKETS {
            let market = Market::new(3, number);
            for block in (0..200_000).step_by(97) {
                let (yes, no) = (market.price(0, block), market.price(1, block));
                assert_eq!(yes + no, 1_000);
                assert!((20..=980).contains(&yes), "{yes}");
            }
        }
    }

    #[test]
    fn all_three_modules_of_protocol_v2() {
        let modules: std::collections::BTreeSet<_> = (0..MARKETS)
            .map(|number| Market::new(3, number))
            .filter(|market| market.venue == Venue::Positions)
            .map(|market| market.tokens[0].word[0])
            .collect();
        assert_eq!(modules.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
    }
}
