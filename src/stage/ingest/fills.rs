//! `ingest-fills`: reads pages of fills from the source into `stream:order_events`.
//!
//! Each page is appended together with the move of the cursor that stands for it, in parts where it is large. While one
//! page is being appended the next is already being read.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{sync::watch, time::Instant};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::Instrument;

use super::{next_head::NextHead, parts::Part, parts::split};
use crate::broker::{Appended, BrokerError, CursorCommit, Stream};
use crate::source::{Frontier, Page, Position, SourceError};
use crate::stage::step::{Stage, Step};
use crate::streams::cursor_watch::{CursorWatch, EVERY, Found};
use crate::streams::{
    Fills, Progress, SourceProgress, StageError, WaitCause, backpressure::Backpressure, session::Session,
};
use crate::{failure::FailureClass, flow::StreamId, units::second};

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
    /// Events of an entry, at most.
    batch: usize,
    /// A page that has been read and is not appended to its end.
    parts: VecDeque<Part>,
    /// The page behind it, on its way.
    coming: Option<AbortOnDropHandle<Result<Page, SourceError>>>,
}

impl IngestFills {
    pub(crate) async fn open(
        session: Arc<Session>,
        fills: Arc<Fills>,
        progress: Arc<watch::Sender<Progress>>,
        backpressure: Backpressure,
        batch: usize,
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
            batch,
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
        let bytes = self.parts.front().map_or(0, |part| part.entries.iter().map(|entry| entry.body.len()).sum());
        if let Some(cause) = self.backpressure.wait(drain, bytes).await? {
            return Ok(Step::Wait(cause));
        }
        let Some(part) = self.parts.front() else { return Ok(Step::Idle) };
        let (position, next) = (part.next.clone(), part.next.stored());
        let events = part.events;
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
        self.parts = split(page, self.batch);
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
