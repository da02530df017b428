//! How streams and their groups stand.

use super::entry::EntryId;

/// What is in a stream, counted in events: an entry of a batch is as many as it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// Events.
    pub events: u64,
    /// Bytes of the bodies of their entries.
    pub bytes: u64,
    /// Events that were added, counted from some moment on: what it grows by tells the pace.
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
    /// Events that were given out and not acknowledged.
    pub pending: u64,
    /// Events that were not given out yet.
    pub undelivered: u64,
    /// Bytes of both.
    pub unacknowledged_bytes: u64,
    /// Everything up to here is acknowledged.
    pub clear_up_to: EntryId,
    /// Events that were trimmed before it had acknowledged them.
    pub lost: u64,
}

/// A moment in the session of the streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barrier {
    /// Which session, and where the streams may come back as they were before: which stretch of it. Where two marks agree in
    /// this, nothing was taken back between them.
    pub generation: String,
    /// Where the cursor stands.
    pub cursor: Option<String>,
    /// The newest id of the stream; zero if there never was one.
    pub last_id: EntryId,
}
