//! The head of a batch: how many events, of which places, and whether they are as they were written.

use crate::model::entry::error::EntryError;

/// The version byte.
pub(in crate::model::entry) const VERSION: u8 = 2;

/// Bytes of a head.
pub(super) const SIZE: usize = 28;

/// Set in the kind where places are seconds.
const IS_TIME: u8 = 0x80;

/// Which part of its source an entry stands for: from the first to the last place, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first place: a block number, or a unix second.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// Whether places are unix seconds: the source has no blocks.
    pub is_time: bool,
}

/// What an entry holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fills = 1,
    Trades = 2,
}

/// How many events an entry holds: version 2 says so behind its version byte, and any other is one event.
///
/// The Lua scripts say the same, `weight_of` in `prelude.lua`.
pub fn weight(body: &[u8]) -> u32 {
    match body {
        [VERSION, high, low, ..] => u32::from(u16::from_be_bytes([*high, *low])).max(1),
        _ => 1,
    }
}

impl Span {
    /// Of an entry whose head is whole, whether its events are or not.
    pub fn of(body: &[u8]) -> Option<Self> {
        let head = body.first_chunk::<SIZE>().filter(|head| head[0] == VERSION)?;
        let sum = u32::from_be_bytes(*head[20..].first_chunk()?);
        let place = |at: usize| head[at..].first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        let span = Self { first: place(4)?, last: place(12)?, is_time: head[3] & IS_TIME != 0 };
        (crc32fast::hash(&head[..20]) == sum).then_some(span)
    }
}

/// An entry of so many events, written out as `rows`.
pub(super) fn write(events: usize, kind: Kind, span: Span, rows: &[u8]) -> Vec<u8> {
    let mut entry = Vec::with_capacity(SIZE + rows.len());
    entry.push(VERSION);
    entry.extend(u16::try_from(events).unwrap_or(u16::MAX).to_be_bytes());
    entry.push(kind as u8 | if span.is_time { IS_TIME } else { 0 });
    entry.extend(span.first.to_be_bytes());
    entry.extend(span.last.to_be_bytes());
    entry.extend(crc32fast::hash(&entry).to_be_bytes());
    entry.extend(crc32fast::hash(rows).to_be_bytes());
    entry.extend(rows);
    entry
}

/// How many events an entry of this kind holds, and how they are written out.
pub(super) fn read(body: &[u8], kind: Kind) -> Result<(usize, &[u8]), EntryError> {
    let malformed = |what: &str| EntryError::Malformed(what.to_owned());
    let (head, rows) = body.split_first_chunk::<SIZE>().ok_or_else(|| malformed("its head is cut off"))?;
    if Span::of(body).is_none() {
        return Err(malformed("the checksum of its head is wrong"));
    }
    if crc32fast::hash(rows).to_be_bytes() != head[24..] {
        return Err(malformed("the checksum of its events is wrong"));
    }
    if head[3] & !IS_TIME != kind as u8 {
        return Err(malformed("it holds events of another kind"));
    }
    Ok((usize::from(u16::from_be_bytes([head[1], head[2]])), rows))
}
