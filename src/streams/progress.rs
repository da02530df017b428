//! How far everything has come.

use std::{collections::BTreeMap, fmt, time::Instant};

use crate::source::{Frontier, Position, SourceState};

/// How far everything has come.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The sources of fills, by their names.
    sources: BTreeMap<&'static str, SourceProgress>,
    /// The markets.
    pub markets: MarketProgress,
    /// The tokens of trades that have no market yet.
    pub tokens: TokenProgress,
}

impl Progress {
    /// How far a source has come.
    pub fn of(&self, source: &str) -> SourceProgress {
        self.sources.get(source).cloned().unwrap_or_default()
    }

    /// Whether any source has begun. The chain begins before all others.
    pub(crate) fn has_begun(&self) -> bool {
        self.sources.values().any(|source| source.cursor.is_some())
    }

    pub(crate) fn of_mut(&mut self, source: &'static str) -> &mut SourceProgress {
        self.sources.entry(source).or_default()
    }
}

/// Where a source's events are.
#[derive(Clone, Debug, Default)]
pub struct SourceProgress {
    /// How far it can be read, and when that was last confirmed.
    pub frontier: Option<(Frontier, Instant)>,
    /// Every event before this is in the streams or beyond.
    pub cursor: Option<Position>,
    /// Every event before this is in the tables.
    pub watermark: Option<Position>,
    /// When the ingester last knew that its cursor is where it left it, so that what it says of the streams is true.
    pub confirmed: Option<Instant>,
    /// From this block on rows may be missing, until they have been read again.
    pub in_doubt: Option<u64>,
    /// What the source has found out about its providers.
    pub state: SourceState,
}

/// How far markets have been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketProgress {
    /// How often their reading began anew in this run, knowing nothing of the streams. What follows is of the last time.
    pub session: u64,
    /// How often everything that was due has been read: first all open markets, then what is new.
    pub rounds: u64,
    /// When the last of those ended.
    pub last_round: Option<Instant>,
    /// How many pages of the open ones have been read in one go, at most.
    pub open_pages: u64,
    /// How many pages of the closed ones of the past have been read in this run.
    pub history_pages: u64,
    /// Whether all closed ones of the past have been read.
    pub history_read: bool,
    /// How many fields were of another type than expected in this run, and so taken as unknown.
    pub misread: u64,
    /// What of the open markets, and of the closed ones, the source cannot list.
    pub gaps: [Option<ListingGap>; 2],
    /// How many moves are in the stream or beyond.
    pub cursor: Option<u64>,
    /// How many of them are in the table.
    pub watermark: Option<u64>,
    /// When the ingester last knew that its cursor is where it left it.
    pub confirmed: Option<Instant>,
}

/// What a source fails on in a listing, from whichever end it is read: mostly one market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListingGap {
    /// The id of the market in front of it, as a number.
    pub behind: Option<u64>,
    /// The id of the market behind it.
    pub before: Option<u64>,
}

/// Where it is, in words.
impl fmt::Display for ListingGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.behind, self.before) {
            (Some(behind), Some(before)) => write!(f, "between {behind} and {before}"),
            (Some(behind), None) => write!(f, "behind {behind}"),
            (None, Some(before)) => write!(f, "before {before}"),
            (None, None) => f.write_str("at its beginning"),
        }
    }
}

/// How many tokens are not resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenProgress {
    /// How often all of them have been looked at in this run.
    pub sweeps: u64,
    /// Whether they are being looked at, since a moment behind the end of the last of those times.
    pub is_sweeping: bool,
    /// How many there were, the last time.
    pub unresolved: u64,
    /// How many of those nobody has been asked about in this run.
    pub untried: u64,
    /// How many tokens with incomplete rows were found in this run that were not on the list of what is to be done.
    pub missed: u64,
    /// When that was known.
    pub at: Option<Instant>,
}
