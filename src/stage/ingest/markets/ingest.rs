//! The stage: one scan after the other, one page at a time.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::broker::{Appended, BrokerError, CursorCommit, Stream};
use crate::clock::since_epoch;
use crate::flow::{StageId, StreamId};
use crate::model::{DeadLetter, Market};
use crate::source::{Listing, MarketSource, Order, SourceError};
use crate::stage::step::{Stage, Step};
use crate::streams::cursor_watch::{CursorWatch, Found};
use crate::streams::market_cursor::{History, MarketCursor};
use crate::streams::session::{Session, markets_cursor};
use crate::streams::{MarketProgress, Progress, StageError, backpressure::Backpressure};

use super::dedup_cache::DedupCache;
use super::parts::{Part, split};
use super::scan::{Newest, PageOutcome, Purpose, Scan, ScanError};
use super::scheduler::{HISTORY_EVERY, Scheduler};

/// How often to look at the cursor, while there is nothing to read.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How markets are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IngestOptions {
    /// How often what is new and changed is asked for.
    pub(crate) poll_interval: Duration,
    /// Whether the closed markets of the past are read.
    pub(crate) history: bool,
}

pub(crate) struct IngestMarkets {
    session: Arc<Session>,
    pub(super) source: Arc<dyn MarketSource>,
    pub(super) progress: Arc<watch::Sender<Progress>>,
    backpressure: Backpressure,
    pub(super) options: IngestOptions,
    /// The key of the cursor.
    key: String,
    /// The cursor as the broker has it.
    pub(super) cursor: MarketCursor,
    text: String,
    watch: CursorWatch,
    dedup: DedupCache,
    pub(super) scheduler: Scheduler,
    /// How often in a row a page could not be read, and how often the scan had to begin anew.
    pub(super) retry_budget: RetryBudget,
    pub(super) scan: Option<Scan>,
    /// A page that has been read, and the same as parts that are not all appended.
    pub(super) page: Option<Leaf>,
    parts: VecDeque<Part>,
    /// What the page means for the scan.
    pub(super) outcome: Option<PageOutcome>,
    /// A long scan from the other end that others went before.
    set_aside: Option<Scan>,
}

/// What keeps a scan from its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RetryBudget {
    pub(super) failures: u32,
    beginnings: u32,
}

impl RetryBudget {
    /// Whether it is better to go on with something else.
    const fn are_too_many(self) -> bool {
        self.failures >= 8 || self.beginnings >= 4
    }
}

/// A page in hand.
pub(super) struct Leaf {
    pub(super) markets: Vec<Result<Market, DeadLetter>>,
    pub(super) cursor: Option<MarketCursor>,
}

impl IngestMarkets {
    pub(crate) async fn open(
        session: Arc<Session>,
        source: Arc<dyn MarketSource>,
        progress: Arc<watch::Sender<Progress>>,
        backpressure: Backpressure,
        options: IngestOptions,
    ) -> Result<Self, StageError> {
        session.enter().await?;
        let key = markets_cursor();
        let text = session.broker.cursor(&key).await?;
        let text = text.ok_or_else(|| BrokerError::Lost(format!("{key} is gone")))?;
        let cursor = MarketCursor::read(&key, &text)?;
        let dedup = DedupCache::new(session.warehouse.clone());
        let scheduler = Scheduler::new(options.poll_interval, Instant::now());
        let stage = Self {
            session,
            source,
            progress,
            backpressure,
            options,
            cursor,
            text,
            watch: CursorWatch::new(key.clone(), Stream::of(StreamId::Markets)),
            key,
            dedup,
            scheduler,
            retry_budget: RetryBudget::default(),
            scan: None,
            page: None,
            parts: VecDeque::new(),
            outcome: None,
            set_aside: None,
        };
        stage.report_session();
        Ok(stage)
    }

    fn report(&self) {
        self.progress.send_modify(|progress| {
            progress.markets.cursor = Some(self.cursor.step);
            progress.markets.history_read = matches!(self.cursor.history, History::Done(_));
            progress.markets.misread = self.source.misread();
        });
    }

    /// What was said of how far it has come is of another session.
    fn report_session(&self) {
        self.progress.send_modify(|progress| {
            let before = &progress.markets;
            let (session, watermark) = (before.session + 1, before.watermark);
            progress.markets = MarketProgress { session, watermark, ..MarketProgress::default() };
        });
        self.report();
    }

    fn confirmed(&mut self, at: std::time::Instant) {
        self.watch.proved(at);
        self.progress.send_modify(|progress| progress.markets.confirmed = Some(at));
    }

    /// The cursor is not where it was left, so what was appended may be gone: everything that is remembered of the stream is
    /// rebuilt.
    fn begin_session(&mut self, found: String) -> Result<(), StageError> {
        tracing::debug!(stage = StageId::IngestMarkets.as_str(), "the cursor was moved to {found}: beginning anew");
        self.cursor = MarketCursor::read(&self.key, &found)?;
        self.text = found;
        self.dedup = DedupCache::new(self.session.warehouse.clone());
        self.scheduler = Scheduler::new(self.options.poll_interval, Instant::now());
        self.retry_budget = RetryBudget::default();
        self.parts.clear();
        (self.scan, self.page, self.outcome, self.set_aside) = (None, None, None, None);
        self.report_session();
        Ok(())
    }

    /// Asks now and then whether the cursor is where it was left.
    async fn look(&mut self) -> Result<(), StageError> {
        match self.watch.look(&*self.session.broker, &self.text).await? {
            Found::NotAsked => {}
            Found::AsLeft(at) => self.confirmed(at),
            Found::Elsewhere { cursor, taken_back: true } => self.begin_session(cursor)?,
            // Another ingester went on. What this one has appended is there all the same.
            Found::Elsewhere { cursor, taken_back: false } => {
                self.cursor = MarketCursor::read(&self.key, &cursor)?;
                self.text = cursor;
                self.report();
            }
        }
        Ok(())
    }

    /// The scan to go on with, if there is anything to do.
    fn choose(&mut self) -> Option<&mut Scan> {
        let now = Instant::now();
        // What is due goes before the past: that takes long.
        let is_history = self.scan.as_ref().is_some_and(|scan| scan.purpose == Purpose::History);
        if self.scan.is_none() || (is_history && self.scheduler.next(now).is_some()) {
            // From this side nothing else keeps its place.
            self.set_aside = self.scan.take().filter(|scan| scan.from_end.is_some()).or(self.set_aside.take());
            self.scan = self.due(now).or_else(|| self.set_aside.take()).or_else(|| self.history());
        }
        self.scan.as_mut()
    }

    fn due(&mut self, now: Instant) -> Option<Scan> {
        while let Some(purpose) = self.scheduler.next(now) {
            if let Some((listing, until)) = self.scheduler.listing(purpose, self.cursor.closed_since) {
                return Some(Scan::new(purpose, listing, until));
            }
            self.scheduler.done(purpose, Newest::default(), now);
            self.count_round();
        }
        None
    }

    fn history(&self) -> Option<Scan> {
        let after = match &self.cursor.history {
            _ if !self.options.history => return None,
            History::NotBegun => None,
            History::Behind(after) => Some(after.clone()),
            History::Done(at) if since_epoch().as_secs() < at + HISTORY_EVERY.as_secs() => return None,
            History::Done(_) => None,
        };
        let listing = Listing { closed: true, order: Order::Id };
        Some(Scan::new(Purpose::History, listing, None).behind(after))
    }

    /// A round ends when everything has been read.
    fn count_round(&self) {
        if self.scheduler.is_done() {
            self.progress.send_modify(|progress| {
                progress.markets.rounds += 1;
                progress.markets.last_round = Some(std::time::Instant::now());
            });
        }
    }

    /// Reads the next page of the scan.
    async fn read(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        let (source, now) = (Arc::clone(&self.source), Instant::now());
        let Some(scan) = self.choose() else {
            // Not until there is something to read: it is asked in between whether the streams are as they were.
            let until = self.scheduler.until().min(now + LOOK_EVERY);
            let rest = self.session.urge.cuts(tokio::time::sleep_until(until));
            if drain.run_until_cancelled(rest).await == Some(true) {
                self.watch.urge();
            }
            return Ok(Step::Idle);
        };
        let list = source.list(scan.listing, scan.place());
        let Some(page) = drain.run_until_cancelled(list).await else { return Ok(Step::Idle) };
        let page = match page {
            Ok(page) => page,
            Err(error) if error.may_be_of_a_part() => return self.narrow(error),
            Err(error) => {
                if matches!(error, SourceError::Cursor { .. }) {
                    self.begin_anew();
                }
                self.retry_budget.failures += 1;
                self.postpone();
                return Err(error.into());
            }
        };
        let outcome = scan.turn(&page);
        let (unsorted, order) = (scan.unsorted, scan.listing.order);
        if unsorted && self.scheduler.unsorted(order, now) {
            tracing::warn!(
                stage = StageId::IngestMarkets.as_str(),
                "{} does not sort by {order:?}: all open markets are read instead, which takes longer, and a market that is \
                 closed later than a day after it was made may not be noticed unless scan is \"all\"",
                source.name()
            );
        }
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(ScanError::Unsorted) => {
                self.scan = None;
                return Ok(Step::Moved(0));
            }
            Err(error) => {
                if error == ScanError::Lost {
                    self.begin_anew();
                    self.postpone();
                }
                let (endpoint, cause) = (source.name().to_owned(), "its listing goes in a circle".to_owned());
                return Err(SourceError::Untrusted { endpoint, cause }.into());
            }
        };
        self.retry_budget.failures = 0;
        let after = page.next.clone();
        let (purpose, pages) = self.scan.as_ref().map_or((Purpose::New, 0), |scan| (scan.purpose, scan.pages));
        self.progress.send_modify(|progress| match purpose {
            Purpose::Open => progress.markets.open_pages = progress.markets.open_pages.max(pages),
            Purpose::History => progress.markets.history_pages += 1,
            Purpose::New | Purpose::Changed | Purpose::Closed => {}
        });
        self.report();
        self.page = Some(Leaf { markets: page.markets, cursor: self.cursor_behind(after, outcome) });
        self.outcome = Some(outcome);
        Ok(Step::Moved(0))
    }

    /// Keeps of the page in hand what is worth a row.
    async fn sift(&mut self) -> Result<Step, StageError> {
        if let Some(page) = &self.page {
            let changes = self.dedup.changes(&page.markets).await?;
            self.parts = split(changes, page.cursor.clone());
            self.page = None;
        }
        Ok(Step::Moved(0))
    }

    /// Turns to the other scans where this one has used up its retry budget. The one through the past waits for the others anyway.
    pub(super) fn postpone(&mut self) {
        let purpose = self.scan.as_ref().map(|scan| scan.purpose).or_else(|| self.scheduler.front());
        let Some(purpose) = purpose.filter(|purpose| self.retry_budget.are_too_many() && *purpose != Purpose::History)
        else {
            return;
        };
        let begun = self.scan.take().and_then(|scan| scan.begun).unwrap_or_default();
        tracing::warn!(
            stage = StageId::IngestMarkets.as_str(),
            "the listing for {purpose:?} cannot be read to its end: other listings go first"
        );
        self.retry_budget = RetryBudget::default();
        self.scheduler.postpone(purpose, begun, Instant::now());
    }

    /// The scan cannot go on like this: it begins anew.
    fn begin_anew(&mut self) {
        let Some(scan) = self.scan.take() else { return };
        self.retry_budget.beginnings += 1;
        if scan.from_end.is_some() {
            return;
        }
        if scan.purpose == Purpose::History && matches!(self.cursor.history, History::Behind(_)) {
            let cursor = MarketCursor { history: History::NotBegun, ..self.cursor.clone() };
            self.parts = split(Vec::new(), Some(cursor));
        }
    }

    /// Where the cursor goes with the page, if it goes anywhere.
    pub(super) fn cursor_behind(&self, after: Option<String>, outcome: PageOutcome) -> Option<MarketCursor> {
        let scan = self.scan.as_ref()?;
        let newest = scan.begun.map(|begun| begun.updated).filter(|time| *time > 0);
        let mut cursor = self.cursor.clone();
        match (scan.purpose, outcome) {
            (_, PageOutcome::More) if scan.from_end.is_some() => {}
            (Purpose::History, PageOutcome::More) => cursor.history = History::Behind(after?),
            (Purpose::Closed, PageOutcome::Done) if self.closed_by_creation(scan).is_some() => {}
            (Purpose::History, PageOutcome::Done) => cursor.history = History::Done(since_epoch().as_secs()),
            // From the first page on: what is closed while all open ones are read must not be missed after a kill.
            (Purpose::Open, _) => cursor.closed_since = cursor.closed_since.or(newest),
            (Purpose::Closed, PageOutcome::Done) => cursor.closed_since = newest.max(cursor.closed_since),
            _ => {}
        }
        (cursor != self.cursor).then_some(cursor)
    }

    /// Appends one part, if there is room.
    async fn append(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        let bytes = self.parts.front().map_or(0, |part| part.entries.iter().map(|entry| entry.body.len()).sum());
        if let Some(cause) = self.backpressure.wait(drain, bytes).await? {
            return Ok(Step::Wait(cause));
        }
        let Some(part) = self.parts.front() else { return Ok(Step::Idle) };
        let goes_to = part.cursor.as_ref().unwrap_or(&self.cursor);
        let next =
            MarketCursor { step: self.cursor.step + 1, entries: part.hash(&self.cursor.entries), ..goes_to.clone() };
        let text = next.write();
        let advance = CursorCommit { key: self.key.clone(), expected: self.text.clone(), next: text.clone() };
        let begun = std::time::Instant::now();
        match self.session.broker.append(part.entries.clone(), advance).await? {
            Appended::Now | Appended::Before => {
                let part = self.parts.pop_front().unwrap_or_default();
                let events = part.entries.len() as u64;
                part.fingerprints.into_iter().for_each(|fingerprint| self.dedup.remember(fingerprint));
                (self.cursor, self.text) = (next, text);
                self.report();
                self.confirmed(begun);
                Ok(Step::Moved(events))
            }
            Appended::Conflict(found) => {
                let found = found.ok_or_else(|| BrokerError::Lost(format!("{} is gone", self.key)))?;
                self.begin_session(found)?;
                Ok(Step::Moved(0))
            }
        }
    }

    /// The page is in the stream.
    fn commit(&mut self, outcome: PageOutcome) {
        if outcome == PageOutcome::More {
            return;
        }
        let Some(scan) = self.scan.take() else { return };
        if let Some(next) = self.around_gap(&scan) {
            self.scan = Some(next);
            return;
        }
        self.scheduler.done(scan.purpose, scan.begun.unwrap_or_default(), Instant::now());
        self.retry_budget = RetryBudget::default();
        self.count_round();
    }
}

#[async_trait]
impl Stage for IngestMarkets {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if !self.parts.is_empty() {
            return self.append(drain).await;
        }
        if self.page.is_some() {
            return self.sift().await;
        }
        if let Some(outcome) = self.outcome.take() {
            self.commit(outcome);
        }
        self.look().await?;
        self.read(drain).await
    }

    fn in_hand(&self) -> bool {
        !self.parts.is_empty() || self.page.is_some()
    }
}
