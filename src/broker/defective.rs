//! A broker with the planted defects that are its own: what must never be done, so that tests can show that they notice.
//!
//! Only with the feature `planted-bugs`, around the broker of a process that is started with one of them. It also counts the steps at
//! which a process may be told to die.

use std::collections::{HashMap, VecDeque};
use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::contract::{Broker, Reader};
use super::entry::{Delivery, EntryId, NewEntry};
use super::operation::{AckAndForward, Appended, CursorCommit, Layout, Retention};
use super::state::{Barrier, StreamState};
use super::stream::{Group, Stream};
use super::{error::Result, memory::Memory};
use crate::planted::{Bug, planted, planted_once, step};
use crate::{breaker::Breaker, flow::StreamId};

/// Long enough for a kill.
const MOMENT: Duration = Duration::from_millis(25);

/// Long enough for the resolver to complete rows, and for a kill to make them come again.
const WHILE: Duration = Duration::from_millis(400);

/// Long enough for entries that a writer holds back.
const LATE: Duration = Duration::from_secs(1);

/// A broker, with the planted defect if there is one.
pub struct Defective {
    inner: Arc<dyn Broker>,
    newest: Mutex<HashMap<Stream, Newest>>,
}

/// The newest entry of a stream at some moments, the oldest first.
type Newest = VecDeque<(Instant, EntryId)>;

impl Defective {
    /// Around a broker.
    pub fn new(inner: Arc<dyn Broker>) -> Self {
        Self { inner, newest: Mutex::default() }
    }

    /// The newest entry as it was a while ago: so a barrier's end downstream is read before its cursor.
    fn late(&self, stream: &Stream, now: EntryId) -> EntryId {
        let mut newest = self.newest.lock();
        let seen = newest.entry(stream.clone()).or_default();
        seen.push_back((Instant::now(), now));
        while seen.get(1).is_some_and(|(at, _)| at.elapsed() >= LATE) {
            seen.pop_front();
        }
        seen.front().map_or(now, |(_, id)| *id)
    }
}

#[async_trait]
impl Broker for Defective {
    async fn join(&self, layout: &Layout) -> Result<()> {
        self.inner.join(layout).await
    }

    async fn begin(&self, layout: &Layout, cursors: &[(String, String)]) -> Result<()> {
        self.inner.begin(layout, cursors).await
    }

    async fn add_stream(&self, group: &Group) -> Result<()> {
        self.inner.add_stream(group).await
    }

    async fn cursor(&self, key: &str) -> Result<Option<String>> {
        self.inner.cursor(key).await
    }

    async fn append(&self, entries: Vec<NewEntry>, advance: CursorCommit) -> Result<Appended> {
        if planted(Bug::CursorBeforeEntries) && !entries.is_empty() {
            let moved = self.inner.append(Vec::new(), advance.clone()).await?;
            if moved != Appended::Now {
                return Ok(moved);
            }
            tokio::time::sleep(MOMENT).await;
            let CursorCommit { key, expected, next } = advance.clone();
            self.inner.append(Vec::new(), CursorCommit { key, expected: next, next: expected }).await?;
        }
        step();
        let appended = self.inner.append(entries, advance).await;
        step();
        appended
    }

    async fn forward(&self, group: &Group, forwards: Vec<AckAndForward>) -> Result<usize> {
        step();
        let forwarded = self.inner.forward(group, forwards).await;
        step();
        forwarded
    }

    async fn acknowledge(&self, group: &Group, ids: Vec<EntryId>) -> Result<usize> {
        if planted(Bug::VersionByClock) {
            tokio::time::sleep(WHILE).await;
        }
        step();
        let acknowledged = self.inner.acknowledge(group, ids).await;
        step();
        acknowledged
    }

    async fn reader(&self, group: &Group) -> Result<Box<dyn Reader>> {
        let inner = self.inner.reader(group).await?;
        Ok(Box::new(DefectiveReader { inner, broker: Arc::clone(&self.inner), group: group.clone() }))
    }

    async fn open_group(&self, group: &Group, after: EntryId) -> Result<()> {
        self.inner.open_group(group, after).await
    }

    async fn close_group(&self, group: &Group) -> Result<()> {
        self.inner.close_group(group).await
    }

    async fn oldest(&self, stream: &Stream, after: EntryId) -> Result<Option<EntryId>> {
        self.inner.oldest(stream, after).await
    }

    async fn count(&self, stream: &Stream, after: EntryId, up_to: EntryId) -> Result<u64> {
        self.inner.count(stream, after, up_to).await
    }

    async fn trim(&self, stream: &Stream, required: &[Group], keep: Retention) -> Result<usize> {
        self.inner.trim(stream, required, keep).await
    }

    async fn stream(&self, stream: &Stream) -> Result<StreamState> {
        let mut state = self.inner.stream(stream).await?;
        if planted(Bug::BarrierDownstreamFirst) {
            state.last_id = self.late(stream, state.last_id);
        }
        Ok(state)
    }

    async fn barrier(&self, key: &str, stream: &Stream) -> Result<Barrier> {
        self.inner.barrier(key, stream).await
    }

    async fn is_clear(&self, group: &Group, id: EntryId) -> Result<bool> {
        self.inner.is_clear(group, id).await
    }

    async fn acquire_lease(&self, name: &str) -> Result<bool> {
        self.inner.acquire_lease(name).await
    }

    async fn release_lease(&self, name: &str) -> Result<()> {
        self.inner.release_lease(name).await
    }

    fn breaker(&self) -> Option<Breaker> {
        self.inner.breaker()
    }

    async fn memory(&self) -> Result<Option<Memory>> {
        self.inner.memory().await
    }
}

struct DefectiveReader {
    inner: Box<dyn Reader>,
    broker: Arc<dyn Broker>,
    group: Group,
}

impl DefectiveReader {
    /// Whether what is read lands in a table.
    fn is_of_writer(&self) -> bool {
        self.group.stream != Stream::of(StreamId::OrderEvents)
    }
}

#[async_trait]
impl Reader for DefectiveReader {
    async fn read(&mut self, max: usize, max_bytes: usize, wait: Duration) -> Result<Vec<Delivery>> {
        let read = self.inner.read(max, max_bytes, wait).await?;
        if !read.is_empty() {
            step();
        }
        if read.is_empty() || !self.is_of_writer() {
            return Ok(read);
        }
        let is_of_trades = self.group.stream == Stream::of(StreamId::Trades);
        if is_of_trades && planted(Bug::StageIsStuck) {
            std::future::pending::<()>().await;
        }
        assert!(!is_of_trades || !planted_once(Bug::StagePanics), "planted: the stage panics");
        if planted(Bug::AcknowledgeBeforeConfirm) {
            self.broker.acknowledge(&self.group, read.iter().map(|entry| entry.id).collect()).await?;
            tokio::time::sleep(MOMENT).await;
        }
        Ok(read)
    }
}
