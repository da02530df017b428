//! The subgraph as it is asked.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::value::RawValue;

use super::answer::{self, Meta};
use super::growth::Growth;
use super::place::Place;
use super::section::GoldskySection;
use super::size::PageSize;
use super::wire::Wire;
use super::{query, row};
use crate::breaker::Breaker;
use crate::clock::{since_epoch, unix_ms};
use crate::flow::{GOLDSKY, StageId};
use crate::model::DeadLetter;
use crate::source::error::SourceError;
use crate::source::evidence::Evidence;
use crate::source::fills::FillSource;
use crate::source::frontier::{Frontier, Subgraph};
use crate::source::http::ApiConfig;
use crate::source::page::{Page, SourceEvent};
use crate::source::position::Position;
use crate::source::start::Start;
use crate::source::state::{NodeState, SourceState};

/// The source's name.
pub(super) const NAME: &str = GOLDSKY;

/// Who refuses its rows.
const STAGE: &str = StageId::IngestGoldsky.as_str();

/// Polymarket is on Polygon. A subgraph tells no chain.
const WORLD: &str = "chain:137";

/// A fifth of what Goldsky allows an address.
const MAX_RATE: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// A page of 1,000 rows is about a megabyte.
const MAX_BODY: usize = 16 << 20;

/// How often a subgraph is asked whose data has ended.
const SELDOM: Duration = Duration::from_secs(600);

/// So often within one call fewer rows are asked for.
const HALVINGS: u32 = 4;

/// A subgraph of fills.
pub struct Goldsky {
    wire: Wire,
    settle: Duration,
    world: Mutex<String>,
    size: Mutex<PageSize>,
    seen: Mutex<Seen>,
}

/// What it has said of itself.
#[derive(Default)]
struct Seen {
    growth: Growth,
    newest: Option<Place>,
    /// What is told without asking, since nothing new comes, and when it was asked.
    frozen: Option<(Frontier, Instant)>,
    has_indexing_errors: bool,
}

impl Goldsky {
    /// The subgraph of a section, or the key that is wrong and why. Connects to nobody yet.
    pub fn new(section: &GoldskySection) -> Result<Self, (&'static str, String)> {
        let config = ApiConfig {
            timeout: section.timeout,
            max_rate: MAX_RATE,
            max_body: MAX_BODY,
            ..ApiConfig::at(section.url.as_str())
        };
        let api = config.open().map_err(|error| ("sources.goldsky.url", error.to_string()))?;
        let api = api.bearing(&section.token).ok_or(("sources.goldsky.token", "no header takes it".to_owned()))?;
        Ok(Self {
            wire: Wire::new(api),
            settle: section.settle,
            world: Mutex::new(WORLD.to_owned()),
            size: Mutex::new(PageSize::new(section.page)),
            seen: Mutex::default(),
        })
    }

    fn note_indexing(&self, has_errors: bool) {
        let had_errors = std::mem::replace(&mut self.seen.lock().has_indexing_errors, has_errors);
        if has_errors && !had_errors {
            tracing::warn!("{NAME}: the subgraph has indexing errors: fills may be missing or wrong in it");
        }
    }

    /// How far it can be read, by what it says of itself.
    fn judge(&self, meta: Option<Meta>, newest: Place) -> Frontier {
        let (now, at) = (since_epoch(), Instant::now());
        let mut seen = self.seen.lock();
        let has_ended = seen.growth.has_ended(&newest, meta.as_ref(), now, at);
        let settled = now.saturating_sub(self.settle).as_secs();
        let time = meta.and_then(|meta| meta.time);
        // The second of the newest block may not be over, unless nothing comes any more.
        let is_over = has_ended || seen.growth.stood_still(self.settle, at);
        let over = time.filter(|_| !is_over).map_or(u64::MAX, |time| time.saturating_sub(1));
        let last = newest.second.min(settled).min(over);
        let subgraph = Subgraph {
            block: meta.map(|meta| meta.block),
            time,
            has_indexing_errors: seen.has_indexing_errors,
            frozen_since: has_ended.then_some(newest.second),
        };
        let end = Place::before(last.saturating_add(1));
        let frontier = Frontier { end: (&end).into(), timestamp: last, subgraph: Some(subgraph) };
        seen.frozen = has_ended.then(|| (frontier.clone(), at));
        seen.newest = Some(newest);
        frontier
    }

    /// What is known without asking: nothing new was to be had a short while ago.
    fn still_frozen(&self) -> Option<Frontier> {
        let seen = self.seen.lock();
        let (frontier, asked) = seen.frozen.as_ref()?;
        (asked.elapsed() < SELDOM).then(|| frontier.clone())
    }

    /// One page of at most so many rows: their places and what they are.
    async fn rows(&self, from: &Place, end: &Place, first: usize) -> Result<Vec<(Place, SourceEvent)>, SourceError> {
        let read = |data: &RawValue| {
            let rows = answer::rows(data)?;
            if rows.len() > first {
                return Err(format!("more than the {first} rows that were asked for"));
            }
            let (mut events, mut last) = (Vec::with_capacity(rows.len()), from.clone());
            for raw in rows {
                let place = row::place(raw)?;
                if place.second > end.last_second() {
                    return Err(format!("a row behind the last second that was asked for: {place}"));
                }
                if place <= last {
                    return Err(format!("rows that are repeated or out of order: {place} behind {last}"));
                }
                last = place.clone();
                if place <= *end {
                    let fill = row::fill(raw, &place, NAME).map_err(|reason| letter(raw, &place, reason));
                    events.push((place.clone(), SourceEvent { next: (&place).into(), fill }));
                }
            }
            Ok(events)
        };
        self.wire.ask(query::fills(from, end, first), read).await
    }

    /// The same of as many rows as it answers in time.
    async fn rows_in_time(&self, from: &Place, end: &Place) -> Result<Vec<(Place, SourceEvent)>, SourceError> {
        let mut halvings = 0;
        loop {
            let first = self.size.lock().get();
            match self.rows(from, end, first).await {
                Ok(rows) => {
                    self.size.lock().answered(Instant::now());
                    return Ok(rows);
                }
                Err(error @ (SourceError::Failed { .. } | SourceError::Broken { .. })) => {
                    let is_smaller = self.size.lock().too_slow(first, Instant::now());
                    halvings += 1;
                    if !is_smaller || halvings > HALVINGS {
                        return Err(error);
                    }
                    tracing::debug!(rows = first, "{NAME}: asking for fewer rows: {error}");
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// That rows are not told which it showed before.
    fn hidden(&self, newest: &Place) -> SourceError {
        self.seen.lock().frozen = None;
        self.wire.untrusted(format!("an empty page, though it showed a fill of {newest}"))
    }
}

/// A row that is no fill.
fn letter(raw: &RawValue, place: &Place, reason: String) -> DeadLetter {
    DeadLetter {
        source: NAME.to_owned(),
        position: place.id.clone(),
        stage: STAGE.to_owned(),
        reason,
        raw: raw.get().as_bytes().to_vec(),
        first_seen: unix_ms(),
    }
}

/// A place of this source.
fn in_subgraph(position: &Position) -> Result<Place, SourceError> {
    let place = Place::read(&position.stored());
    place.ok_or_else(|| SourceError::Refused { endpoint: NAME.to_owned(), cause: format!("{position} is no place") })
}

#[async_trait]
impl Evidence for Goldsky {
    fn state(&self) -> SourceState {
        let node = NodeState { name: self.wire.name().to_owned(), ..NodeState::default() };
        SourceState { nodes: vec![node], ..SourceState::default() }
    }
}

#[async_trait]
impl FillSource for Goldsky {
    fn name(&self) -> &'static str {
        NAME
    }

    fn breaker(&self) -> Option<Breaker> {
        Some(self.wire.breaker().clone())
    }

    fn measure(&self, position: &Position) -> u64 {
        Place::read(&position.stored()).map_or(0, |place| place.second)
    }

    async fn world(&self) -> Result<String, SourceError> {
        Ok(self.world.lock().clone())
    }

    fn remember(&self, world: &str, _: Option<&Position>) {
        world.clone_into(&mut self.world.lock());
    }

    fn position(&self, stored: &str) -> Option<Position> {
        Place::read(stored).as_ref().map(Position::from)
    }

    async fn frontier(&self) -> Result<Frontier, SourceError> {
        if let Some(frontier) = self.still_frozen() {
            return Ok(frontier);
        }
        let (meta, newest) = self.wire.ask(query::frontier(), answer::frontier).await?;
        self.note_indexing(meta.is_some_and(|meta| meta.has_indexing_errors));
        match newest {
            Some(newest) => Ok(self.judge(meta, newest)),
            None => {
                let cause = "it has no fills yet".to_owned();
                Err(SourceError::Refused { endpoint: self.wire.name().to_owned(), cause })
            }
        }
    }

    async fn resolve(&self, start: &Start) -> Result<Position, SourceError> {
        let place = match *start {
            Start::Time(second) => Place::before(second),
            Start::Block(block) => return Err(SourceError::NoBlocks { source_name: NAME, block }),
            Start::Latest => return Ok(self.frontier().await?.end),
            Start::Genesis => {
                let first = |data: &RawValue| answer::rows(data)?.first().map(|raw| row::place(raw)).transpose();
                let first = self.wire.ask(query::first(), first).await?;
                Place::before(first.map_or(0, |first| first.second))
            }
        };
        Ok((&place).into())
    }

    /// A page that is not full ends behind its last row: that nothing comes behind that is believed of an empty one only.
    async fn page(&self, from: &Position, end: &Position) -> Result<Page, SourceError> {
        let (from, last) = (in_subgraph(from)?, in_subgraph(end)?);
        if from >= last {
            return Ok(Page { events: Vec::new(), next: (&from).into() });
        }
        let rows = self.rows_in_time(&from, &last).await?;
        let next = match rows.last() {
            Some((place, _)) => place.into(),
            None => {
                let newest = self.seen.lock().newest.clone();
                if let Some(newest) = newest.filter(|newest| from < *newest && *newest <= last) {
                    return Err(self.hidden(&newest));
                }
                end.clone()
            }
        };
        Ok(Page { events: rows.into_iter().map(|(_, event)| event).collect(), next })
    }
}
