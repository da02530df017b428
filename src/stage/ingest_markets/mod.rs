//! `ingest-markets`: reads the source's listings into `stream:markets`.
//!
//! ```text
//! agenda ── scan ── page ── known ── parts ──append──▶ stream:markets
//!  what next  one walk       what changed
//! ```
//!
//! A walk that was cut off begins anew, except for the long one through the past, whose place is in the cursor. A market
//! that cannot be understood becomes a dead letter and does not harm its page.

mod agenda;
mod gap;
mod known;
mod narrow;
mod parts;
mod scan;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cursor_watch::{CursorWatch, Found};
use super::life::{Life, MARKETS_CURSOR};
use super::market_cursor::{History, MarketCursor};
use super::room::Room;
use super::status::{MarketProgress, Progress};
use super::{Stage, StageError, Step};
use crate::broker::{Advance, Appended, BrokerError, Stream};
use crate::clock::since_epoch;
use crate::model::{DeadLetter, Market};
use crate::source::{Listing, MarketSource, Order, SourceError};

use self::agenda::{Agenda, HISTORY_EVERY};
use self::known::Known;
use self::parts::{Part, split};
use self::scan::{Astray, Newest, Purpose, Scan, Turn};

/// How often to look at the cursor, while there is nothing to read.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How markets are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    /// How often what is new and changed is asked for.
    pub(super) poll_interval: Duration,
    /// Whether the closed markets of the past are read.
    pub(super) history: bool,
}

pub(super) struct IngestMarkets {
    life: Arc<Life>,
    source: Arc<dyn MarketSource>,
    progress: Arc<watch::Sender<Progress>>,
    room: Room,
    habits: Habits,
    /// The cursor as the broker has it.
    cursor: MarketCursor,
    text: String,
    watch: CursorWatch,
    known: Known,
    agenda: Agenda,
    /// How often in a row a page could not be read, and how often the walk had to begin anew.
    setbacks: Setbacks,
    scan: Option<Scan>,
    /// A page that has been read, and the same as parts that are not all appended.
    page: Option<Leaf>,
    parts: VecDeque<Part>,
    /// What the page means for the walk.
    turn: Option<Turn>,
    /// A long walk from the other end that others went before.
    set_aside: Option<Scan>,
}

/// What keeps a walk from its end.
#[derive(Clone, Copy, Debug, Default)]
struct Setbacks {
    failures: u32,
    beginnings: u32,
}

impl Setbacks {
    /// Whether it is better to go on with something else.
    const fn are_too_many(self) -> bool {
        self.failures >= 8 || self.beginnings >= 4
    }
}

/// A page in hand.
struct Leaf {
    markets: Vec<Result<Market, DeadLetter>>,
    cursor: Option<MarketCursor>,
}

impl IngestMarkets {
    pub(super) async fn open(
        life: Arc<Life>,
        source: Arc<dyn MarketSource>,
        progress: Arc<watch::Sender<Progress>>,
        room: Room,
        habits: Habits,
    ) -> Result<Self, StageError> {
        life.enter().await?;
        let text = life.broker.cursor(MARKETS_CURSOR).await?;
        let text = text.ok_or_else(|| BrokerError::Lost(format!("{MARKETS_CURSOR} is gone")))?;
        let cursor = MarketCursor::read(MARKETS_CURSOR, &text)?;
        let known = Known::new(Arc::clone(&life.warehouse));
        let agenda = Agenda::new(habits.poll_interval, Instant::now());
        let stage = Self {
            life,
            source,
            progress,
            room,
            habits,
            cursor,
            text,
            watch: CursorWatch::new(MARKETS_CURSOR.to_owned(), Stream::markets()),
            known,
            agenda,
            setbacks: Setbacks::default(),
            scan: None,
            page: None,
            parts: VecDeque::new(),
            turn: None,
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
        tracing::debug!(stage = "ingest-markets", "the cursor was moved to {found}: beginning anew");
        self.cursor = MarketCursor::read(MARKETS_CURSOR, &found)?;
        self.text = found;
        self.known = Known::new(Arc::clone(&self.life.warehouse));
        self.agenda = Agenda::new(self.habits.poll_interval, Instant::now());
        self.setbacks = Setbacks::default();
        self.parts.clear();
        (self.scan, self.page, self.turn, self.set_aside) = (None, None, None, None);
        self.report_session();
        Ok(())
    }

    /// Asks now and then whether the cursor is where it was left.
    async fn look(&mut self) -> Result<(), StageError> {
        match self.watch.look(&*self.life.broker, &self.text).await? {
            Found::NotAsked => {}
            Found::AsLeft(at) => self.confirmed(at),
            Found::Elsewhere { cursor, taken_back: true } => self.begin_session(cursor)?,
            // Another ingester went on. What this one has appended is there all the same.
            Found::Elsewhere { cursor, taken_back: false } => {
                self.cursor = MarketCursor::read(MARKETS_CURSOR, &cursor)?;
                self.text = cursor;
                self.report();
            }
        }
        Ok(())
    }

    /// The walk to go on with, if there is anything to do.
    fn choose(&mut self) -> Option<&mut Scan> {
        let now = Instant::now();
        // What is due goes before the past: that takes long.
        let is_history = self.scan.as_ref().is_some_and(|scan| scan.purpose == Purpose::History);
        if self.scan.is_none() || (is_history && self.agenda.next(now).is_some()) {
            // From this side nothing else keeps its place.
            self.set_aside = self.scan.take().filter(|scan| scan.from_end.is_some()).or(self.set_aside.take());
            self.scan = self.due(now).or_else(|| self.set_aside.take()).or_else(|| self.history());
        }
        self.scan.as_mut()
    }

    fn due(&mut self, now: Instant) -> Option<Scan> {
        while let Some(purpose) = self.agenda.next(now) {
            if let Some((listing, until)) = self.agenda.listing(purpose, self.cursor.closed_since) {
                return Some(Scan::new(purpose, listing, until));
            }
            self.agenda.done(purpose, Newest::default(), now);
            self.count_round();
        }
        None
    }

    fn history(&self) -> Option<Scan> {
        let after = match &self.cursor.history {
            _ if !self.habits.history => return None,
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
        if self.agenda.is_done() {
            self.progress.send_modify(|progress| {
                progress.markets.rounds += 1;
                progress.markets.last_round = Some(std::time::Instant::now());
            });
        }
    }

    /// Reads the next page of the walk.
    async fn read(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        let (source, now) = (Arc::clone(&self.source), Instant::now());
        let Some(scan) = self.choose() else {
            // Not until there is something to read: it is asked in between whether the streams are as they were.
            let until = self.agenda.until().min(now + LOOK_EVERY);
            let _ = drain.run_until_cancelled(tokio::time::sleep_until(until)).await;
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
                self.setbacks.failures += 1;
                self.postpone();
                return Err(error.into());
            }
        };
        let turn = scan.turn(&page);
        let (unsorted, order) = (scan.unsorted, scan.listing.order);
        if unsorted && self.agenda.unsorted(order, now) {
            tracing::warn!(
                stage = "ingest-markets",
                "{} does not sort by {order:?}: all open markets are read instead, which takes longer, and a market that is \
                 closed later than a day after it was made may not be noticed unless scan is \"all\"",
                source.name()
            );
        }
        let turn = match turn {
            Ok(turn) => turn,
            Err(Astray::Unsorted) => {
                self.scan = None;
                return Ok(Step::Moved(0));
            }
            Err(astray) => {
                if astray == Astray::Lost {
                    self.begin_anew();
                    self.postpone();
                }
                let (endpoint, cause) = (source.name().to_owned(), "its listing goes in a circle".to_owned());
                return Err(SourceError::Untrusted { endpoint, cause }.into());
            }
        };
        self.setbacks.failures = 0;
        let after = page.next.clone();
        let (purpose, pages) = self.scan.as_ref().map_or((Purpose::New, 0), |scan| (scan.purpose, scan.pages));
        self.progress.send_modify(|progress| match purpose {
            Purpose::Open => progress.markets.open_pages = progress.markets.open_pages.max(pages),
            Purpose::History => progress.markets.history_pages += 1,
            Purpose::New | Purpose::Changed | Purpose::Closed => {}
        });
        self.report();
        self.page = Some(Leaf { markets: page.markets, cursor: self.cursor_behind(after, turn) });
        self.turn = Some(turn);
        Ok(Step::Moved(0))
    }

    /// Keeps of the page in hand what is worth a row.
    async fn sift(&mut self) -> Result<Step, StageError> {
        if let Some(page) = &self.page {
            let changes = self.known.changes(&page.markets).await?;
            self.parts = split(changes, page.cursor.clone());
            self.page = None;
        }
        Ok(Step::Moved(0))
    }

    /// Turns to the other walks where this one has too many setbacks. The one through the past waits for the others anyway.
    fn postpone(&mut self) {
        let purpose = self.scan.as_ref().map(|scan| scan.purpose).or_else(|| self.agenda.front());
        let Some(purpose) = purpose.filter(|purpose| self.setbacks.are_too_many() && *purpose != Purpose::History)
        else {
            return;
        };
        let begun = self.scan.take().and_then(|scan| scan.begun).unwrap_or_default();
        tracing::warn!(
            stage = "ingest-markets",
            "the listing for {purpose:?} cannot be read to its end: others go first"
        );
        self.setbacks = Setbacks::default();
        self.agenda.postpone(purpose, begun, Instant::now());
    }

    /// The walk cannot go on like this: it begins anew.
    fn begin_anew(&mut self) {
        let Some(scan) = self.scan.take() else { return };
        self.setbacks.beginnings += 1;
        if scan.from_end.is_some() {
            return;
        }
        if scan.purpose == Purpose::History && matches!(self.cursor.history, History::Behind(_)) {
            let cursor = MarketCursor { history: History::NotBegun, ..self.cursor.clone() };
            self.parts = split(Vec::new(), Some(cursor));
        }
    }

    /// Where the cursor goes with the page, if it goes anywhere.
    fn cursor_behind(&self, after: Option<String>, turn: Turn) -> Option<MarketCursor> {
        let scan = self.scan.as_ref()?;
        let newest = scan.begun.map(|begun| begun.updated).filter(|time| *time > 0);
        let mut cursor = self.cursor.clone();
        match (scan.purpose, turn) {
            (_, Turn::More) if scan.from_end.is_some() => {}
            (Purpose::History, Turn::More) => cursor.history = History::Behind(after?),
            (Purpose::Closed, Turn::Done) if self.closed_by_creation(scan).is_some() => {}
            (Purpose::History, Turn::Done) => cursor.history = History::Done(since_epoch().as_secs()),
            // From the first page on: what is closed while all open ones are read must not be missed after a kill.
            (Purpose::Open, _) => cursor.closed_since = cursor.closed_since.or(newest),
            (Purpose::Closed, Turn::Done) => cursor.closed_since = newest.max(cursor.closed_since),
            _ => {}
        }
        (cursor != self.cursor).then_some(cursor)
    }

    /// Appends one part, if there is room.
    async fn append(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if let Some(cause) = self.room.wait(drain).await? {
            return Ok(Step::Wait(cause));
        }
        let Some(part) = self.parts.front() else { return Ok(Step::Idle) };
        let goes_to = part.cursor.as_ref().unwrap_or(&self.cursor);
        let next =
            MarketCursor { step: self.cursor.step + 1, entries: part.hash(&self.cursor.entries), ..goes_to.clone() };
        let text = next.write();
        let advance = Advance { key: MARKETS_CURSOR.into(), expected: self.text.clone(), next: text.clone() };
        let begun = std::time::Instant::now();
        match self.life.broker.append(part.entries.clone(), advance).await? {
            Appended::Now | Appended::Before => {
                let part = self.parts.pop_front().unwrap_or_default();
                let events = part.entries.len() as u64;
                part.marks.into_iter().for_each(|mark| self.known.remember(mark));
                (self.cursor, self.text) = (next, text);
                self.report();
                self.confirmed(begun);
                Ok(Step::Moved(events))
            }
            Appended::Conflict(found) => {
                let found = found.ok_or_else(|| BrokerError::Lost(format!("{MARKETS_CURSOR} is gone")))?;
                self.begin_session(found)?;
                Ok(Step::Moved(0))
            }
        }
    }

    /// The page is in the stream.
    fn settle(&mut self, turn: Turn) {
        if turn == Turn::More {
            return;
        }
        let Some(scan) = self.scan.take() else { return };
        if let Some(next) = self.around_gap(&scan) {
            self.scan = Some(next);
            return;
        }
        self.agenda.done(scan.purpose, scan.begun.unwrap_or_default(), Instant::now());
        self.setbacks = Setbacks::default();
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
        if let Some(turn) = self.turn.take() {
            self.settle(turn);
        }
        self.look().await?;
        self.read(drain).await
    }

    fn in_hand(&self) -> bool {
        !self.parts.is_empty() || self.page.is_some()
    }
}
