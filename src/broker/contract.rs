//! What every broker does.

use std::time::Duration;

use async_trait::async_trait;

use super::entry::{Delivery, EntryId, NewEntry};
use super::operation::{AckAndForward, Appended, CursorCommit, Layout, Retention};
use super::state::{Barrier, StreamState};
use super::stream::{Group, Stream};
use super::{error::Result, memory::Memory};
use crate::breaker::Breaker;

/// Streams, groups and cursors.
#[async_trait]
pub trait Broker: Send + Sync {
    /// Joins the session of the streams that is under way.
    ///
    /// Fails with [`BrokerError::Lost`](super::BrokerError::Lost) where there is none or a part of the layout is missing: then call
    /// [`begin`](Self::begin). Every operation fails with it, too, once that session has ended.
    async fn join(&self, layout: &Layout) -> Result<()>;

    /// Begins a new session and joins it: every group is created at the start of its stream and every cursor is set.
    async fn begin(&self, layout: &Layout, cursors: &[(String, String)]) -> Result<()>;

    /// Makes a stream with its group in the session that was joined, where there never was one of that name: an older pipeline had
    /// fewer of them. One of which anything is there stays as it is.
    async fn add_stream(&self, group: &Group) -> Result<()>;

    /// Where a cursor stands.
    async fn cursor(&self, key: &str) -> Result<Option<String>>;

    /// Adds entries and moves a cursor, if that stands where it is expected. At most
    /// [`MAX_ENTRIES`](super::MAX_ENTRIES) and [`MAX_BYTES`](super::MAX_BYTES); no entries at all are fine.
    async fn append(&self, entries: Vec<NewEntry>, advance: CursorCommit) -> Result<Appended>;

    /// Acknowledges each input and adds its outputs, where that acknowledgement was the first. Says of how many events it was.
    async fn forward(&self, group: &Group, forwards: Vec<AckAndForward>) -> Result<usize>;

    /// Acknowledges entries. Says of how many events it was the first acknowledgement.
    async fn acknowledge(&self, group: &Group, ids: Vec<EntryId>) -> Result<usize>;

    /// A reader for a group. It is given first what was given out before and is held by nobody alive.
    async fn reader(&self, group: &Group) -> Result<Box<dyn Reader>>;

    /// Makes a group that is given every entry behind `after`. One that is there stays as it is.
    async fn open_group(&self, group: &Group, after: EntryId) -> Result<()>;

    /// Ends a group, with whatever it has not acknowledged. One that is not there is fine.
    async fn close_group(&self, group: &Group) -> Result<()>;

    /// The oldest entry of a stream behind an id.
    async fn oldest(&self, stream: &Stream, after: EntryId) -> Result<Option<EntryId>>;

    /// How many events a stream holds behind one id, up to another.
    async fn count(&self, stream: &Stream, after: EntryId, up_to: EntryId) -> Result<u64>;

    /// Removes entries from the old end, never one that a required group has not acknowledged, and none while a required
    /// group is missing. Other groups are respected, too, until the stream is [full](Retention::full); what they lose then is
    /// [counted](super::GroupState::lost). Says how many. Removes a bounded number a call: call again while it removes any.
    async fn trim(&self, stream: &Stream, required: &[Group], keep: Retention) -> Result<usize>;

    /// What is in a stream.
    async fn stream(&self, stream: &Stream) -> Result<StreamState>;

    /// A cursor and the newest id of a stream, of one moment.
    async fn barrier(&self, key: &str, stream: &Stream) -> Result<Barrier>;

    /// Whether the group has acknowledged every entry up to `id`, given out or not.
    async fn is_clear(&self, group: &Group, id: EntryId) -> Result<bool>;

    /// Takes the lease `name`, or renews it. Whether this process has it now: not while another one that is alive does. An
    /// embedded store has one process alone.
    async fn acquire_lease(&self, name: &str) -> Result<bool> {
        let _ = name;
        Ok(true)
    }

    /// Gives the lease up, if this process has it.
    async fn release_lease(&self, name: &str) -> Result<()> {
        let _ = name;
        Ok(())
    }

    /// What keeps its server from being asked by everybody while it is away; `None` where there is no server.
    fn breaker(&self) -> Option<Breaker> {
        None
    }

    /// The memory that the streams are kept in; `None` where they are not, or where that may not be asked.
    async fn memory(&self) -> Result<Option<Memory>> {
        Ok(None)
    }
}

/// Reads on behalf of a group.
#[async_trait]
pub trait Reader: Send + Sync {
    /// The next entries in order, of about `max` events and `max_bytes` at most; none after `wait` if none came. One entry
    /// comes whatever its size.
    async fn read(&mut self, max: usize, max_bytes: usize, wait: Duration) -> Result<Vec<Delivery>>;
}
