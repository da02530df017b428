//! A range of the chain, read again and written straight into the tables.
//!
//! It needs no streams: its place is in its record, which moves only behind rows that are there, and a row that was there
//! before changes nothing. Live work goes first: while that is behind, this one rests as long as it reads.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::halve::write_letters;
use super::inserts::Insert;
use super::job::Job;
use super::life::{Life, read_position, write_position};
use super::status::Progress;
use super::token_cache::TokenCache;
use super::write::{Row, write_rows};
use super::{Stage, StageError, Step};
use crate::broker::Stream;
use crate::model::{ChainPosition, DeadLetter, Trade};
use crate::source::Page;
use crate::warehouse::{Batch, Table};

/// How long pages are gathered for one write.
const LINGER: Duration = Duration::from_secs(1);

/// Live reading that is so many blocks behind comes first.
const BEHIND: u64 = 30;

pub(super) struct ReplayFills {
    life: Arc<Life>,
    job: Arc<Job>,
    progress: watch::Receiver<Progress>,
    tokens: TokenCache,
    max_rows: usize,
    begin: ChainPosition,
    /// Up to where everything has been read.
    position: ChainPosition,
    /// The position behind the range.
    end: ChainPosition,
    /// In batches of at most so many rows.
    trades: Vec<Batch<Trade>>,
    letters: Vec<DeadLetter>,
    /// From the first attempt to write what was gathered on.
    insert: Option<Insert>,
    bad_in_a_row: usize,
    /// Since when pages are gathered.
    since: Option<Instant>,
    rests_until: Option<Instant>,
}

impl ReplayFills {
    pub(super) async fn open(
        life: Arc<Life>,
        job: Arc<Job>,
        progress: watch::Receiver<Progress>,
        max_rows: usize,
    ) -> Result<Self, StageError> {
        life.check_world().await?;
        let record = job.record();
        let begin = read_position("a replay's begin", &record.begin)?;
        let end = read_position("a replay's end", &record.until)?;
        let position = match record.cursor.as_str() {
            "" => begin,
            cursor => read_position("a replay's cursor", cursor)?,
        };
        let tokens = TokenCache::new(Arc::clone(&life.warehouse));
        Ok(Self {
            life,
            job,
            progress,
            tokens,
            max_rows,
            begin,
            position,
            end,
            trades: Vec::new(),
            letters: Vec::new(),
            insert: None,
            bad_in_a_row: 0,
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
        let page = self.life.source.page(self.position, self.end.block.saturating_sub(1));
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
            let resolution = self.tokens.resolution(&fill, &self.life.partly);
            self.gather(Trade { resolution, fill });
        }
        self.position = page.next;
    }

    fn gather(&mut self, trade: Trade) {
        match self.trades.last_mut().filter(|batch| batch.rows().len() < self.max_rows) {
            Some(batch) => batch.push(trade),
            None => self.trades.push(vec![trade].into()),
        }
    }

    fn live_is_behind(&self) -> bool {
        let progress = self.progress.borrow();
        let (Some((head, _)), Some(cursor)) = (progress.head, progress.cursor) else { return true };
        cursor.block.saturating_add(BEHIND) < head.block
    }

    fn is_full(&self) -> bool {
        self.trades.iter().any(|batch| batch.rows().len() >= self.max_rows)
            || self.position >= self.end
            || self.since.is_some_and(|since| since.elapsed() >= LINGER)
    }

    /// Writes what was gathered, and then moves the place.
    async fn write(&mut self) -> Result<Step, StageError> {
        let warehouse = &*self.life.warehouse;
        // As the writer would say it: the same row has the same letter.
        let stream = Stream::trades();
        let mut rows = 0;
        if !self.trades.is_empty() {
            self.insert.get_or_insert_with(|| self.life.inserts.begin(Table::Trades));
        }
        for batch in &self.trades {
            let (refused, bad_in_a_row) = write_rows(warehouse, batch, self.bad_in_a_row).await?;
            self.bad_in_a_row = bad_in_a_row;
            let trades = batch.rows();
            rows += (trades.len() - refused.len()) as u64;
            let refused = refused.into_iter().filter_map(|(at, reason)| trades[at].refused(stream.as_str(), &reason));
            self.letters.extend(refused);
        }
        if let Some(insert) = self.insert.take() {
            insert.confirmed(rows);
        }
        write_letters(warehouse, &self.letters).await?;
        let done = self.position.block.min(self.end.block).saturating_sub(self.begin.block);
        self.job.advance(write_position(self.position), done, rows);
        warehouse.set_job(&self.life.pipeline, &self.job.record()).await?;
        self.trades.clear();
        self.letters.clear();
        self.since = None;
        Ok(Step::Moved(rows))
    }
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
