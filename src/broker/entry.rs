//! Entries of streams and their ids.

use std::fmt;

use super::stream::Stream;
use crate::model::entry::weight;

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

/// How much an entry is. Everything that is counted of streams is counted in events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Events.
    pub(super) events: u64,
    /// Bytes of the body.
    pub(super) bytes: u64,
}

impl Size {
    /// Of an entry with this body.
    pub(super) fn of(body: &[u8]) -> Self {
        Self { events: weight(body).into(), bytes: body.len() as u64 }
    }
}

impl std::ops::Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { events: self.events + other.events, bytes: self.bytes + other.bytes }
    }
}

impl std::ops::Sub for Size {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { events: self.events - other.events, bytes: self.bytes - other.bytes }
    }
}

impl std::iter::Sum for Size {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::default(), std::ops::Add::add)
    }
}

/// An entry to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// Where to.
    pub stream: Stream,
    /// Its bytes.
    pub body: Vec<u8>,
}
