//! The list of tokens of which rows are incomplete: what the resolver has to do.
//!
//! ```text
//! a write:     rows ──▶ entries ──▶ confirmed
//! the resolver:         entries read ──▶ their rows completed ──▶ these entries removed
//! ```
//!
//! An entry is written behind its rows, so whoever reads it sees them; only entries that were read are removed, so one that
//! came in between stays. Both may be done twice, by two processes, or be left undone half-way by a kill: then an entry is
//! there once more than needed, and the next who reads it finds nothing left to complete.

use std::time::Duration;

use crate::model::{TokenId, U256};

/// Rows of a token that an insert may have left incomplete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnresolvedEntry {
    /// The token.
    pub token: TokenId,
    /// The insert. No two attempts have one id, so that no removal can be about an entry that nobody has read.
    pub insert: String,
    /// The time of the first of these rows, in unix seconds, …
    pub first: u32,
    /// … and of the last.
    pub last: u32,
}

/// Where a walk through the list stands: behind the entry of this token and insert.
pub type UnresolvedPlace = (TokenId, String);

/// Some of the list, in the order of tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnresolvedPage {
    /// Those that are not removed. There may be none though more come behind.
    pub entries: Vec<UnresolvedEntry>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<UnresolvedPlace>,
}

/// A part of the trades that is to be compared with the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListScan {
    /// The partition.
    pub partition: String,
    /// The first token, …
    pub from: TokenId,
    /// … and the last.
    pub until: TokenId,
    /// Whether the list is being made: rows of before there was one are no surprise.
    pub is_fill: bool,
}

impl ListScan {
    /// A partition as a whole.
    pub fn of(partition: String, is_fill: bool) -> Self {
        Self { partition, from: TokenId(U256::ZERO), until: TokenId(U256::MAX), is_fill }
    }

    /// Both halves of it; `None` where it is one token.
    pub fn halves(self) -> Option<[Self; 2]> {
        let (TokenId(from), TokenId(until)) = (self.from, self.until);
        let middle = TokenId(from + (until - from) / U256::from(2));
        let behind = TokenId(middle.0 + U256::ONE);
        (from < until).then(|| [Self { until: middle, ..self.clone() }, Self { from: behind, ..self }])
    }
}

/// What such a part came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// These are not on the list. A fill has put them there already, and says only how many.
    Found {
        /// How many there are.
        count: u64,
        /// They themselves; of many the first.
        entries: Vec<UnresolvedEntry>,
    },
    /// It has more rows than one query may read.
    TooLarge,
}

/// Whether the list was ever filled, and which partitions are due to be compared with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListState {
    /// Whether every row that was there before the list is on it.
    pub is_filled: bool,
    /// Partitions that were not compared for [`SCAN_EVERY`], the one that waits longest first.
    pub due: Vec<String>,
}

/// How often each partition is compared with the list.
pub const SCAN_EVERY: Duration = Duration::from_secs(86_400);

/// What a query that is asked again and again cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodicCost {
    /// What it asks for.
    pub query: &'static str,
    /// Rows that it read the last time; `None` where the server does not say.
    pub read_rows: Option<u64>,
}

/// No query that is asked again and again may read more rows.
pub const MOST_READ_ROWS: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_all_of_it_and_end_at_one_token() {
        let whole = ListScan::of("202607".into(), false);
        let [first, second] = whole.clone().halves().unwrap();
        assert_eq!((first.from, second.until), (whole.from, whole.until));
        assert_eq!(first.until.0 + U256::ONE, second.from.0);
        let mut part = whole;
        for _ in 0..255 {
            part = part.halves().unwrap()[1].clone();
        }
        let [first, second] = part.halves().unwrap();
        assert_eq!((first.from, first.until, second.from), (first.until, first.from, second.until));
        assert_eq!((first.halves(), second.halves()), (None, None));
    }
}
