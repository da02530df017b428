//! `ingest-fills`: reads pages of fills from the source into `stream:order_events`.
//!
//! Each page is appended together with the move of the cursor that stands for it, in parts where it is large. While one
//! page is being appended the next is already being read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::block_time::BlockTime;
use super::cursor_watch::{CursorWatch, Found};
use super::life::{Life, read_position, write_position};
use super::room::Room;
use super::status::Progress;
use super::{Stage, StageError, Step};
use crate::broker::{Advance, Appended, BrokerError, MAX_BYTES, MAX_ENTRIES, NewEntry, Stream};
use crate::failure::FailureClass;
use crate::model::ChainPosition;
use crate::model::entry::Entry;
use crate::source::{Head, Page, SourceError};

/// How old the head may be while there is a backlog to read.
const HEAD_REFRESH: Duration = Duration::from_secs(10);

pub(super) struct IngestFills {
    life: Arc<Life>,
    progress: Arc<watch::Sender<Progress>>,
    poll_interval: Duration,
    room: Room,
    /// The cursor as the broker has it.
    cursor: String,
    watch: CursorWatch,
    position: ChainPosition,
    head: Option<Head>,
    asked_head: Option<Instant>,
    /// When the next head is due.
    head_due: Option<Instant>,
    block_time: BlockTime,
    /// A page that has been read and is not appended to its end.
    parts: VecDeque<Part>,
    /// The page behind it, on its way.
    coming: Option<AbortOnDropHandle<Result<Page, SourceError>>>,
}

/// As much of a page as one append carries.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    entries: Vec<NewEntry>,
    next: ChainPosition,
}

impl IngestFills {
    pub(super) async fn open(
        life: Arc<Life>,
        progress: Arc<watch::Sender<Progress>>,
        poll_interval: Duration,
        room: Room,
    ) -> Result<Self, StageError> {
        life.enter_as_ingester().await?;
        let key = life.cursor_key();
        let cursor = life.broker.cursor(&key).await?.ok_or_else(|| BrokerError::Lost(format!("{key} is gone")))?;
        let position = read_position(&key, &cursor)?;
        let stage = Self {
            watch: CursorWatch::new(key, Stream::order_events()),
            life,
            progress,
            poll_interval,
            room,
            cursor,
            position,
            head: None,
            asked_head: None,
            head_due: None,
            block_time: BlockTime::default(),
            parts: VecDeque::new(),
            coming: None,
        };
        stage.report();
        Ok(stage)
    }

    fn report(&self) {
        self.progress.send_modify(|progress| progress.cursor = Some(self.position));
    }

    /// Appends one part, if there is room.
    async fn append(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if let Some(cause) = self.room.wait(drain).await? {
            return Ok(Step::Wait(cause));
        }
        let Some(part) = self.parts.front() else { return Ok(Step::Idle) };
        let next = write_position(part.next);
        let events = part.entries.len() as u64;
        let advance = Advance { key: self.life.cursor_key(), expected: self.cursor.clone(), next: next.clone() };
        let begun = std::time::Instant::now();
        match self.life.broker.append(part.entries.clone(), advance).await? {
            Appended::Now | Appended::Before => {
                self.position = part.next;
                self.cursor = next;
                self.parts.pop_front();
                self.report();
                self.confirmed(begun);
                Ok(Step::Moved(events))
            }
            Appended::Conflict(found) => {
                let found = found.ok_or_else(|| BrokerError::Lost(format!("{} is gone", self.life.cursor_key())))?;
                self.go_on_from(found)?;
                Ok(Step::Moved(0))
            }
        }
    }

    fn confirmed(&mut self, at: std::time::Instant) {
        self.watch.proved(at);
        self.progress.send_modify(|progress| progress.confirmed = Some(at));
    }

    /// The cursor is not where it was left: another ingester moved it, or what was appended is gone. Nothing that was read
    /// behind it counts.
    fn go_on_from(&mut self, cursor: String) -> Result<(), StageError> {
        tracing::debug!(stage = "ingest-fills", "the cursor was moved to {cursor}: going on from there");
        self.parts.clear();
        self.coming = None;
        self.position = read_position(&self.life.cursor_key(), &cursor)?;
        self.cursor = cursor;
        self.progress.send_modify(|progress| progress.confirmed = None);
        self.report();
        Ok(())
    }

    /// Waits until the head may be asked for again, and asks.
    async fn wait_for_head(&mut self, drain: &CancellationToken) -> Result<(), StageError> {
        if let Some(due) = self.head_due
            && drain.run_until_cancelled(tokio::time::sleep_until(due)).await.is_none()
        {
            return Ok(());
        }
        self.ask_head(drain).await
    }

    async fn ask_head(&mut self, drain: &CancellationToken) -> Result<(), StageError> {
        let Some(head) = drain.run_until_cancelled(self.life.source.head()).await else { return Ok(()) };
        let now = Instant::now();
        (self.asked_head, self.head_due) = (Some(now), Some(now + self.poll_interval));
        let head = head?;
        // Behind a new block the next one takes its time.
        if self.block_time.learn(head)
            && let Some(time) = self.block_time.get()
        {
            self.head_due = Some(now + time.max(self.poll_interval));
        }
        self.head = Some(head);
        self.progress.send_modify(|progress| progress.head = Some((head, std::time::Instant::now())));
        Ok(())
    }

    /// Starts to read the page from a position, if the chain has got there.
    fn send_for(&self, from: ChainPosition) -> Option<AbortOnDropHandle<Result<Page, SourceError>>> {
        let head = self.head?.block;
        if from.block > head {
            return None;
        }
        let source = Arc::clone(&self.life.source);
        let page = async move { source.page(from, head).await };
        Some(AbortOnDropHandle::new(tokio::spawn(page.in_current_span())))
    }
}

#[async_trait]
impl Stage for IngestFills {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if !self.parts.is_empty() {
            return self.append(drain).await;
        }
        match self.watch.look(&*self.life.broker, &self.cursor).await? {
            Found::NotAsked => {}
            Found::AsLeft(at) => self.confirmed(at),
            Found::Elsewhere { cursor, .. } => self.go_on_from(cursor)?,
        }
        let behind = self.head.is_none_or(|head| head.block >= self.position.block);
        if behind && self.asked_head.is_none_or(|asked| asked.elapsed() > HEAD_REFRESH) {
            match self.ask_head(drain).await {
                // What is known to be final can be read all the same.
                Err(error @ StageError::Source(_)) if self.head.is_some() && error.class() == FailureClass::Retry => {
                    tracing::debug!(stage = "ingest-fills", %error, "no new head: reading up to the last one");
                }
                asked => asked?,
            }
        }
        if self.coming.is_none() {
            self.coming = self.send_for(self.position);
        }
        let Some(coming) = &mut self.coming else {
            self.wait_for_head(drain).await?;
            return Ok(match self.head.map(|head| (head.block, self.position.block)) {
                Some((head, cursor)) if cursor > head.saturating_add(1) => Step::Wait(format!(
                    "the cursor, block {cursor}, is {} blocks above the newest final block, {head}: waiting for the chain",
                    cursor - head - 1
                )),
                Some((head, cursor)) if cursor > head => Step::Idle,
                _ => Step::Moved(0),
            });
        };
        let Some(page) = drain.run_until_cancelled(coming).await else { return Ok(Step::Idle) };
        self.coming = None;
        let page = page.map_err(|error| StageError::Panicked(error.to_string()))??;
        let next = page.next;
        self.parts = split(page);
        self.coming = self.send_for(next);
        Ok(Step::Moved(0))
    }

    fn in_hand(&self) -> bool {
        !self.parts.is_empty()
    }
}

/// A page as appends: each within the limits of one, each with the position behind it.
fn split(page: Page) -> VecDeque<Part> {
    let (mut parts, mut bytes) = (VecDeque::new(), 0);
    let mut part = Part { entries: Vec::new(), next: page.next };
    for event in page.events {
        let entry = match event.fill {
            Ok(fill) => NewEntry { stream: Stream::order_events(), body: fill.encode() },
            Err(letter) => NewEntry { stream: Stream::dead_letters(), body: letter.clipped().encode() },
        };
        if !part.entries.is_empty() && (part.entries.len() == MAX_ENTRIES || bytes + entry.body.len() > MAX_BYTES) {
            parts.push_back(std::mem::replace(&mut part, Part { entries: Vec::new(), next: page.next }));
            bytes = 0;
        }
        bytes += entry.body.len();
        part.entries.push(entry);
        part.next = event.next;
    }
    part.next = page.next;
    parts.push_back(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DeadLetter;
    use crate::source::SourceEvent;

    fn letter(raw: usize) -> DeadLetter {
        let text = String::from;
        let (source, position, stage, reason) = (text("polygon"), text("p"), text("ingest-fills"), text("r"));
        DeadLetter { source, position, stage, reason, raw: vec![7; raw], first_seen: 0 }
    }

    fn page(events: u32, raw: usize) -> Page {
        let event = |i| SourceEvent { next: ChainPosition::after(5, i), fill: Err(letter(raw)) };
        Page { events: (0..events).map(event).collect(), next: ChainPosition::start_of(6) }
    }

    #[test]
    fn a_page_is_split_within_the_limits_and_ends_where_it_ends() {
        for (events, raw, expected) in [(0, 0, 1), (1, 0, 1), (1000, 0, 1), (1001, 0, 2), (2500, 0, 3), (9, 1 << 20, 3)]
        {
            let parts = split(page(events, raw));
            assert_eq!(parts.len(), expected, "{events} events of {raw} bytes");
            assert_eq!(parts.iter().map(|part| part.entries.len()).sum::<usize>(), events as usize);
            assert_eq!(parts.back().unwrap().next, ChainPosition::start_of(6));
            let mut seen = 0;
            for part in parts.iter().take(parts.len() - 1) {
                seen += u32::try_from(part.entries.len()).unwrap();
                assert_eq!(part.next, ChainPosition::after(5, seen - 1), "it goes on behind the last entry");
            }
            for part in &parts {
                assert!(part.entries.len() <= MAX_ENTRIES);
                assert!(part.entries.iter().map(|entry| entry.body.len()).sum::<usize>() <= MAX_BYTES);
            }
        }
    }

    #[test]
    fn one_huge_event_still_fits_an_append() {
        let parts = split(page(1, 20 << 20));
        assert!(parts[0].entries[0].body.len() <= MAX_BYTES);
    }
}
