//! Makes stages: what each is given, in one place.

use std::sync::Arc;

use bytesize::ByteSize;
use futures::FutureExt;
use tokio::sync::watch;

use crate::broker::{EntryId, Group, Stream};
use crate::control::{job::Job, job::fills::ReplayFills, limits::Limits, runner::Open};
use crate::flow::{Input, StageId, StreamId};
use crate::stage::ingest::markets::{IngestMarkets, IngestOptions};
use crate::stage::write::{BatchLimits, Row, Writer};
use crate::stage::{
    guarded::Guarded, ingest::fills::IngestFills, process::ProcessTrades, resolve::Resolver, step::Stage,
};
use crate::streams::backpressure::{Backpressure, Disk};
use crate::streams::{Markets, Progress, StageError, session::Session};
use crate::warehouse::with_rows;

/// What stages are made of.
pub(crate) struct StageFactory {
    pub(crate) session: Arc<Session>,
    pub(crate) markets: Option<Markets>,
    pub(crate) progress: Arc<watch::Sender<Progress>>,
    pub(crate) limits: Limits,
    pub(crate) only: Option<Vec<StageId>>,
}

impl StageFactory {
    /// Which stages run here, in the order of the flow.
    pub(crate) fn stages(&self) -> impl Iterator<Item = StageId> {
        let reads_markets = self.markets.is_some();
        let is_there = move |stage: &StageId| match stage.declared().input {
            _ if self.session.read_by(*stage).is_some() => true,
            Input::Fills => false,
            Input::Markets => reads_markets,
            Input::Stream(stream) => self.session.fills(stream),
        };
        let runs_here = |stage: &StageId| self.only.as_ref().is_none_or(|only| only.contains(stage));
        StageId::ALL.into_iter().filter(move |stage| is_there(stage) && runs_here(stage))
    }

    /// How a stage is opened.
    pub(crate) fn open(self: &Arc<Self>, name: StageId) -> Open {
        let this = Arc::clone(self);
        match name {
            reader if self.session.read_by(reader).is_some() => {
                open(&self.session, move || Arc::clone(&this).ingest_fills(name))
            }
            StageId::IngestMarkets => open(&self.session, move || Arc::clone(&this).ingest_markets()),
            StageId::ProcessTrades => open(&self.session, move || {
                let (group, room) = (Group::of(StreamId::OrderEvents), this.trades_room().of_forwarder());
                ProcessTrades::open(Arc::clone(&this.session), room, this.limits.batch, group, None)
            }),
            StageId::Resolver => open(&self.session, move || Arc::clone(&this).resolver()),
            writer if let Some(table) = writer.table() => with_rows!(table, Row => {
                open(&self.session, move || {
                    Writer::<Row>::open(Arc::clone(&this.session), this.batch(name), Group::of(Row::STREAM), None)
                })
            }),
            _ => open(&self.session, move || Arc::clone(&this).ingest_fills(name)),
        }
    }

    /// How the worker of a replay is opened.
    pub(crate) fn open_replay(self: &Arc<Self>, job: &Arc<Job>) -> Open {
        let (this, job) = (Arc::clone(self), Arc::clone(job));
        match job.stage {
            StageId::ProcessTrades => open(&self.session, move || Arc::clone(&this).replay_trades(Arc::clone(&job))),
            writer if let Some(table) = writer.table() => with_rows!(table, Row => {
                open(&self.session, move || Arc::clone(&this).replay_writes::<Row>(Arc::clone(&job)))
            }),
            // Nothing else is ever begun: see `plan.rs`.
            _ => open(&self.session, move || {
                let (session, progress) = (Arc::clone(&this.session), this.progress.subscribe());
                ReplayFills::open(session, Arc::clone(&job), progress, this.limits.max_rows)
            }),
        }
    }

    /// The room in the streams that a stage writes.
    fn backpressure(&self, stage: StageId) -> Backpressure {
        // Nobody empties what this pipeline does not fill.
        let filled = stage.declared().writes.iter().copied().filter(|stream| self.session.fills(*stream));
        let streams = filled.map(Stream::of).collect();
        Backpressure::new(Arc::clone(&self.session.broker), streams, self.limits.max_stream_bytes)
    }

    fn disk(&self) -> Disk {
        Disk::new(self.limits.data_dir.clone(), self.limits.min_free)
    }

    fn trades_room(&self) -> Backpressure {
        self.backpressure(StageId::ProcessTrades)
    }

    fn batch(&self, stage: StageId) -> BatchLimits {
        let Limits { max_rows, max_batch_bytes, linger, .. } = self.limits;
        let max_bytes = match stage {
            // A market is much larger in memory than in its entry.
            StageId::WriteMarkets => ByteSize::b(max_batch_bytes.as_u64() / 4),
            _ => max_batch_bytes,
        };
        BatchLimits { max_rows, max_bytes, linger }
    }

    async fn ingest_fills(self: Arc<Self>, stage: StageId) -> Result<IngestFills, StageError> {
        let backpressure = self.backpressure(stage).on_disk(self.disk());
        let fills = self.session.read_by(stage).cloned();
        let fills = fills.ok_or_else(|| StageError::Replay(format!("no source of {stage} is configured")))?;
        let (session, progress) = (Arc::clone(&self.session), Arc::clone(&self.progress));
        IngestFills::open(session, fills, progress, backpressure, self.limits.batch).await
    }

    async fn ingest_markets(self: Arc<Self>) -> Result<IngestMarkets, StageError> {
        let markets = self.markets()?;
        let backpressure = self.backpressure(StageId::IngestMarkets).on_disk(self.disk());
        let options = IngestOptions { poll_interval: markets.poll_interval, history: markets.history };
        IngestMarkets::open(
            Arc::clone(&self.session),
            markets.source,
            Arc::clone(&self.progress),
            backpressure,
            options,
        )
        .await
    }

    async fn resolver(self: Arc<Self>) -> Result<Resolver, StageError> {
        Resolver::open(Arc::clone(&self.session), self.markets()?, Arc::clone(&self.progress)).await
    }

    fn markets(&self) -> Result<Markets, StageError> {
        self.markets.clone().ok_or_else(|| StageError::Replay("no source of markets is configured".into()))
    }

    async fn replay_writes<R: Row>(self: Arc<Self>, job: Arc<Job>) -> Result<Writer<R>, StageError> {
        let (group, up_to) = self.replay_group(&job).await?;
        Writer::open(Arc::clone(&self.session), self.batch(job.stage), group, Some(up_to)).await
    }

    async fn replay_trades(self: Arc<Self>, job: Arc<Job>) -> Result<ProcessTrades, StageError> {
        let (group, up_to) = self.replay_group(&job).await?;
        let (room, batch) = (self.trades_room(), self.limits.batch);
        ProcessTrades::open(Arc::clone(&self.session), room, batch, group, Some(up_to)).await
    }

    /// The group of a replay, which is made where it is not there, and the last entry that it is about.
    async fn replay_group(&self, job: &Job) -> Result<(Group, EntryId), StageError> {
        self.session.enter().await?;
        job.open_group(&self.session).await
    }
}

/// An [`Open`] of a stage's own `open`. What it opens works only as long as source and store are of one world.
fn open<S, F>(session: &Arc<Session>, make: impl Fn() -> F + Send + Sync + 'static) -> Open
where
    S: Stage + 'static,
    F: Future<Output = Result<S, StageError>> + Send + 'static,
{
    let session = Arc::clone(session);
    Box::new(move || {
        let (session, made) = (Arc::clone(&session), make());
        made.map(|stage| stage.map(|stage| Box::new(Guarded { stage, session }) as Box<dyn Stage>)).boxed()
    })
}
