//! Which imbalances are worth a second look, from what second looks have shown.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};

use super::balance::{Imbalance, Kind, Sheet};
use crate::model::Exchange;

/// A taker without a row of its own, seen so often in two readings that said alike, is an operator: its rows are of
/// `fillOrder`.
const OPERATOR_AFTER: u32 = 3;

/// So many addresses are remembered as possible operators; there are a few dozen.
const MOST_OPERATORS: usize = 1_000;

/// How many matches of V3 must have added up before one that does not is always looked at twice …
const V3_AGREED: u64 = 1_000;

/// … and how many second looks that showed nothing are spent on it before that.
const V3_UNCONFIRMED: u64 = 50;

/// What was learned of imbalances.
#[derive(Debug, Default)]
pub(super) struct Imbalances {
    agreed: BTreeMap<Exchange, u64>,
    /// By contract and kind: how often two readings said alike that it does not add up.
    real: BTreeMap<(Exchange, &'static str), u64>,
    operators: BTreeMap<Address, u32>,
}

impl Imbalances {
    /// The transactions that should be looked at a second time.
    pub(super) fn doubtful(&self, sheet: &Sheet) -> BTreeSet<B256> {
        let doubtful = sheet.imbalances.iter().filter(|imbalance| self.is_doubtful(imbalance));
        doubtful.map(|imbalance| imbalance.transaction).collect()
    }

    fn is_doubtful(&self, Imbalance { exchange, kind, .. }: &Imbalance) -> bool {
        if let Kind::NoTaker(taker) = kind
            && self.operators.get(taker).is_some_and(|seen| *seen >= OPERATOR_AFTER)
        {
            return false;
        }
        let unconfirmed =
            || self.real.iter().filter(|((of, _), _)| of == exchange).map(|(_, count)| count).sum::<u64>();
        *exchange != Exchange::V3 || self.agreed(*exchange) >= V3_AGREED || unconfirmed() < V3_UNCONFIRMED
    }

    fn agreed(&self, exchange: Exchange) -> u64 {
        self.agreed.get(&exchange).copied().unwrap_or_default()
    }

    /// A block goes on as it is.
    pub(super) fn passed(&mut self, sheet: &Sheet, looked_twice: bool) {
        for (exchange, count) in &sheet.agreed {
            let agreed = self.agreed.entry(*exchange).or_default();
            *agreed = agreed.saturating_add(*count);
        }
        for Imbalance { exchange, kind, transaction } in &sheet.imbalances {
            let real = self.real.entry((*exchange, kind.label())).or_default();
            *real = real.saturating_add(1);
            let times = *real;
            if let (true, Kind::NoTaker(taker)) = (looked_twice, kind) {
                self.saw_operator(*taker);
            } else if looked_twice {
                let kind = kind.label();
                tracing::debug!(%exchange, %transaction, kind, times, "a match that does not add up, in two readings");
            }
        }
    }

    /// A taker had no row of its own, say two readings.
    pub(super) fn saw_operator(&mut self, taker: Address) {
        if self.operators.len() < MOST_OPERATORS || self.operators.contains_key(&taker) {
            let seen = self.operators.entry(taker).or_default();
            *seen = seen.saturating_add(1);
        }
    }

    /// How often matches did not add up, by contract and kind.
    #[cfg(test)]
    pub(super) fn counts(&self) -> impl Iterator<Item = (Exchange, &'static str, u64)> {
        self.real.iter().map(|((exchange, kind), count)| (*exchange, *kind, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(exchange: Exchange, kind: Kind) -> Sheet {
        Sheet { imbalances: vec![Imbalance { exchange, transaction: B256::ZERO, kind }], agreed: BTreeMap::new() }
    }

    #[test]
    fn an_operator_is_known_after_three_second_looks() {
        let mut imbalances = Imbalances::default();
        let direct = sheet(Exchange::CtfV1, Kind::NoTaker(Address::repeat_byte(1)));
        for _ in 0..3 {
            assert!(!imbalances.doubtful(&direct).is_empty());
            imbalances.passed(&direct, true);
        }
        assert!(imbalances.doubtful(&direct).is_empty());
        assert!(!imbalances.doubtful(&sheet(Exchange::CtfV1, Kind::NoTaker(Address::repeat_byte(2)))).is_empty());
        for _ in 0..100 {
            imbalances.passed(&sheet(Exchange::CtfV1, Kind::Shares), true);
        }
        assert!(!imbalances.doubtful(&sheet(Exchange::CtfV1, Kind::Shares)).is_empty(), "all else is always looked at");
    }

    #[test]
    fn of_v3_little_is_spent_before_its_matches_are_known_to_add_up() {
        let mut imbalances = Imbalances::default();
        let odd = sheet(Exchange::V3, Kind::Usd);
        for _ in 0..V3_UNCONFIRMED {
            assert!(!imbalances.doubtful(&odd).is_empty());
            imbalances.passed(&odd, true);
        }
        assert!(imbalances.doubtful(&odd).is_empty(), "only counted");
        imbalances.passed(&Sheet { imbalances: vec![], agreed: BTreeMap::from([(Exchange::V3, V3_AGREED)]) }, false);
        assert!(!imbalances.doubtful(&odd).is_empty());
    }
}
