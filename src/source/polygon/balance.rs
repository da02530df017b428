//! **Matches balance**: a doubt, never a verdict.
//!
//! The shares of the maker rows of a [match](crate::model::matches) add up to the taker's. So does usd, where a maker row on the taker's own side (tokens are made or destroyed for the two) counts `shares - usd`, to one unit of 10⁻⁶ a
//! maker row.
//!
//! It is no law. V1 emits what it pulled before a refund, and as received all that the contract held, a donation too; rows of
//! `fillOrder` have no taker row; of V3 nothing recorded is known. So what does not balance is only read a second time.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};

use crate::model::{Exchange, Fill, Match, matches};

/// How the rows of a match do not add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The shares of the makers are not those of the taker.
    Shares,
    /// The dollars are not.
    Usd,
    /// A taker row behind no maker row.
    NoMaker,
    /// A maker row before no taker row, for this taker: `fillOrder`, where that is an operator.
    NoTaker(Address),
}

impl Kind {
    /// A short name.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Shares => "shares",
            Self::Usd => "usd",
            Self::NoMaker => "no maker row",
            Self::NoTaker(_) => "no taker row",
        }
    }
}

/// A match that does not add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Imbalance {
    pub(super) exchange: Exchange,
    pub(super) transaction: B256,
    pub(super) kind: Kind,
}

/// What is found in a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) imbalances: Vec<Imbalance>,
    /// How many matches of each exchange add up.
    pub(super) agreed: BTreeMap<Exchange, u64>,
}

/// Adds up the matches of a block. The rows come in the order of the log; transactions that `skip` names hold a log that
/// cannot be read, and are not judged.
pub(super) fn add_up<'a>(rows: impl IntoIterator<Item = &'a Fill>, skip: impl Fn(B256) -> bool) -> Sheet {
    let found = matches(rows.into_iter().filter(|row| !skip(row.transaction_hash)));
    let mut sheet = Sheet::default();
    found.matches.iter().for_each(|found| sheet.judge(found));
    for (exchange, row) in found.direct {
        sheet.note(exchange, row, Kind::NoTaker(row.taker));
    }
    sheet.imbalances.sort_unstable();
    sheet.imbalances.dedup();
    sheet
}

impl Sheet {
    fn judge(&mut self, Match { exchange, makers, taker }: &Match<'_>) {
        match weigh(taker, makers) {
            Some(kind) => self.note(*exchange, taker, kind),
            None => *self.agreed.entry(*exchange).or_default() += 1,
        }
    }

    fn note(&mut self, exchange: Exchange, row: &Fill, kind: Kind) {
        self.imbalances.push(Imbalance { exchange, transaction: row.transaction_hash, kind });
    }
}

/// What does not add up, if anything. Amounts fit `Decimal(38, 6)`, so that some billions of them fit the sums.
fn weigh(taker: &Fill, makers: &[&Fill]) -> Option<Kind> {
    if makers.is_empty() {
        return Some(Kind::NoMaker);
    }
    let shares: u128 = makers.iter().fold(0, |sum, row| sum.saturating_add(row.shares.micros()));
    if shares != taker.shares.micros() {
        return Some(Kind::Shares);
    }
    let part = |row: &Fill| {
        let (usd, shares) = (row.usd.micros().cast_signed(), row.shares.micros().cast_signed());
        if row.side == taker.side { shares.saturating_sub(usd) } else { usd }
    };
    let usd: i128 = makers.iter().fold(0, |sum: i128, row| sum.saturating_add(part(row)));
    (usd.abs_diff(taker.usd.micros().cast_signed()) > makers.len() as u128).then_some(Kind::Usd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Amount, Side, TokenId, U256};

    const TAKER: u8 = 0xaa;

    /// Side, usd and shares.
    type Row = (Side, u128, u128);

    fn row(exchange: Exchange, maker: u8, taker: Address, side: Side, usd: u128, shares: u128) -> Fill {
        Fill {
            block_number: 7,
            log_index: 0,
            timestamp: 1_700_000_000,
            transaction_hash: B256::repeat_byte(1),
            source_id: String::new(),
            order_hash: B256::repeat_byte(maker),
            exchange: Some(exchange),
            token_id: TokenId(U256::from(5)),
            maker: Address::repeat_byte(maker),
            taker,
            side,
            usd: Amount::from_micros(usd).unwrap(),
            shares: Amount::from_micros(shares).unwrap(),
            fee: Amount::ZERO,
            match_log_index: None,
            outcome_slot: None,
        }
    }

    /// A match: side, usd and shares of the maker rows and then of the taker row.
    fn a_match(exchange: Exchange, rows: &[Row]) -> Vec<Fill> {
        let (last, makers) = rows.split_last().unwrap();
        let makers = makers.iter().zip(1..).map(|((side, usd, shares), maker)| {
            row(exchange, maker, Address::repeat_byte(TAKER), *side, *usd, *shares)
        });
        let taker = row(exchange, TAKER, exchange.address(), last.0, last.1, last.2);
        makers.chain([taker]).collect()
    }

    fn kinds(rows: &[Fill]) -> Vec<Kind> {
        add_up(rows, |_| false).imbalances.into_iter().map(|imbalance| imbalance.kind).collect()
    }

    #[test]
    fn recorded_matches_add_up() {
        use Side::{Buy, Sell};
        let recorded: [(Exchange, &[Row]); 5] = [
            // Block 51,865,340: two sellers and a buyer.
            (
                Exchange::NegRiskV1,
                &[(Sell, 34_664_200, 111_820_000), (Sell, 3_100_000, 10_000_000), (Buy, 37_764_200, 121_820_000)],
            ),
            // 6,000 shares made for two buyers of opposite tokens …
            (Exchange::NegRiskV1, &[(Buy, 3_960_000_000, 6_000_000_000), (Buy, 2_040_000_000, 6_000_000_000)]),
            // … and 206.19 destroyed for two sellers.
            (Exchange::NegRiskV1, &[(Sell, 123_714_000, 206_190_000), (Sell, 82_476_000, 206_190_000)]),
            // Both at once, with a rest of one unit.
            (
                Exchange::CtfV1,
                &[(Sell, 84_000_000, 200_000_000), (Buy, 22_095_238, 38_095_237), (Buy, 99_999_999, 238_095_237)],
            ),
            // V2: 2.083332 shares made, the amounts rounded by one unit each.
            (Exchange::CtfV2, &[(Buy, 1_083_333, 2_083_332), (Buy, 999_999, 2_083_332)]),
        ];
        for (exchange, rows) in recorded {
            let sheet = add_up(&a_match(exchange, rows), |_| false);
            assert_eq!((sheet.imbalances, sheet.agreed), (vec![], BTreeMap::from([(exchange, 1)])), "{rows:?}");
        }
    }

    #[test]
    fn what_is_left_out_shows_and_what_is_odd_does_too() {
        use Side::{Buy, Sell};
        let rows = [(Sell, 300, 1_000), (Sell, 200, 500), (Buy, 500, 1_500)];
        let whole = a_match(Exchange::CtfV2, &rows);
        assert_eq!(kinds(&whole), []);
        assert_eq!(kinds(&whole[1..]), [Kind::Shares]);
        assert_eq!(kinds(&whole[2..]), [Kind::NoMaker]);
        assert_eq!(kinds(&whole[..2]), [Kind::NoTaker(Address::repeat_byte(TAKER))], "said once");
        let refund = a_match(Exchange::CtfV1, &[(Sell, 300, 1_000), (Buy, 310, 1_000)]);
        assert_eq!(kinds(&refund), [Kind::Usd], "V1 emits what it pulled before a refund");
        let donation = a_match(Exchange::CtfV1, &[(Sell, 300, 1_000), (Buy, 300, 1_007)]);
        assert_eq!(kinds(&donation), [Kind::Shares]);
        let operator = Address::repeat_byte(0x0b);
        let direct = row(Exchange::CtfV1, 9, operator, Buy, 5, 10);
        let mixed: Vec<Fill> = std::iter::once(direct).chain(whole.clone()).collect();
        assert_eq!(kinds(&mixed), [Kind::NoTaker(operator)], "and the match behind it is judged by itself");
        assert_eq!(add_up(&whole[1..], |_| true), Sheet::default(), "a log that cannot be read is no imbalance");
        let one_unit_off = a_match(Exchange::CtfV2, &[(Sell, 300, 1_000), (Buy, 301, 1_000)]);
        let two_units_off = a_match(Exchange::CtfV2, &[(Sell, 300, 1_000), (Buy, 302, 1_000)]);
        assert_eq!((kinds(&one_unit_off), kinds(&two_units_off)), (vec![], vec![Kind::Usd]));
    }
}
