//! What is wrong with the subgraph for as long as it is switched on.
//!
//! Which rows are malformed follows from the row, so the subgraph says the same of it every time, and the truth knows it: a
//! malformed row is a dead letter.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::demo::ids::{Kind, id};

/// How the subgraph fares. The default is a healthy one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubgraphFaults {
    /// It is so many blocks behind the chain, in good health a few.
    pub lag: u64,
    /// Its data ends with this block, and `_meta` goes on.
    pub frozen_at: Option<u64>,
    /// `_meta` says that there are indexing errors …
    pub has_indexing_errors: bool,
    /// … and does not say its block's time.
    pub no_meta_timestamp: bool,
    /// Of the rows one in so many has numbers instead of strings, as a writer that computes with floats has them: the
    /// token is lost …
    pub number_rows: Option<u64>,
    /// … one lacks a field …
    pub missing_rows: Option<u64>,
    /// … one has an amount above 2^128 …
    pub huge_rows: Option<u64>,
    /// … and of one the id is not `transaction_order`.
    pub unnamed_rows: Option<u64>,
    /// Every row that `first` allows takes so many microseconds, whether there is one or not.
    pub row_cost_us: u64,
    /// A larger `first` is answered with `Query timed out`, at once.
    pub times_out_above: Option<u64>,
    /// Who does not bear this token gets a 401.
    pub token: Option<String>,
}

impl Default for SubgraphFaults {
    fn default() -> Self {
        Self {
            lag: 4,
            frozen_at: None,
            has_indexing_errors: false,
            no_meta_timestamp: false,
            number_rows: None,
            missing_rows: None,
            huge_rows: None,
            unnamed_rows: None,
            row_cost_us: 0,
            times_out_above: None,
            token: None,
        }
    }
}

/// What is wrong with one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::demo) struct Malformed {
    pub(in crate::demo) has_numbers: bool,
    /// A number by which the missing field is chosen.
    pub(in crate::demo) lacks: Option<u64>,
    pub(in crate::demo) is_huge: bool,
    pub(in crate::demo) is_unnamed: bool,
}

impl SubgraphFaults {
    /// The newest block that it has indexed, under a head of the chain.
    pub(in crate::demo) fn indexed(&self, head: u64) -> u64 {
        head.saturating_sub(self.lag)
    }

    /// The last block of which it has rows.
    pub(in crate::demo) fn data_end(&self, head: u64) -> u64 {
        let indexed = self.indexed(head);
        self.frozen_at.map_or(indexed, |block| block.min(indexed))
    }

    /// What is wrong with the row of an order in a transaction.
    pub(in crate::demo) fn malformed(&self, seed: u64, transaction: &B256, order: &B256) -> Malformed {
        let chosen = |rate: Option<u64>, mark: u64| {
            let rate = rate?.max(1);
            let hash = head(&id(seed, Kind::Lie, [5, mark, head(transaction), head(order)]));
            hash.is_multiple_of(rate).then_some(hash / rate)
        };
        Malformed {
            has_numbers: chosen(self.number_rows, 0).is_some(),
            lacks: chosen(self.missing_rows, 1),
            is_huge: chosen(self.huge_rows, 2).is_some(),
            is_unnamed: chosen(self.unnamed_rows, 3).is_some(),
        }
    }
}

impl Malformed {
    pub(in crate::demo) fn any(self) -> bool {
        self != Self::default()
    }
}

fn head(hash: &B256) -> u64 {
    u64::from_be_bytes(hash[..8].try_into().unwrap_or_default())
}
