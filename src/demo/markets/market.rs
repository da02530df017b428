//! The markets of the demo world.

use alloy_primitives::{B256, U256, hex, keccak256};

use super::roles;
use crate::demo::ids::{Kind, id};
use crate::demo::rng::{Purpose, Rng};
use crate::model::{Collateral, Exchange, derive_token_id};

/// Where a market trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Venue {
    /// One question, on the CTF exchanges.
    Standard,
    /// One of several exclusive questions, on the neg-risk exchanges.
    NegRisk,
    /// Protocol v2, on Exchange V3.
    Positions,
}

/// What is known of a token from its id alone: only position ids tell anything.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Known {
    pub(in crate::demo) condition_id: String,
    pub(in crate::demo) outcome: &'static str,
}

/// One outcome of a market.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Token {
    /// The id as an ABI word.
    pub(in crate::demo) word: [u8; 32],
    /// The id as the tables write it.
    pub(in crate::demo) decimal: String,
    pub(in crate::demo) known: Option<Known>,
}

/// One market: its outcomes and where its price goes.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Market {
    pub(in crate::demo) venue: Venue,
    /// Its condition id as the tables write it.
    pub(in crate::demo) condition: String,
    /// The question of a neg-risk one that has positions, too, from which they follow.
    pub(in crate::demo) question: Option<B256>,
    /// What may come out, in the order of the tokens.
    pub(in crate::demo) labels: Vec<String>,
    /// Most often two: Yes and No.
    pub(in crate::demo) tokens: Vec<Token>,
    /// The last block in which it trades, counted from the first one.
    pub(in crate::demo) trades_until: i64,
    /// The middle of the price of the first outcome, in thousandths.
    middle: u64,
    /// How far it swings to both sides.
    swing: u64,
    /// Blocks between two peaks.
    period: u64,
}

/// Names a market of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::demo) enum MarketRef {
    /// One that trades from the first block on.
    Fixed(usize),
    /// One of the series.
    Series(u64),
}

impl MarketRef {
    /// A number that no other market has.
    pub(in crate::demo) fn key(self) -> u64 {
        match self {
            Self::Fixed(number) => number as u64,
            Self::Series(number) => SERIES + number,
        }
    }
}

/// The key of the first market of the series, …
const SERIES: u64 = 1 << 32;
/// … and of the first that nobody trades.
const IDLE: u64 = 1 << 24;

impl Market {
    /// The market of a number below [`MARKETS`](super::roles::MARKETS). Venues alternate, so each has popular markets.
    pub(in crate::demo) fn fixed(seed: u64, number: u64) -> Self {
        let labels = roles::of(number as usize).labels(number);
        let trades_until = roles::closes(seed, number).map_or(i64::MAX, |(_, until)| until);
        // The fourth of each kind of position is a basket of others.
        let module = 1 + (number / 5 % 3) as u8;
        Self { trades_until, ..Self::new(seed, number, number % 5, module, labels) }
    }

    /// A market of the series.
    pub(in crate::demo) fn series(seed: u64, number: u64) -> Self {
        let module = 1 + (number / 5 % 2) as u8;
        Self::new(seed, MarketRef::Series(number).key(), number % 5, module, &["Up", "Down"])
    }

    /// A market that nobody trades, by the id that Gamma gives it.
    pub(in crate::demo) fn idle(seed: u64, id: u64, venue: u64) -> Self {
        Self::new(seed, IDLE + id, venue, 1 + (id % 2) as u8, &["Yes", "No"])
    }

    fn new(seed: u64, key: u64, venue: u64, module: u8, labels: &[&str]) -> Self {
        let mut rng = Rng::new(seed, Purpose::Markets, key);
        let places = 0..labels.len() as u8;
        let question = roles::has_legs(key).then(|| question_of(seed, key));
        let condition = question.map_or_else(|| id(seed, Kind::Condition, [key]), neg_risk_condition);
        // The other half of a market has positions that follow from its first half.
        let legacy = roles::first_half(key).map(|first| match roles::has_legs(first) {
            true => question_of(seed, first),
            false => id(seed, Kind::Condition, [first]),
        });
        let base = legacy.map_or(condition, |legacy| base(legacy, module));
        let hashed = |collateral| places.clone().map(|place| hashed(condition, place, collateral)).collect();
        let (venue, tokens) = match venue {
            0 | 2 => (Venue::Standard, hashed(Collateral::UsdcE)),
            1 | 3 => (Venue::NegRisk, hashed(Collateral::NegRiskWrapped)),
            _ => (Venue::Positions, places.map(|place| position(base, module, place)).collect::<Vec<_>>()),
        };
        let known = tokens.first().and_then(|token| token.known.as_ref());
        let condition = known.map_or_else(|| format!("{condition:#x}"), |known| known.condition_id.clone());
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let middle = rng.between(60, 940);
        let swing = rng.below(middle.min(1_000 - middle) - 20);
        let (trades_until, period) = (i64::MAX, rng.between(400, 40_000));
        Self { venue, condition, question, labels, tokens, trades_until, middle, swing, period }
    }

    /// Whether its outcomes are a pair that makes a dollar.
    pub(in crate::demo) fn is_binary(&self) -> bool {
        self.tokens.len() == 2
    }

    /// Whether it is one of several exclusive questions.
    pub(in crate::demo) fn is_neg_risk(&self) -> bool {
        self.venue == Venue::NegRisk || self.tokens.iter().any(|token| token.known.is_some() && token.word[0] == 2)
    }

    /// One of the contracts on which it trades.
    pub(in crate::demo) fn exchange(&self, first: bool) -> Exchange {
        match (self.venue, first) {
            (Venue::Standard, true) => Exchange::CtfV1,
            (Venue::Standard, false) => Exchange::CtfV2,
            (Venue::NegRisk, true) => Exchange::NegRiskV1,
            (Venue::NegRisk, false) => Exchange::NegRiskV2,
            (Venue::Positions, _) => Exchange::V3,
        }
    }

    /// The price of an outcome at a block, in thousandths of a dollar: a slow swing around the middle.
    pub(in crate::demo) fn price(&self, outcome: usize, block: u64) -> u64 {
        let phase = block % self.period;
        let rise = phase.min(self.period - phase) * 4 * self.swing / self.period;
        let yes = self.middle - self.swing + rise;
        if outcome == 0 { yes } else { 1_000 - yes }
    }
}

/// A token of a V1 or V2 market, whose id is a hash.
pub(in crate::demo) fn hashed(condition: B256, outcome: u8, collateral: Collateral) -> Token {
    let token = derive_token_id(condition, outcome, collateral);
    Token { word: token.0.to_be_bytes(), decimal: token.to_string(), known: None }
}

/// The question of a neg-risk market: the id of its event with its place in the last byte.
fn question_of(seed: u64, key: u64) -> B256 {
    let mut question = id(seed, Kind::Condition, [key, 0]);
    question[31] = PLACE;
    question
}

/// The condition of a question that the neg-risk adapter answers: a hash of who answers, the question, and two outcomes.
fn neg_risk_condition(question: B256) -> B256 {
    let adapter = hex!("d91E80cF2E7be2e162c6513ceD06f1dD0dA35296");
    let outcomes = U256::from(2).to_be_bytes::<32>();
    keccak256([&adapter[..], question.as_slice(), &outcomes].concat())
}

/// The base hash of positions, in its first half, that follow from a condition or a question of the old protocol.
fn base(legacy: B256, module: u8) -> B256 {
    let mut base = B256::ZERO;
    base[..16].copy_from_slice(&legacy[16..]);
    if module == 2 {
        base[15] = 0; // the event of the question
    }
    base
}

/// The third of three exclusive questions.
const PLACE: u8 = 2;

/// A position of protocol v2, whose id says what it is.
///
/// From the high bytes on: module 1, base hash 16, arity 2, reserved 8 (zero), resolution chain 2, condition index 2,
/// outcome 1.
pub(in crate::demo) fn position(base: B256, module: u8, outcome: u8) -> Token {
    let mut word = [0; 32];
    word[0] = module;
    word[1..17].copy_from_slice(&base[..16]);
    if module == 2 {
        (word[18], word[30]) = (3, PLACE);
    }
    word[31] = outcome;
    let digits: String = word[..31].iter().map(|byte| format!("{byte:02x}")).collect();
    let known = Known { condition_id: format!("0x{digits}"), outcome: ["Yes", "No"][usize::from(outcome & 1)] };
    Token { word, decimal: U256::from_be_bytes(word).to_string(), known: Some(known) }
}

#[cfg(test)]
mod tests {
    use super::super::roles::MARKETS;
    use super::*;

    #[test]
    fn prices_stay_between_nothing_and_a_dollar() {
        for number in 0..MARKETS {
            let market = Market::fixed(3, number);
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
            .map(|number| Market::fixed(3, number))
            .filter(|market| market.venue == Venue::Positions)
            .map(|market| market.tokens[0].word[0])
            .collect();
        assert_eq!(modules.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
    }
}
