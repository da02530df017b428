//! A range of a source, read again and written straight into the tables.
//!
//! It needs no streams: its place is in its record, which moves only behind rows that are there, and a row that was there
//! before changes nothing. Live work goes first: while that is behind, this one rests as long as it reads.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::replay::Job;
use crate::model::{DeadLetter, GoldskyTrade, Trade};
use crate::source::{Page, Position};
use crate::stage::step::{Stage, Step};
use crate::stage::write::{Row, write_rows};
use crate::stage::{halve::write_letters, refusals::Refusals};
use crate::streams::session::Session;
use crate::streams::{Fills, Progress, StageError, inserts::Insert, token_cache::TokenCache};
use crate::warehouse::Batch;

/// How long pages are gathered for one write.
const LINGER: Duration = Duration::from_secs(1);

/// Live reading that is so many blocks behind comes first, or seconds of a source that has no blocks.
const BEHIND: u64 = 30;

pub(crate) struct ReplayFills {
    session: Arc<Session>,
    job: Arc<Job>,
    progress: watch::Receiver<Progress>,
    tokens: TokenCache,
    max_rows: usize,
    fills: Arc<Fills>,
    begin: Position,
    /// Up to where everything has been read.
    position: Position,
    /// The position behind the range.
    end: Position,
    /// In batches of at most so many rows.
    trades: Vec<Batch<Trade>>,
    /// Those that have a table of their own.
    goldsky: Vec<Batch<GoldskyTrade>>,
    letters: Vec<DeadLetter>,
    /// From the first attempt to write what was gathered on, of each table.
    inserts: [Option<Insert>; 2],
    refusals: Refusals,
    /// Since when pages are gathered.
    since: Option<Instant>,
    rests_until: Option<Instant>,
}

impl ReplayFills {
    pub(crate) async fn open(
        session: Arc<Session>,
        job: Arc<Job>,
        progress: watch::Receiver<Progress>,
        max_rows: usize,
    ) -> Result<Self, StageError> {
        session.check_world().await?;
        let record = job.record();
        let fills = session.read_by(job.stage).cloned();
        let fills = fills.ok_or_else(|| StageError::Replay(format!("no source of {} is configured", job.stage)))?;
        let begin = fills.position("a replay's begin", &record.begin)?;
        let end = fills.position("a replay's end", &record.until)?;
        let position = match record.cursor.as_str() {
            "" => begin.clone(),
            cursor => fills.position("a replay's cursor", cursor)?,
        };
        let tokens = TokenCache::new(session.warehouse.clone());
        Ok(Self {
            session,
            job,
            progress,
            tokens,
            max_rows,
            fills,
            begin,
            position,
            end,
            trades: Vec::new(),
            goldsky: Vec::new(),
            letters: Vec::new(),
            inserts: [None, None],
            refusals: Refusals::default(),
            since: None,
            rests_until: None,
        })
    }

    /// Reads the next page.
    async fn read(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if let Some(until) = self.rests_until.take() {
            let _ = drain.run_until_cancelled(tokio::time::sleep_until(until)).await;
        }
        let began = Instant::now();
        let page = self.fills.source.page(&self.position, &self.end);
        let Some(page) = drain.run_until_cancelled(page).await else { return Ok(Step::Idle) };
        self.take(page?).await;
        if self.live_is_behind() {
            self.rests_until = Some(Instant::now() + began.elapsed());
        }
        Ok(Step::Moved(0))
    }

    async fn take(&mut self, page: Page) {
        self.since.get_or_insert_with(Instant::now);
        let mut fills = Vec::with_capacity(page.events.len());
        for event in page.events {
            match event.fill {
                Ok(fill) => fills.push(fill),
                Err(letter) => self.letters.push(letter.clipped()),
            }
        }
        self.tokens.look_up(fills.iter()).await;
        for fill in fills {
            let resolution = self.tokens.resolution(&fill, &self.session.partial);
            match GoldskyTrade::has(&fill) {
                false => gather(&mut self.trades, self.max_rows, Trade { resolution, fill }),
                true => gather(&mut self.goldsky, self.max_rows, GoldskyTrade(Trade { resolution, fill })),
            }
        }
        self.position = page.next;
    }

    fn live_is_behind(&self) -> bool {
        let live = self.progress.borrow().of(self.fills.name());
        let (Some((frontier, _)), Some(cursor)) = (live.frontier, live.cursor) else { return true };
        let [cursor, end] = [&cursor, &frontier.end].map(|position| self.fills.source.measure(position));
        cursor.saturating_add(BEHIND) < end.saturating_sub(1)
    }

    fn is_full(&self) -> bool {
        self.trades.iter().any(|batch| batch.rows().len() >= self.max_rows)
            || self.goldsky.iter().any(|batch| batch.rows().len() >= self.max_rows)
            || self.position >= self.end
            || self.since.is_some_and(|since| since.elapsed() >= LINGER)
    }

    /// Writes what was gathered, and then moves the place.
    async fn write(&mut self) -> Result<Step, StageError> {
        let [of_trades, of_goldsky] = &mut self.inserts;
        let (letters, refusals) = (&mut self.letters, &mut self.refusals);
        let mut rows = write_batches(&self.session, &self.trades, of_trades, letters, refusals).await?;
        rows += write_batches(&self.session, &self.goldsky, of_goldsky, letters, refusals).await?;
        let warehouse = &*self.session.warehouse;
        write_letters(warehouse, &self.letters).await?;
        let measure = |position: &Position| self.fills.source.measure(position);
        let done = measure(&self.position).min(measure(&self.end)).saturating_sub(measure(&self.begin));
        self.job.advance(self.position.stored(), done, rows);
        warehouse.set_job(&self.session.pipeline, &self.job.record()).await?;
        self.trades.clear();
        self.goldsky.clear();
        self.letters.clear();
        self.since = None;
        Ok(Step::Moved(rows))
    }
}

/// Adds a row to the last batch, or begins another.
fn gather<R>(batches: &mut Vec<Batch<R>>, max_rows: usize, row: R) {
    match batches.last_mut().filter(|batch| batch.rows().len() < max_rows) {
        Some(batch) => batch.push(row),
        None => batches.push(vec![row].into()),
    }
}

/// Writes batches of a table. Says how many rows that is; what is refused becomes a letter as the writer would say it, so that the same
/// row has the same one.
async fn write_batches<R: Row>(
    session: &Session,
    batches: &[Batch<R>],
    insert: &mut Option<Insert>,
    letters: &mut Vec<DeadLetter>,
    refusals: &mut Refusals,
) -> Result<u64, StageError> {
    if batches.is_empty() {
        return Ok(0);
    }
    insert.get_or_insert_with(|| session.inserts.begin(R::TABLE.id));
    let mut written = 0;
    for batch in batches {
        let (refused, behind) = write_rows(&*session.warehouse, batch, *refusals).await?;
        *refusals = behind;
        let rows = batch.rows();
        written += (rows.len() - refused.len()) as u64;
        let from = R::STREAM.as_str();
        letters.extend(refused.into_iter().filter_map(|(at, reason)| rows[at].refused(from, &reason)));
    }
    if let Some(insert) = insert.take() {
        insert.confirmed(written);
    }
    Ok(written)
}

#[async_trait]
impl Stage for ReplayFills {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        let gathers = self.since.is_some();
        if gathers && (self.is_full() || drain.is_cancelled()) {
            return self.write().await;
        }
        if self.position >= self.end {
            return Ok(Step::Done);
        }
        self.read(drain).await
    }

    fn in_hand(&self) -> bool {
        self.since.is_some()
    }
}
