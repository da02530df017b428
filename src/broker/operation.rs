//! What the operations are given, and what becomes of them.

use std::time::Duration;

use super::entry::{EntryId, NewEntry};
use super::stream::Group;

/// A move of a source's cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorCommit {
    /// The cursor: `state:ingest-fills:polygon`.
    pub key: String,
    /// Where it must stand.
    pub expected: String,
    /// Where it goes.
    pub next: String,
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The entries are in and the cursor has moved.
    Now,
    /// The cursor stood at `next` already: an earlier call did it, whose reply was lost.
    Before,
    /// The cursor stands elsewhere, or is not there: nothing was done. Read it again.
    Conflict(Option<String>),
}

/// An input that is done with, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckAndForward {
    /// The input.
    pub id: EntryId,
    /// Its outputs.
    pub outputs: Vec<NewEntry>,
}

/// What a trim may remove of the entries that every group has acknowledged which it must respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Those younger than this stay, as long as there is room.
    pub age: Duration,
    /// Above this many bytes in the stream they go, whatever their age.
    pub bytes: u64,
    /// From this many bytes on only the required groups are respected, and before that all of them.
    pub full: u64,
}

/// What must be there for a pipeline to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The groups, and by them the streams.
    pub groups: Vec<Group>,
    /// The keys of the cursors.
    pub cursors: Vec<String>,
}
