//! Entries of streams and their ids.

use std::fmt;

use super::stream::Stream;

/// The id of an entry: the millisecond in which it was added, and its number in that millisecond. Ids only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// Unix milliseconds.
    pub ms: u64,
    /// Counts within the millisecond.
    pub seq: u64,
}

impl EntryId {
    /// The greatest id that is smaller than all of a millisecond.
    pub const fn before(ms: u64) -> Self {
        Self { ms: ms.saturating_sub(1), seq: Self::MOST_IN_A_MILLISECOND }
    }

    /// The greatest id of a millisecond.
    pub const fn last_of(ms: u64) -> Self {
        Self { ms, seq: Self::MOST_IN_A_MILLISECOND }
    }

    /// No stream counts further than this within a millisecond.
    const MOST_IN_A_MILLISECOND: u64 = (1 << 20) - 1;
}

/// As Redis writes it: `1784965486000-0`.
impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

impl std::str::FromStr for EntryId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let id = text.split_once('-').and_then(|(ms, seq)| Some(Self { ms: ms.parse().ok()?, seq: seq.parse().ok()? }));
        id.ok_or(NotAnId)
    }
}

/// A text that is not the id of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

/// An entry as a group is given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: EntryId,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// An entry to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// Where to.
    pub stream: Stream,
    /// Its bytes.
    pub body: Vec<u8>,
}
