//! **Matches balance**: a doubt, never a verdict.
//!
//! The rows of one exchange in one transaction, in the order of the log, form matches: maker rows, each naming the wallet of
//! the taker, then the row whose taker is the exchange. The shares of the maker rows add up to the taker's. So does usd, where
//! a maker row on the taker's own side (tokens are made or destroyed for the two) counts `shares - usd`, to one unit of 10⁻⁶ a
//! maker row.
//!
//! It is no law. V1 emits what it pulled before a refund, and as received all that the contract held, a donation too; rows of
//! `fillOrder` have no taker row; of V3 nothing recorded is known. So what does not balance is only read a second time.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};

use crate::model::{Exchange, Fill};

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
    let mut open: BTreeMap<(B256, Exchange), Vec<&Fill>> = BTreeMap::new();
    let mut sheet = Sheet::default();
    for row in rows.into_iter().filter(|row| !skip(row.transaction_hash)) {
        let makers = open.entry((row.transaction_hash, row.exchange)).or_default();
        if row.is_taker_row() {
            let before = std::mem::take(makers);
            sheet.close(row, &before);
        } else {
            makers.push(row);
        }
    }
    for row in open.into_values().flatten() {
        sheet.without_taker(row);
    }
    sheet.imbalances.sort_unstable();
    sheet.imbalances.dedup();
    sheet
}

impl Sheet {
    /// A match ends with the row of its taker; maker rows before it that name another wallet are none of it.
    fn close(&mut self, taker: &Fill, before: &[&Fill]) {
        let (makers, others): (Vec<&Fill>, Vec<&Fill>) = before.iter().partition(|row| row.taker == taker.maker);
        for row in others {
            self.without_taker(row);
        }
        match weigh(taker, &makers) {
            Some(kind) => self.note(taker, kind),
            None => *self.agreed.entry(taker.exchange).or_default() += 1,
        }
    }

    fn without_taker(&mut self, row: &Fill) {
        self.note(row, Kind::NoTaker(row.taker));
    }

    fn note(&mut self, row: &Fill, kind: Kind) {
        self.imbalances.push(Imbalance { exchange: row.exchange, transaction: row.transaction_hash, kind });
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
