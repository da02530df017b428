//! How entries move: streams, consumer groups, and three operations that are atomic and may be repeated.
//!
//! [`append`](Broker::append) moves a source's cursor together with the entries that it stands for,
//! [`forward`](Broker::forward) acknowledges an input together with adding its outputs, and
//! [`acknowledge`](Broker::acknowledge) ends an entry's way. Each checks everything before its first write, and each
//! may be repeated after a lost reply without doubling anything. So a stage may be killed between any two of them.
//!
//! Streams and groups are parameters everywhere: a replay runs the same stages over streams of its own.

mod embedded;
mod redis;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::breaker::Breaker;
use crate::embedded::StorageError;
use crate::failure::FailureClass;

pub use embedded::EmbeddedBroker;
pub use redis::{RedisBroker, RedisConfig, RedisFailure, RedisServer};

/// Entries in one `append` or `forward`, at most: Redis runs each as one script, whose arguments are bounded.
pub const MAX_ENTRIES: usize = 1_000;

/// Bytes in one `append` or `forward`, at most.
pub const MAX_BYTES: usize = 4 << 20;

/// The name of a stream: `stream:trades`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream(String);

impl Stream {
    /// A stream by its name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Markets as they were read: `stream:markets`.
    pub fn markets() -> Self {
        Self::new("stream:markets")
    }

    /// Fills as they were read: `stream:order_events`.
    pub fn order_events() -> Self {
        Self::new("stream:order_events")
    }

    /// Trades on their way to the warehouse: `stream:trades`.
    pub fn trades() -> Self {
        Self::new("stream:trades")
    }

    /// What was refused: `stream:dead_letters`.
    pub fn dead_letters() -> Self {
        Self::new("stream:dead_letters")
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A group of this stream.
    pub fn group(&self, name: impl Into<String>) -> Group {
        Group { stream: self.clone(), name: name.into() }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A consumer group: it is given every entry of its stream until it has acknowledged it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The stream that it reads.
    pub stream: Stream,
    /// Its name: `trade_writers`.
    pub name: String,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name, self.stream)
    }
}

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

/// A move of a source's cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
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
pub struct Handover {
    /// The input.
    pub id: EntryId,
    /// Its outputs.
    pub outputs: Vec<NewEntry>,
}

/// What a trim may remove of the entries that every group has acknowledged which it must respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Those younger than this stay, as long as there is room.
    pub age: Duration,
    /// Above this many bytes in the stream they go, whatever their age.
    pub bytes: u64,
    /// From this many bytes on only the required groups are respected, and before that all of them.
    pub full: u64,
}

/// What is in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// Entries.
    pub entries: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Entries that were added, counted from some moment on: what it grows by tells the pace.
    pub added: u64,
    /// The id of the newest ever added; zero if there never was one.
    pub last_id: EntryId,
    /// Its groups, by name.
    pub groups: Vec<GroupState>,
}

/// Where a group stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupState {
    /// Its name.
    pub name: String,
    /// Entries that were given out and not acknowledged.
    pub pending: u64,
    /// Entries that were not given out yet.
    pub undelivered: u64,
    /// Bytes of both.
    pub unacknowledged_bytes: u64,
    /// Everything up to here is acknowledged.
    pub clear_up_to: EntryId,
    /// Entries that were trimmed before it had acknowledged them.
    pub lost: u64,
}

/// The memory that streams are kept in, as far as it is bounded by more than the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes that are in use.
    pub used: u64,
    /// Bytes that may be in use; `None` for as many as there are.
    pub limit: Option<u64>,
}

impl Memory {
    /// Where what everybody has read goes, whatever its age.
    pub const TIGHT: u64 = 70;

    /// Where nothing new may come in.
    pub const FULL: u64 = 85;

    /// How much of its limit is in use, in percent; `None` without one.
    pub fn percent(&self) -> Option<u64> {
        let limit = self.limit.filter(|limit| *limit > 0)?;
        u64::try_from(u128::from(self.used) * 100 / u128::from(limit)).ok()
    }
}

/// What must be there for a pipeline to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The groups, and by them the streams.
    pub groups: Vec<Group>,
    /// The keys of the cursors.
    pub cursors: Vec<String>,
}

/// A moment in the life of the streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which life, and where the streams may come back as they were before: which stretch of it. Where two marks agree in
    /// this, nothing was taken back between them.
    pub generation: String,
    /// Where the cursor stands.
    pub cursor: Option<String>,
    /// The newest id of the stream; zero if there never was one.
    pub last_id: EntryId,
}

/// Streams, groups and cursors.
#[async_trait]
pub trait Broker: Send + Sync {
    /// Joins the life of the streams that is under way.
    ///
    /// Fails with [`BrokerError::Lost`] where there is none or a part of the layout is missing: then call
    /// [`begin`](Self::begin). Every operation fails with it, too, once that life has ended.
    async fn join(&self, layout: &Layout) -> Result<(), BrokerError>;

    /// Begins a new life and joins it: every group is created at the start of its stream and every cursor is set.
    async fn begin(&self, layout: &Layout, cursors: &[(String, String)]) -> Result<(), BrokerError>;

    /// Where a cursor stands.
    async fn cursor(&self, key: &str) -> Result<Option<String>, BrokerError>;

    /// Adds entries and moves a cursor, if that stands where it is expected. At most [`MAX_ENTRIES`] and
    /// [`MAX_BYTES`]; no entries at all are fine.
    async fn append(&self, entries: Vec<NewEntry>, advance: Advance) -> Result<Appended, BrokerError>;

    /// Acknowledges each input and adds its outputs, where that acknowledgement was the first. Says how many were.
    async fn forward(&self, group: &Group, handovers: Vec<Handover>) -> Result<usize, BrokerError>;

    /// Acknowledges entries. Says of how many it was the first acknowledgement.
    async fn acknowledge(&self, group: &Group, ids: Vec<EntryId>) -> Result<usize, BrokerError>;

    /// A reader for a group. It is given first what was given out before and is held by nobody alive.
    async fn reader(&self, group: &Group) -> Result<Box<dyn Reader>, BrokerError>;

    /// Makes a group that is given every entry behind `after`. One that is there stays as it is.
    async fn open_group(&self, group: &Group, after: EntryId) -> Result<(), BrokerError>;

    /// Ends a group, with whatever it has not acknowledged. One that is not there is fine.
    async fn close_group(&self, group: &Group) -> Result<(), BrokerError>;

    /// The oldest entry of a stream behind an id.
    async fn oldest(&self, stream: &Stream, after: EntryId) -> Result<Option<EntryId>, BrokerError>;

    /// How many entries a stream holds behind one id, up to another.
    async fn count(&self, stream: &Stream, after: EntryId, up_to: EntryId) -> Result<u64, BrokerError>;

    /// Removes entries from the old end, never one that a required group has not acknowledged, and none while a required
    /// group is missing. Other groups are respected, too, until the stream is [full](Keep::full); what they lose then is
    /// [counted](GroupState::lost). Says how many. Removes a bounded number a call: call again while it removes any.
    async fn trim(&self, stream: &Stream, required: &[Group], keep: Keep) -> Result<usize, BrokerError>;

    /// What is in a stream.
    async fn stream(&self, stream: &Stream) -> Result<StreamState, BrokerError>;

    /// A cursor and the newest id of a stream, of one moment.
    async fn mark(&self, key: &str, stream: &Stream) -> Result<Mark, BrokerError>;

    /// Whether the group has acknowledged every entry up to `id`, given out or not.
    async fn is_clear(&self, group: &Group, id: EntryId) -> Result<bool, BrokerError>;

    /// Whether this process is the one that does what `name` stands for: it holds that already, or nobody who lives does, and
    /// then it does from now on. A store of one process has nobody else.
    async fn hold(&self, name: &str) -> Result<bool, BrokerError> {
        let _ = name;
        Ok(true)
    }

    /// Leaves it to others.
    async fn release(&self, name: &str) -> Result<(), BrokerError> {
        let _ = name;
        Ok(())
    }

    /// What keeps its server from being asked by everybody while it is away; `None` where there is no server.
    fn breaker(&self) -> Option<Breaker> {
        None
    }

    /// The memory that the streams are kept in; `None` where they are not, or where that may not be asked.
    async fn memory(&self) -> Result<Option<Memory>, BrokerError> {
        Ok(None)
    }
}

/// Reads on behalf of a group.
#[async_trait]
pub trait Reader: Send + Sync {
    /// The next entries in order, at most `max` and about `max_bytes`; none after `wait` if none came.
    async fn read(&mut self, max: usize, max_bytes: usize, wait: Duration) -> Result<Vec<Delivery>, BrokerError>;
}

/// Why the broker did not do it. Nothing was done then, unless it is ambiguous, and then it may be repeated.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The streams were lost, in part or as a whole, or somebody began a new life of them.
    #[error("the streams were lost: {0}")]
    Lost(String),
    /// Another reader of the group has taken over.
    #[error("another reader took over {0}")]
    Superseded(Group),
    /// More than one call may carry.
    #[error("{entries} entries of {bytes} bytes are too many for one call")]
    TooLarge {
        /// How many.
        entries: usize,
        /// How large together.
        bytes: usize,
    },
    /// Entries with a cursor that does not move: a repetition could not be told from the first call.
    #[error("{entries} entries, but {key} does not move")]
    NoMove {
        /// The cursor.
        key: String,
        /// How many entries.
        entries: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Redis failed, or the way to it.
    #[error(transparent)]
    Redis(#[from] RedisFailure),
}

impl BrokerError {
    /// What to do about it.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Lost(_) => FailureClass::Repair,
            Self::Superseded(_) => FailureClass::Reconnect,
            Self::TooLarge { .. } | Self::NoMove { .. } => FailureClass::Deterministic,
            Self::Storage(error) => error.class(),
            Self::Redis(failure) => failure.class(),
        }
    }
}

/// Refuses an append that cannot be done, or not be repeated.
pub(crate) fn check_append(entries: &[NewEntry], advance: &Advance) -> Result<(), BrokerError> {
    if !entries.is_empty() && advance.expected == advance.next {
        return Err(BrokerError::NoMove { key: advance.key.clone(), entries: entries.len() });
    }
    check_size(entries.iter())
}

/// Refuses what one call may not carry.
pub(crate) fn check_size<'a>(entries: impl Iterator<Item = &'a NewEntry>) -> Result<(), BrokerError> {
    let (count, bytes) = entries.fold((0, 0), |(count, bytes), entry| (count + 1, bytes + entry.body.len()));
    if count > MAX_ENTRIES || bytes > MAX_BYTES {
        return Err(BrokerError::TooLarge { entries: count, bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_without_a_limit_is_never_full() {
        let percent = |used, limit| Memory { used, limit }.percent();
        assert_eq!([percent(7, None), percent(7, Some(0))], [None, None]);
        assert_eq!(
            [percent(0, Some(9)), percent(699, Some(1_000)), percent(9, Some(8))],
            [Some(0), Some(69), Some(112)]
        );
        assert_eq!(percent(u64::MAX, Some(u64::MAX)), Some(100));
    }
}
