//! The committed watermark: every event before it is in the warehouse.
//!
//! A barrier, read downstream: the cursor and the newest entry of that moment; then, once the first group is clear of that
//! entry, the newest outputs; and once their writers are clear of those, the cursor of the beginning is true of
//! the tables.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::broker::{Barrier, BrokerError, EntryId, Group};
use crate::streams::session::{MARKETS, Session, markets_cursor};
use crate::streams::{error::StageError, fills::Fills, market_cursor::MarketCursor, progress::Progress};
use crate::{backoff::Backoff, flow::StreamId, warehouse::Checkpoint};

/// How often to look whether a group is clear.
const POLL: Duration = Duration::from_millis(25);

/// How often to look whether the streams are still those that it waits for.
const LOOK: Duration = Duration::from_millis(500);

/// How often the watermark is written down, at most.
const INTERVAL: Duration = Duration::from_millis(250);

/// What has a watermark.
#[derive(Clone)]
pub(crate) enum Flow {
    Fills(Arc<Fills>),
    Markets,
}

/// Moves the watermark of a flow until cancelled.
pub(crate) async fn run(
    flow: Flow,
    session: Arc<Session>,
    progress: Arc<watch::Sender<Progress>>,
    end: CancellationToken,
) {
    let (mut written, mut told, mut backoff) = (None, String::new(), Backoff::default());
    loop {
        let mut failed = None;
        match end.run_until_cancelled(flow.advance(&session, &progress, &mut written)).await {
            None => return,
            Some(Ok(())) => {
                backoff.reset();
                told.clear();
            }
            // Whoever lost the streams puts them right, and the barrier begins anew.
            Some(Err(StageError::Broker(BrokerError::Lost(_)))) => {}
            Some(Err(error)) => {
                let cause = session.breakers.words(&error);
                if told != cause {
                    tracing::warn!("the watermark stands: {cause}");
                    told = cause;
                }
                failed = Some(error);
            }
        }
        let is_well = failed.is_none();
        let pause = session.breakers.pause(failed.as_ref(), &mut backoff, INTERVAL);
        let pause = async {
            match is_well {
                true => {
                    session.urge.cuts(pause).await;
                }
                false => pause.await,
            }
        };
        if end.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

impl Flow {
    /// The source, whose checkpoint it is.
    fn source(&self) -> &'static str {
        match self {
            Self::Fills(fills) => fills.name(),
            Self::Markets => MARKETS,
        }
    }

    fn cursor_key(&self) -> String {
        match self {
            Self::Fills(fills) => fills.cursor_key(),
            Self::Markets => markets_cursor(),
        }
    }

    /// The stream that the source's ingester fills.
    const fn first(&self) -> StreamId {
        match self {
            Self::Fills(_) => StreamId::OrderEvents,
            Self::Markets => StreamId::Markets,
        }
    }

    /// Makes `cursor` the watermark unless that is further already.
    async fn commit(
        &self,
        session: &Session,
        progress: &watch::Sender<Progress>,
        key: &str,
        cursor: &str,
    ) -> Result<(), StageError> {
        let source = self.source();
        let Some(checkpoint) = session.checkpoint_of(source).await? else { return Ok(()) };
        let is_ahead = match self {
            Self::Fills(fills) => {
                let to = fills.position(key, cursor)?;
                let before = fills.position("the watermark", &checkpoint.watermark)?;
                let reached = to.clone().max(before.clone());
                progress.send_modify(|progress| progress.of_mut(source).watermark = Some(reached));
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
            session.set_checkpoint(source, &Checkpoint { watermark: cursor.to_owned(), ..checkpoint }).await?;
        }
        Ok(())
    }

    /// What was written down before this process.
    async fn restore(&self, session: &Session, progress: &watch::Sender<Progress>) -> Result<(), StageError> {
        let is_known = match self {
            Self::Fills(fills) => progress.borrow().of(fills.name()).watermark.is_some(),
            Self::Markets => progress.borrow().markets.watermark.is_some(),
        };
        if is_known {
            return Ok(());
        }
        let Some(checkpoint) = session.checkpoint_of(self.source()).await? else { return Ok(()) };
        match self {
            Self::Fills(fills) => {
                let position = Some(fills.position("the watermark", &checkpoint.watermark)?);
                progress.send_modify(|progress| {
                    let watermark = &mut progress.of_mut(fills.name()).watermark;
                    *watermark = watermark.take().max(position);
                });
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
        &self,
        session: &Session,
        progress: &watch::Sender<Progress>,
        written: &mut Option<String>,
    ) -> Result<(), StageError> {
        self.restore(session, progress).await?;
        if !session.agreement.is_reached() {
            return Ok(());
        }
        let (key, first) = (self.cursor_key(), Group::of(self.first()));
        let barrier = session.broker.barrier(&key, &first.stream).await?;
        let Some(cursor) = barrier.cursor.clone().filter(|cursor| written.as_ref() != Some(cursor)) else {
            return Ok(());
        };
        let reached = async {
            until_clear(session, &first, barrier.last_id).await?;
            self.until_written(session).await
        };
        tokio::select! {
            reached = reached => reached?,
            // What is waited for may never come then.
            taken_back = until_taken_back(session, &key, &first, &barrier) => return taken_back,
        }
        // Where the streams began anew meanwhile, or came back as they were before, what was waited for says nothing.
        if session.broker.barrier(&key, &first.stream).await?.generation != barrier.generation {
            return Ok(());
        }
        self.commit(session, progress, &key, &cursor).await?;
        *written = Some(cursor);
        Ok(())
    }

    /// Waits until the writers are clear of what has come of the first stream by now.
    async fn until_written(&self, session: &Session) -> Result<(), StageError> {
        let comes_into = |stream: &StreamId| stream.only_of().is_none_or(|source| source == self.source());
        for writers in self.first().downstream().into_iter().filter(comes_into).map(Group::of) {
            let output = session.broker.stream(&writers.stream).await?.last_id;
            until_clear(session, &writers, output).await?;
        }
        Ok(())
    }
}

/// Waits until the streams are others than those of a barrier.
async fn until_taken_back(session: &Session, key: &str, group: &Group, barrier: &Barrier) -> Result<(), StageError> {
    while session.broker.barrier(key, &group.stream).await?.generation == barrier.generation {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

async fn until_clear(session: &Session, group: &Group, id: EntryId) -> Result<(), StageError> {
    while !session.broker.is_clear(group, id).await? {
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
