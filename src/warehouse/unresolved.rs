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

use std::{collections::BTreeMap, time::Duration};

use rand::RngExt;

use crate::clock::unix_ms;
use crate::model::{TokenId, Trade, U256};

/// Which rows may still be completed: all but those of a market that names their outcome, and of combos (positions of module 3), which
/// have no market. Every statement says it in these words, and [`Resolution::is_complete`](crate::model::Resolution::is_complete) says
/// it of a row in memory.
const IS_OPEN: &str = include_str!("../../schema/queries/is_open.sql");

/// A statement with that condition in the places that are left for it, in which a store says in its own words how the condition id of a
/// position of module 3 begins.
pub(super) fn with_condition(sql: &str, is_of_module_3: &str) -> String {
    sql.replace("{is_open}", IS_OPEN.trim_end()).replace("{is_of_module_3}", is_of_module_3)
}

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

impl UnresolvedEntry {
    /// An entry that stands for several of its token and its month.
    pub fn fresh(one: &Self, first: u32, last: u32) -> Self {
        Self { token: one.token, insert: insert_in(&fresh_insert(), one.month()), first, last }
    }

    /// The year and the month of its rows.
    pub fn month(&self) -> (i16, i8) {
        month(self.first)
    }
}

/// The id of one attempt to write rows. Never the same again, and in the order of time.
pub(super) fn fresh_insert() -> String {
    format!("{:011x}{:016x}", unix_ms(), rand::rng().random::<u64>())
}

/// The entries of one attempt to write rows: one for each token that is not complete in each month, so that none spans more
/// than a month whatever times come together in a batch.
pub(super) fn entries_of<'a>(rows: impl IntoIterator<Item = &'a Trade>) -> Vec<UnresolvedEntry> {
    let mut times: BTreeMap<(TokenId, (i16, i8)), (u32, u32)> = BTreeMap::new();
    for Trade { fill, .. } in rows.into_iter().filter(|row| !row.resolution.is_complete(row.fill.token_id)) {
        let at = u32::try_from(fill.timestamp).unwrap_or(u32::MAX);
        let (first, last) = times.entry((fill.token_id, month(at))).or_insert((at, at));
        (*first, *last) = (at.min(*first), at.max(*last));
    }
    let attempt = fresh_insert();
    let entry =
        |((token, month), (first, last))| UnresolvedEntry { token, insert: insert_in(&attempt, month), first, last };
    times.into_iter().map(entry).collect()
}

/// The id of an attempt in a month.
fn insert_in(attempt: &str, (year, month): (i16, i8)) -> String {
    format!("{attempt}-{year:04}{month:02}")
}

/// The year and the month of a second, in UTC.
fn month(second: u32) -> (i16, i8) {
    let date = jiff::Timestamp::UNIX_EPOCH.saturating_add(jiff::SignedDuration::from_secs(second.into()));
    let date = date.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(jiff::tz::TimeZone::UTC);
    (date.year(), date.month())
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
    /// The first block time, in unix seconds, …
    pub since: u32,
    /// … and the last.
    pub last: u32,
    /// Whether the list is being made: rows of before there was one are no surprise.
    pub is_fill: bool,
}

impl ListScan {
    /// A partition as a whole.
    pub fn of(partition: String, is_fill: bool) -> Self {
        Self { partition, from: TokenId(U256::ZERO), until: TokenId(U256::MAX), since: 0, last: u32::MAX, is_fill }
    }

    /// Two parts of it: halves of its tokens, or where it is one token of its time; `None` where it is one second of one.
    pub fn parts(self) -> Option<[Self; 2]> {
        if self.from < self.until {
            return self.halves();
        }
        let middle = self.since + (self.last - self.since) / 2;
        (self.since < self.last).then(|| [Self { last: middle, ..self.clone() }, Self { since: middle + 1, ..self }])
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
    use crate::model::{Amount, Exchange, Fill, NonUsdcSide, Resolution, Side};

    fn trade(token: u64, timestamp: u64, resolution: Resolution) -> Trade {
        let fill = Fill {
            block_number: 1,
            log_index: 1,
            timestamp,
            transaction_hash: [1; 32].into(),
            source_id: String::new(),
            order_hash: [2; 32].into(),
            exchange: Some(Exchange::CtfV1),
            token_id: TokenId(U256::from(token)),
            maker: [3; 20].into(),
            taker: [4; 20].into(),
            side: Side::Buy,
            usd: Amount::ZERO,
            shares: Amount::ZERO,
            fee: Amount::ZERO,
            match_log_index: None,
            outcome_slot: None,
        };
        Trade { fill, resolution }
    }

    /// The index of the embedded store says it, too, in a file that is never edited: else no statement would be answered by it.
    #[test]
    fn which_rows_are_open_is_said_in_one_place() {
        let mut said = Vec::new();
        let mut rooms =
            vec![concat!(env!("CARGO_MANIFEST_DIR"), "/schema").into(), env!("CARGO_MANIFEST_DIR").to_owned() + "/src"];
        while let Some(room) = rooms.pop() {
            for entry in std::fs::read_dir(room).unwrap() {
                let path = entry.unwrap().path();
                let path = path.to_str().unwrap();
                match std::fs::read_to_string(path) {
                    Err(_) => rooms.push(path.to_owned()),
                    Ok(text) if text.contains("version < 2 OR") && !path.ends_with("unresolved.rs") => {
                        said.push(path.to_owned())
                    }
                    Ok(_) => {}
                }
            }
        }
        said.sort();
        let files = [
            "schema/embedded/0006_unresolved.sql",
            "schema/embedded/0007_trades_goldsky.sql",
            "schema/queries/is_open.sql",
        ];
        assert!(
            said.len() == files.len() && said.iter().zip(files).all(|(said, file)| said.ends_with(file)),
            "{said:?}"
        );
    }

    #[test]
    fn every_token_that_is_not_complete_has_an_entry_a_month() {
        let market = |outcome: &str| Resolution::Market {
            condition_id: "0xc0".into(),
            outcome: outcome.into(),
            market_id: "7".into(),
            side: NonUsdcSide(1),
        };
        let (july, august) = (1_785_542_399, 1_785_542_400);
        let rows = [
            trade(9, july, Resolution::Unknown),
            trade(9, july - 5, Resolution::Unknown),
            trade(9, august, Resolution::Unknown),
            trade(8, july, market("Yes")),
            trade(7, july, market("")),
        ];
        let entries = entries_of(&rows);
        let found: Vec<_> = entries.iter().map(|entry| (entry.token.0.to::<u64>(), entry.first, entry.last)).collect();
        let (july, august) = (july as u32, august as u32);
        assert_eq!(found, [(7, july, july), (9, july - 5, july), (9, august, august)]);
        let (attempt, month) = entries[0].insert.split_once('-').unwrap();
        assert_eq!((attempt, month), (entries[2].insert.split_once('-').unwrap().0, "202607"));
        assert!(entries[1].insert != entries[2].insert && entries[2].insert.ends_with("-202608"));
        assert_ne!(entries_of(&rows)[0].insert, entries[0].insert, "another attempt is another insert");
    }

    #[test]
    fn parts_are_all_of_it_and_end_at_one_second_of_one_token() {
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
        assert_eq!((first.clone().halves(), second.halves()), (None, None));
        let [early, late] = first.parts().unwrap();
        assert_eq!((early.since, early.last + 1, late.since, late.last), (0, late.since, 1 << 31, u32::MAX));
        let mut part = late;
        for _ in 0..31 {
            part = part.parts().unwrap()[0].clone();
        }
        assert_eq!((part.since, part.last, part.parts()), (1 << 31, 1 << 31, None));
    }
}
