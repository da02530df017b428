//! `ingest-fills`: reads pages of fills from the source into `stream:order_events`.
//!
//! Each page is appended together with the move of the cursor that stands for it, in parts where it is large. While one
//! page is being appended the next is already being read.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{sync::watch, time::Instant};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::Instrument;

use crate::broker::{Appended, BrokerError, CursorCommit, MAX_BYTES, MAX_ENTRIES, NewEntry, Stream};
use crate::source::{Frontier, Page, Position, SourceError};
use crate::stage::step::{Stage, Step};
use crate::streams::cursor_watch::{CursorWatch, EVERY, Found};
use crate::streams::{
    Fills, Progress, SourceProgress, StageError, WaitCause, backpressure::Backpressure, session::Session,
};
use crate::{
    failure::FailureClass, flow::StreamId, model::entry::Entry, stage::ingest::next_head::NextHead, units::second,
};

/// How old the frontier may be while there is a backlog to read.
const FRONTIER_REFRESH: Duration = Duration::from_secs(10);

pub(crate) struct IngestFills {
    session: Arc<Session>,
    fills: Arc<Fills>,
    progress: Arc<watch::Sender<Progress>>,
    backpressure: Backpressure,
    /// The cursor as the broker has it.
    cursor: String,
    watch: CursorWatch,
    position: Position,
    frontier: Option<Frontier>,
    asked_frontier: Option<Instant>,
    /// When the next frontier is due.
    frontier_due: Option<Instant>,
    next_head: NextHead,
    /// A page that has been read and is not appended to its end.
    parts: VecDeque<Part>,
    /// The page behind it, on its way.
    coming: Option<AbortOnDropHandle<Result<Page, SourceError>>>,
}

/// As much of a page as one append carries.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    entries: Vec<NewEntry>,
    next: Position,
}

impl IngestFills {
    pub(crate) async fn open(
        session: Arc<Session>,
        fills: Arc<Fills>,
        progress: Arc<watch::Sender<Progress>>,
        backpressure: Backpressure,
    ) -> Result<Self, StageError> {
        session.enter_as_ingester(&fills).await?;
        let key = fills.cursor_key();
        let cursor = session.broker.cursor(&key).await?.ok_or_else(|| BrokerError::Lost(format!("{key} is gone")))?;
        let position = fills.position(&key, &cursor)?;
        let stage = Self {
            watch: CursorWatch::new(key, Stream::of(StreamId::OrderEvents)),
            next_head: NextHead::new(fills.poll_interval),
            session,
            fills,
            progress,
            backpressure,
            cursor,
            position,
            frontier: None,
            asked_frontier: None,
            frontier_due: None,
            parts: VecDeque::new(),
            coming: None,
        };
        stage.report();
        Ok(stage)
    }

    fn report(&self) {
        self.note(|progress| progress.cursor = Some(self.position.clone()));
    }

    /// Changes what is known of the source.
    fn note(&self, change: impl FnOnce(&mut SourceProgress)) {
        self.progress.send_modify(|progress| change(progress.of_mut(self.fills.name())));
    }

    /// Appends one part, if there is room.
    async fn append(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if let Some(cause) = self.backpressure.wait(drain).await? {
            return Ok(Step::Wait(cause));
        }
        let Some(part) = self.parts.front() else { return Ok(Step::Idle) };
        let (position, next) = (part.next.clone(), part.next.stored());
        let events = part.entries.len() as u64;
        let advance = CursorCommit { key: self.fills.cursor_key(), expected: self.cursor.clone(), next: next.clone() };
        let begun = std::time::Instant::now();
        match self.session.broker.append(part.entries.clone(), advance).await? {
            Appended::Now | Appended::Before => {
                self.position = position;
                self.cursor = next;
                self.parts.pop_front();
                self.report();
                self.confirmed(begun);
                Ok(Step::Moved(events))
            }
            Appended::Conflict(found) => {
                let found = found.ok_or_else(|| BrokerError::Lost(format!("{} is gone", self.fills.cursor_key())))?;
                self.go_on_from(found)?;
                Ok(Step::Moved(0))
            }
        }
    }

    fn confirmed(&mut self, at: std::time::Instant) {
        self.watch.proved(at);
        self.note(|progress| progress.confirmed = Some(at));
    }

    /// The cursor is not where it was left: another ingester moved it, or what was appended is gone. Nothing that was read
    /// behind it counts.
    fn go_on_from(&mut self, cursor: String) -> Result<(), StageError> {
        tracing::debug!(stage = self.fills.stage.as_str(), "the cursor was moved to {cursor}: going on from there");
        self.parts.clear();
        self.coming = None;
        self.position = self.fills.position(&self.fills.cursor_key(), &cursor)?;
        self.cursor = cursor;
        self.note(|progress| progress.confirmed = None);
        self.report();
        Ok(())
    }

    /// Waits until the source may be asked again how far it can be read, and asks.
    async fn wait_for_frontier(&mut self, drain: &CancellationToken) -> Result<(), StageError> {
        if let Some(due) = self.frontier_due {
            // In between it is asked whether the cursor is where it was left.
            let look = Instant::now() + EVERY;
            let rest = self.session.urge.cuts(tokio::time::sleep_until(due.min(look)));
            match drain.run_until_cancelled(rest).await {
                None => return Ok(()),
                Some(true) => {
                    self.watch.urge();
                    return Ok(());
                }
                Some(false) if look < due => return Ok(()),
                Some(false) => {}
            }
        }
        self.ask_frontier(drain).await
    }

    async fn ask_frontier(&mut self, drain: &CancellationToken) -> Result<(), StageError> {
        let asked = Instant::now();
        let Some(frontier) = drain.run_until_cancelled(self.fills.source.frontier()).await else { return Ok(()) };
        let now = Instant::now();
        (self.asked_frontier, self.frontier_due) = (Some(now), Some(now + self.fills.poll_interval));
        let frontier = frontier?;
        if let Some(head) = frontier.head() {
            self.frontier_due = Some(self.next_head.answered(asked, head));
        }
        let frozen_since = frontier.frozen_since();
        if let Some(since) = frozen_since
            && self.frontier.as_ref().and_then(Frontier::frozen_since) != frozen_since
        {
            let (name, since) = (self.fills.source.name(), second(since));
            tracing::warn!(stage = self.fills.stage.as_str(), "{name} answers, but its data is frozen since {since}");
        }
        self.note(|progress| progress.frontier = Some((frontier.clone(), std::time::Instant::now())));
        self.frontier = Some(frontier);
        Ok(())
    }

    /// Starts to read the page from a position, if the source has got there.
    fn send_for(&self, from: Position) -> Option<AbortOnDropHandle<Result<Page, SourceError>>> {
        let end = self.frontier.as_ref()?.end.clone();
        if from >= end {
            return None;
        }
        let source = Arc::clone(&self.fills.source);
        let page = async move { source.page(&from, &end).await };
        Some(AbortOnDropHandle::new(tokio::spawn(page.in_current_span())))
    }

    /// What to do where there is nothing to read.
    fn nothing_to_read(&self) -> Step {
        match &self.frontier {
            Some(Frontier { end, .. }) if self.position > *end => {
                Step::Wait(WaitCause::Other(above(&self.position, end)))
            }
            Some(Frontier { end, .. }) if self.position == *end => Step::Idle,
            _ => Step::Moved(0),
        }
    }
}

#[async_trait]
impl Stage for IngestFills {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if !self.parts.is_empty() {
            return self.append(drain).await;
        }
        match self.watch.look(&*self.session.broker, &self.cursor).await? {
            Found::NotAsked => {}
            Found::AsLeft(at) => self.confirmed(at),
            Found::Elsewhere { cursor, .. } => self.go_on_from(cursor)?,
        }
        let behind = self.frontier.as_ref().is_none_or(|frontier| self.position < frontier.end);
        if behind && self.asked_frontier.is_none_or(|asked| asked.elapsed() > FRONTIER_REFRESH) {
            match self.ask_frontier(drain).await {
                // What is known to be final can be read all the same.
                Err(error @ StageError::Source(_))
                    if self.frontier.is_some() && error.class() == FailureClass::Retry =>
                {
                    tracing::debug!(stage = self.fills.stage.as_str(), %error, "no new head: reading up to the last one");
                }
                asked => asked?,
            }
        }
        if self.coming.is_none() {
            self.coming = self.send_for(self.position.clone());
        }
        let Some(coming) = &mut self.coming else {
            self.wait_for_frontier(drain).await?;
            return Ok(self.nothing_to_read());
        };
        let Some(page) = drain.run_until_cancelled(coming).await else { return Ok(Step::Idle) };
        self.coming = None;
        let page = page.map_err(|error| StageError::Panicked(error.to_string()))??;
        let next = page.next.clone();
        self.parts = split(page);
        self.coming = self.send_for(next);
        Ok(Step::Moved(0))
    }

    fn in_hand(&self) -> bool {
        !self.parts.is_empty()
    }
}

/// That a cursor is above what its source shows.
fn above(cursor: &Position, end: &Position) -> String {
    match (cursor.chain(), end.chain()) {
        (Some(cursor), Some(end)) => format!(
            "the cursor, block {}, is {} blocks above the newest final block, {}: waiting for the chain",
            cursor.block,
            cursor.block - end.block,
            end.block.saturating_sub(1)
        ),
        _ => format!("the cursor, {cursor}, is above {end}, up to where the source can be read: waiting for it"),
    }
}

/// A page as appends: each within the limits of one, each with the position behind it.
fn split(page: Page) -> VecDeque<Part> {
    let (mut parts, mut bytes) = (VecDeque::new(), 0);
    let mut part = Part { entries: Vec::new(), next: page.next.clone() };
    for event in page.events {
        let entry = match event.fill {
            Ok(fill) => NewEntry { stream: Stream::of(StreamId::OrderEvents), body: fill.encode() },
            Err(letter) => NewEntry { stream: Stream::of(StreamId::DeadLetters), body: letter.clipped().encode() },
        };
        if !part.entries.is_empty() && (part.entries.len() == MAX_ENTRIES || bytes + entry.body.len() > MAX_BYTES) {
            parts.push_back(std::mem::replace(&mut part, Part { entries: Vec::new(), next: page.next.clone() }));
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
    use crate::model::{ChainPosition, DeadLetter};
    use crate::source::SourceEvent;

    fn letter(raw: usize) -> DeadLetter {
        let text = String::from;
        let (source, position, stage, reason) = (text("polygon"), text("p"), text("ingest-fills"), text("r"));
        DeadLetter { source, position, stage, reason, raw: vec![7; raw], first_seen: 0 }
    }

    fn page(events: u32, raw: usize) -> Page {
        let event = |i| SourceEvent { next: ChainPosition::after(5, i).into(), fill: Err(letter(raw)) };
        Page { events: (0..events).map(event).collect(), next: ChainPosition::start_of(6).into() }
    }

    #[test]
    fn a_page_is_split_within_the_limits_and_ends_where_it_ends() {
        for (events, raw, expected) in [(0, 0, 1), (1, 0, 1), (1000, 0, 1), (1001, 0, 2), (2500, 0, 3), (9, 1 << 20, 3)]
        {
            let parts = split(page(events, raw));
            assert_eq!(parts.len(), expected, "{events} events of {raw} bytes");
            assert_eq!(parts.iter().map(|part| part.entries.len()).sum::<usize>(), events as usize);
            assert_eq!(parts.back().unwrap().next, ChainPosition::start_of(6).into());
            let mut seen = 0;
            for part in parts.iter().take(parts.len() - 1) {
                seen += u32::try_from(part.entries.len()).unwrap();
                assert_eq!(part.next, ChainPosition::after(5, seen - 1).into(), "it goes on behind the last entry");
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
