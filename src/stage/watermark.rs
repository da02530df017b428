//! The committed watermark: every event before it is in the warehouse.
//!
//! A barrier, read downstream: the cursor and the newest entry of that moment; then, once the first group is clear of that
//! entry, the newest outputs; and once their writers are clear of those, the cursor of the beginning is true of
//! the tables.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::StageError;
use super::backoff::Backoff;
use super::life::{Life, MARKETS, MARKETS_CURSOR, read_position};
use super::market_cursor::MarketCursor;
use super::status::Progress;
use crate::broker::{BrokerError, EntryId, Group, Mark};
use crate::planted::{Bug, planted};
use crate::warehouse::Checkpoint;

/// How often to look whether a group is clear.
const POLL: Duration = Duration::from_millis(25);

/// How often to look whether the streams are still those that it waits for.
const LOOK: Duration = Duration::from_millis(500);

/// How often the watermark is written down, at most.
const INTERVAL: Duration = Duration::from_millis(250);

/// What has a watermark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Fills,
    Markets,
}

/// Moves the watermark of a flow until cancelled.
pub(super) async fn run(flow: Flow, life: Arc<Life>, progress: Arc<watch::Sender<Progress>>, end: CancellationToken) {
    let (mut written, mut told, mut backoff) = (None, String::new(), Backoff::default());
    loop {
        let mut failed = None;
        match end.run_until_cancelled(flow.advance(&life, &progress, &mut written)).await {
            None => return,
            Some(Ok(())) => {
                backoff.reset();
                told.clear();
            }
            // Whoever lost the streams puts them right, and the barrier begins anew.
            Some(Err(StageError::Broker(BrokerError::Lost(_)))) => {}
            Some(Err(error)) => {
                let cause = life.breakers.words(&error);
                if told != cause {
                    tracing::warn!("the watermark stands: {cause}");
                    told = cause;
                }
                failed = Some(error);
            }
        }
        let pause = life.breakers.pause(failed.as_ref(), &mut backoff, INTERVAL);
        if end.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

impl Flow {
    /// The source, whose checkpoint it is.
    fn source(self, life: &Life) -> &str {
        match self {
            Self::Fills => life.source.name(),
            Self::Markets => MARKETS,
        }
    }

    fn cursor_key(self, life: &Life) -> String {
        match self {
            Self::Fills => life.cursor_key(),
            Self::Markets => MARKETS_CURSOR.to_owned(),
        }
    }

    /// The group that reads what the source's ingester writes.
    fn first(self, life: &Life) -> &Group {
        match self {
            Self::Fills => &life.groups.trade_processors,
            Self::Markets => &life.groups.market_writers,
        }
    }

    /// The groups that read what may come of that.
    fn others(self, life: &Life) -> Vec<&Group> {
        match self {
            Self::Fills => vec![&life.groups.trade_writers, &life.groups.dead_letter_writers],
            Self::Markets => vec![&life.groups.dead_letter_writers],
        }
    }

    /// Makes `cursor` the watermark unless that is further already.
    async fn commit(
        self,
        life: &Life,
        progress: &watch::Sender<Progress>,
        key: &str,
        cursor: &str,
    ) -> Result<(), StageError> {
        let source = self.source(life);
        let Some(checkpoint) = life.checkpoint_of(source).await? else { return Ok(()) };
        let is_ahead = match self {
            Self::Fills => {
                let to = read_position(key, cursor)?;
                let before = read_position("the watermark", &checkpoint.watermark)?;
                progress.send_modify(|progress| progress.watermark = Some(to.max(before)));
                to > before
            }
            Self::Markets => {
                let to = MarketCursor::read(key, cursor)?.step;
                let before = MarketCursor::read("the watermark", &checkpoint.watermark)?.step;
                progress.send_modify(|progress| progress.markets.watermark = Some(to.max(before)));
                to > before
            }
        };
        if is_ahead {
            life.set_checkpoint(source, &Checkpoint { watermark: cursor.to_owned(), ..checkpoint }).await?;
        }
        Ok(())
    }

    /// What was written down before this process.
    async fn recall(self, life: &Life, progress: &watch::Sender<Progress>) -> Result<(), StageError> {
        let is_known = match self {
            Self::Fills => progress.borrow().watermark.is_some(),
            Self::Markets => progress.borrow().markets.watermark.is_some(),
        };
        if is_known {
            return Ok(());
        }
        let Some(checkpoint) = life.checkpoint_of(self.source(life)).await? else { return Ok(()) };
        match self {
            Self::Fills => {
                let position = read_position("the watermark", &checkpoint.watermark)?;
                progress.send_modify(|progress| progress.watermark = progress.watermark.max(Some(position)));
            }
            Self::Markets => {
                let step = MarketCursor::read("the watermark", &checkpoint.watermark)?.step;
                progress
                    .send_modify(|progress| progress.markets.watermark = progress.markets.watermark.max(Some(step)));
            }
        }
        Ok(())
    }

    async fn advance(
        self,
        life: &Life,
        progress: &watch::Sender<Progress>,
        written: &mut Option<String>,
    ) -> Result<(), StageError> {
        self.recall(life, progress).await?;
        if !life.agreement.is_reached() {
            return Ok(());
        }
        let (key, first) = (self.cursor_key(life), self.first(life));
        if planted(Bug::BarrierDownstreamFirst) {
            self.until_written(life).await?;
        }
        let mark = life.broker.mark(&key, &first.stream).await?;
        let Some(cursor) = mark.cursor.clone().filter(|cursor| written.as_ref() != Some(cursor)) else {
            return Ok(());
        };
        let reached = async {
            until_clear(life, first, mark.last_id).await?;
            if !planted(Bug::BarrierDownstreamFirst) {
                self.until_written(life).await?;
            }
            Ok::<_, StageError>(())
        };
        tokio::select! {
            reached = reached => reached?,
            // What is waited for may never come then.
            taken_back = until_taken_back(life, &key, first, &mark) => return taken_back,
        }
        // Where the streams began anew meanwhile, or came back as they were before, what was waited for says nothing.
        if life.broker.mark(&key, &first.stream).await?.generation != mark.generation {
            return Ok(());
        }
        self.commit(life, progress, &key, &cursor).await?;
        *written = Some(cursor);
        Ok(())
    }

    /// Waits until the writers are clear of what has come of the first stream by now.
    async fn until_written(self, life: &Life) -> Result<(), StageError> {
        for writers in self.others(life) {
            let output = life.broker.stream(&writers.stream).await?.last_id;
            until_clear(life, writers, output).await?;
        }
        Ok(())
    }
}

/// Waits until the streams are others than those of a mark.
async fn until_taken_back(life: &Life, key: &str, group: &Group, mark: &Mark) -> Result<(), StageError> {
    while life.broker.mark(key, &group.stream).await?.generation == mark.generation {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

async fn until_clear(life: &Life, group: &Group, id: EntryId) -> Result<(), StageError> {
    while !life.broker.is_clear(group, id).await? {
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
