//! Makes stages: what each is given, in one place.

use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use futures::FutureExt;
use tokio::sync::watch;

use super::agreement::Guarded;
use super::ingest_fills::IngestFills;
use super::ingest_markets::{Habits, IngestMarkets};
use super::job::Job;
use super::life::Life;
use super::pipeline::{Limits, Markets};
use super::process_trades::ProcessTrades;
use super::replay_fills::ReplayFills;
use super::resolver::Resolver;
use super::room::{Disk, Room};
use super::runner::Open;
use super::status::Progress;
use super::write::{BatchLimits, Row, Writer};
use super::{Stage, StageError, StageName};
use crate::broker::{EntryId, Group, Stream};
use crate::model::{DeadLetter, Market, Trade};

/// What stages are made of.
pub(super) struct Workshop {
    pub(super) life: Arc<Life>,
    pub(super) markets: Option<Markets>,
    pub(super) progress: Arc<watch::Sender<Progress>>,
    pub(super) poll_interval: Duration,
    pub(super) limits: Limits,
    pub(super) only: Option<Vec<StageName>>,
}

impl Workshop {
    /// Which stages run here, in the order of the flow.
    pub(super) fn stages(&self) -> impl Iterator<Item = StageName> {
        let reads_markets = self.markets.is_some();
        let needs_markets = |stage: &StageName| matches!(stage, StageName::IngestMarkets | StageName::Resolver);
        let runs_here = |stage: &StageName| self.only.as_ref().is_none_or(|only| only.contains(stage));
        StageName::ALL.into_iter().filter(move |stage| (reads_markets || !needs_markets(stage)) && runs_here(stage))
    }

    /// How a stage is opened.
    pub(super) fn open(self: &Arc<Self>, name: StageName) -> Open {
        let this = Arc::clone(self);
        match name {
            StageName::IngestFills => open(&self.life, move || Arc::clone(&this).ingest_fills()),
            StageName::IngestMarkets => open(&self.life, move || Arc::clone(&this).ingest_markets()),
            StageName::ProcessTrades => {
                open(&self.life, move || ProcessTrades::open(Arc::clone(&this.life), this.trades_room().of_forwarder()))
            }
            StageName::WriteMarkets => {
                open(&self.life, move || Writer::<Market>::open(Arc::clone(&this.life), this.batch(name)))
            }
            StageName::WriteTrades => {
                open(&self.life, move || Writer::<Trade>::open(Arc::clone(&this.life), this.batch(name)))
            }
            StageName::WriteDeadLetters => {
                open(&self.life, move || Writer::<DeadLetter>::open(Arc::clone(&this.life), this.batch(name)))
            }
            StageName::Resolver => open(&self.life, move || Arc::clone(&this).resolver()),
        }
    }

    /// How the worker of a replay is opened.
    pub(super) fn open_replay(self: &Arc<Self>, job: &Arc<Job>) -> Open {
        let (this, job) = (Arc::clone(self), Arc::clone(job));
        match job.stage {
            StageName::WriteMarkets => {
                open(&self.life, move || Arc::clone(&this).replay_writes::<Market>(Arc::clone(&job)))
            }
            StageName::WriteTrades => {
                open(&self.life, move || Arc::clone(&this).replay_writes::<Trade>(Arc::clone(&job)))
            }
            StageName::WriteDeadLetters => {
                open(&self.life, move || Arc::clone(&this).replay_writes::<DeadLetter>(Arc::clone(&job)))
            }
            StageName::ProcessTrades => open(&self.life, move || Arc::clone(&this).replay_trades(Arc::clone(&job))),
            // Nothing else is ever begun: see `plan.rs`.
            StageName::IngestFills | StageName::IngestMarkets | StageName::Resolver => open(&self.life, move || {
                let (life, progress) = (Arc::clone(&this.life), this.progress.subscribe());
                ReplayFills::open(life, Arc::clone(&job), progress, this.limits.max_rows)
            }),
        }
    }

    fn room(&self, streams: Vec<Stream>) -> Room {
        Room::new(Arc::clone(&self.life.broker), streams, self.limits.max_stream_bytes)
    }

    fn disk(&self) -> Disk {
        Disk::new(self.limits.data_dir.clone(), self.limits.min_free)
    }

    fn trades_room(&self) -> Room {
        self.room(vec![Stream::trades(), Stream::dead_letters()])
    }

    fn batch(&self, stage: StageName) -> BatchLimits {
        let Limits { max_rows, max_batch_bytes, linger, .. } = self.limits;
        let max_bytes = match stage {
            // A market is much larger in memory than in its entry.
            StageName::WriteMarkets => ByteSize::b(max_batch_bytes.as_u64() / 4),
            _ => max_batch_bytes,
        };
        BatchLimits { max_rows, max_bytes, linger }
    }

    async fn ingest_fills(self: Arc<Self>) -> Result<IngestFills, StageError> {
        let room = self.room(vec![Stream::order_events(), Stream::dead_letters()]).on_disk(self.disk());
        IngestFills::open(Arc::clone(&self.life), Arc::clone(&self.progress), self.poll_interval, room).await
    }

    async fn ingest_markets(self: Arc<Self>) -> Result<IngestMarkets, StageError> {
        let markets = self.markets()?;
        let room = self.room(vec![Stream::markets(), Stream::dead_letters()]).on_disk(self.disk());
        let habits = Habits { poll_interval: markets.poll_interval, history: markets.history };
        IngestMarkets::open(Arc::clone(&self.life), markets.source, Arc::clone(&self.progress), room, habits).await
    }

    async fn resolver(self: Arc<Self>) -> Result<Resolver, StageError> {
        Resolver::open(Arc::clone(&self.life), self.markets()?, Arc::clone(&self.progress)).await
    }

    fn markets(&self) -> Result<Markets, StageError> {
        self.markets.clone().ok_or_else(|| StageError::Replay("no source of markets is configured".into()))
    }

    async fn replay_writes<R: Row>(self: Arc<Self>, job: Arc<Job>) -> Result<Writer<R>, StageError> {
        let (group, up_to) = self.replay_group(&job).await?;
        Writer::replay(Arc::clone(&self.life), self.batch(job.stage), group, up_to).await
    }

    async fn replay_trades(self: Arc<Self>, job: Arc<Job>) -> Result<ProcessTrades, StageError> {
        let (group, up_to) = self.replay_group(&job).await?;
        ProcessTrades::replay(Arc::clone(&self.life), self.trades_room(), group, up_to).await
    }

    /// The group of a replay, which is made where it is not there, and the last entry that it is about.
    async fn replay_group(&self, job: &Job) -> Result<(Group, EntryId), StageError> {
        self.life.enter().await?;
        job.open_group(&self.life).await
    }
}

/// An [`Open`] of a stage's own `open`. What it opens works only as long as source and store are of one world.
fn open<S, F>(life: &Arc<Life>, make: impl Fn() -> F + Send + Sync + 'static) -> Open
where
    S: Stage + 'static,
    F: Future<Output = Result<S, StageError>> + Send + 'static,
{
    let life = Arc::clone(life);
    Box::new(move || {
        let (life, made) = (Arc::clone(&life), make());
        made.map(|stage| stage.map(|stage| Box::new(Guarded { stage, life }) as Box<dyn Stage>)).boxed()
    })
}
