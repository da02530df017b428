//! A replay of a stage: what is kept of it, and how far it has come.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::broker::{EntryId, Group, GroupState, Stream};
use crate::control::status::{StageStatus, StatusLine};
use crate::flow::StageId;
use crate::streams::{StageError, replay_group::GROUP, session::Session};
use crate::warehouse::{JobRecord, JobState};

/// What the names of replays begin with that are about blocks in doubt.
pub(crate) const DOUBT: &str = "doubt-";

/// A replay, observed.
#[derive(Clone, Debug)]
pub struct JobStatus {
    /// The stage whose work it repeats.
    pub stage: StageId,
    /// The replay.
    pub record: JobRecord,
    /// Its worker.
    pub status: StageStatus,
    /// When it last came further.
    pub progressed: Instant,
}

/// A replay of a stage that this process runs.
pub(crate) struct Job {
    pub(crate) stage: StageId,
    id: String,
    inner: Mutex<Inner>,
    status: watch::Receiver<StageStatus>,
    pub(crate) cancel: CancellationToken,
}

struct Inner {
    record: JobRecord,
    /// Whether this process does it.
    is_held: bool,
    /// What was done of it, and moved, before this process.
    before: (u64, u64),
    progressed: Instant,
    moved: u64,
}

impl Job {
    pub(crate) fn new(stage: StageId, record: JobRecord) -> (Arc<Self>, StatusLine) {
        let (sender, status) = watch::channel(StageStatus::starting());
        let line = StatusLine::new("state of the replay", sender);
        let before = (record.done, record.moved);
        let (id, cancel) = (record.id.clone(), CancellationToken::new());
        let inner = Inner { record, is_held: false, before, progressed: Instant::now(), moved: 0 };
        (Arc::new(Self { stage, id, inner: Mutex::new(inner), status, cancel }), line)
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Its name where processes agree on who does it, and where it is told to end.
    pub(crate) fn name(&self) -> String {
        format!("{GROUP}{}", self.id)
    }

    /// Whether this process does it.
    pub(crate) fn is_held(&self) -> bool {
        self.inner.lock().is_held
    }

    pub(crate) fn note_held(&self, is_held: bool) {
        self.inner.lock().is_held = is_held;
    }

    /// Takes over what the process that does it has written down.
    pub(crate) fn refresh(&self, record: JobRecord) {
        let moved = self.status.borrow().moved;
        let mut inner = self.inner.lock();
        if inner.is_held {
            return;
        }
        if inner.record.done < record.done {
            inner.progressed = Instant::now();
        }
        inner.before = (record.done.saturating_sub(moved), record.moved.saturating_sub(moved));
        inner.record = record;
    }

    pub(crate) fn record(&self) -> JobRecord {
        self.inner.lock().record.clone()
    }

    /// Changes what is kept of it.
    pub(crate) fn update(&self, change: impl FnOnce(&mut JobRecord)) {
        change(&mut self.inner.lock().record);
    }

    /// Notes that it came further, on a range of the chain.
    pub(crate) fn advance(&self, cursor: String, done: u64, rows: u64) {
        let mut inner = self.inner.lock();
        inner.progressed = Instant::now();
        inner.record.cursor = cursor;
        inner.record.done = done;
        inner.record.moved += rows;
    }

    pub(crate) fn status(&self) -> JobStatus {
        let status = self.status.borrow().clone();
        let mut inner = self.inner.lock();
        if status.moved > inner.moved {
            inner.moved = status.moved;
            inner.progressed = Instant::now();
        }
        if inner.is_held && self.reads_stream() {
            let (done, moved) = inner.before;
            let total = inner.record.total;
            inner.record.done = (done + status.moved).min(total.max(done));
            inner.record.moved = moved + status.moved;
        }
        JobStatus { stage: self.stage, record: inner.record.clone(), status, progressed: inner.progressed }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.inner.lock().record.state != JobState::Running
    }

    pub(crate) fn group(&self) -> Result<Group, StageError> {
        Ok(stream_of(self.stage)?.group(self.name()))
    }

    pub(crate) fn reads_stream(&self) -> bool {
        self.stage.reads().is_some()
    }

    /// The group by which it reads, and the last entry that it is about.
    pub(crate) async fn open_group(&self, session: &Session) -> Result<(Group, EntryId), StageError> {
        let record = self.record();
        let group = self.group()?;
        let [begin, until] = [read_id(&record.begin)?, read_id(&record.until)?];
        let goes_on = self.observe(session, &group).await?.is_some();
        session.broker.open_group(&group, begin).await?;
        // The group holds what is left, and keeps it: what there is to do is known now, and not before.
        let left = self.left(session, &group, until).await?;
        let moved = self.status.borrow().moved;
        let is_first = {
            let mut inner = self.inner.lock();
            let is_first = inner.record.total == 0;
            if is_first {
                inner.record.total = left;
            }
            inner.before.0 = inner.record.total.saturating_sub(left + moved);
            is_first
        };
        if is_first && left == 0 {
            return Err(StageError::Replay(format!("{} holds nothing of the range any more", group.stream)));
        }
        if !is_first && !goes_on && left < record.total {
            // Its group went with the streams that it read: what they hold now is not what they held.
            return Err(StageError::Replay(lost(record.total - left)));
        }
        if is_first {
            session.warehouse.set_job(&session.pipeline, &self.record()).await?;
        }
        Ok((group, until))
    }

    /// Its group, if that is there.
    async fn observe(&self, session: &Session, group: &Group) -> Result<Option<GroupState>, StageError> {
        let state = session.broker.stream(&group.stream).await?;
        Ok(state.groups.into_iter().find(|state| state.name == group.name))
    }

    /// Entries that its group has still to read.
    async fn left(&self, session: &Session, group: &Group, until: EntryId) -> Result<u64, StageError> {
        match self.observe(session, group).await? {
            Some(state) if state.clear_up_to < until => {
                Ok(session.broker.count(&group.stream, state.clear_up_to, until).await?)
            }
            _ => Ok(0),
        }
    }

    /// Notes whether entries had to go which it had still to read. It cannot be done any more then, whatever it reads yet.
    pub(crate) async fn note_lost(&self, session: &Session) -> Result<(), StageError> {
        if self.reads_stream()
            && let Some(state) = self.observe(session, &self.group()?).await?
            && state.lost > 0
        {
            self.update(|record| record.reason = lost(state.lost));
        }
        Ok(())
    }
}

/// Why a replay failed whose events are gone.
fn lost(events: u64) -> String {
    format!("{events} events or more are gone that were to be read again: replay the range from the chain instead")
}

/// The stream that a stage reads.
pub(crate) fn stream_of(stage: StageId) -> Result<Stream, StageError> {
    let stream = stage.reads().ok_or_else(|| StageError::Replay(format!("{stage} reads no stream")))?;
    Ok(Stream::of(stream))
}

/// An id as `ms-seq`.
fn read_id(text: &str) -> Result<EntryId, StageError> {
    text.parse().map_err(|_| StageError::Position { what: "a replay's entry".into(), text: text.into() })
}
