//! The pipeline: all stages, running.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use futures::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::ingest_fills::IngestFills;
use super::ingest_markets::{Habits, IngestMarkets};
use super::life::Life;
use super::process_trades::ProcessTrades;
use super::resolver::Resolver;
use super::room::{Disk, Room};
use super::runner::{self, Open};
use super::status::{Progress, StageStatus, StatusLine};
use super::watermark::Flow;
use super::write::{BatchLimits, Writer};
use super::{Stage, StageError, StageName, trim, watermark};
use crate::broker::{Broker, Keep, Stream};
use crate::model::{DeadLetter, Market, Trade};
use crate::source::{FillSource, MarketSource, Start, TokenSource};
use crate::warehouse::Warehouse;

/// How long to wait before what is no stage begins again.
const HELPER_PAUSE: Duration = Duration::from_secs(1);

/// What a pipeline is made of.
pub struct Parts {
    /// Its name, under which its checkpoints are kept.
    pub name: String,
    /// Where fills come from.
    pub source: Arc<dyn FillSource>,
    /// Where markets come from, if they are read.
    pub markets: Option<Markets>,
    /// How entries move.
    pub broker: Arc<dyn Broker>,
    /// Where rows land.
    pub warehouse: Arc<dyn Warehouse>,
    /// Where a first run begins.
    pub start: Start,
    /// How often the source's head is asked for.
    pub poll_interval: Duration,
    /// The bounds.
    pub limits: Limits,
}

/// Where markets come from.
#[derive(Clone)]
pub struct Markets {
    /// Lists them and finds single ones.
    pub source: Arc<dyn MarketSource>,
    /// Knows single tokens.
    pub tokens: Arc<dyn TokenSource>,
    /// How often what is new and changed is asked for.
    pub poll_interval: Duration,
    /// Whether the closed markets of the past are read, too.
    pub history: bool,
}

/// The bounds of a pipeline.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Rows of one batch.
    pub max_rows: usize,
    /// Bytes of one batch.
    pub max_batch_bytes: ByteSize,
    /// How long a batch waits to be filled.
    pub linger: Duration,
    /// Bytes of one stream. Half of them may be unread before the stage in front of it waits.
    pub max_stream_bytes: ByteSize,
    /// How long entries are kept that everybody has read, as long as there is room.
    pub keep: Duration,
    /// The directory whose disk is watched.
    pub data_dir: PathBuf,
    /// Bytes that must stay free there.
    pub min_free: ByteSize,
}

/// Why a pipeline cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum PipelineFailed {
    /// A stage has failed for good.
    #[error("{stage} failed: {error}")]
    Stage {
        /// The stage.
        stage: StageName,
        /// Why.
        error: StageError,
    },
    /// What runs the stages has failed, which is a bug.
    #[error("a stage ended unexpectedly: {0}")]
    Runner(String),
}

/// Sees what the stages of a pipeline publish.
#[derive(Clone, Debug)]
pub struct Observer {
    statuses: Vec<(StageName, watch::Receiver<StageStatus>)>,
    progress: watch::Receiver<Progress>,
}

impl Observer {
    /// The stages as they are now, in the order of the flow.
    pub fn stages(&self) -> Vec<(StageName, StageStatus)> {
        self.statuses.iter().map(|(name, status)| (*name, status.borrow().clone())).collect()
    }

    /// Where the source's events are now.
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }
}

/// A running pipeline. Dropping it ends it as a kill would: safely, but without finishing what is in hand.
pub struct Pipeline {
    stages: JoinSet<(StageName, Result<(), StageError>)>,
    helpers: Vec<AbortOnDropHandle<()>>,
    statuses: Vec<(StageName, watch::Receiver<StageStatus>)>,
    progress: watch::Receiver<Progress>,
    drain: CancellationToken,
}

impl Pipeline {
    /// Starts all stages. What is not there yet, a node or a disk, they wait for.
    pub fn start(parts: Parts) -> Self {
        let Parts { name, source, markets, broker, warehouse, start, poll_interval, limits } = parts;
        let life = Arc::new(Life::new(Arc::clone(&broker), warehouse, name, source, start));
        let progress = Arc::new(watch::Sender::new(Progress::default()));
        let drain = CancellationToken::new();
        let half = ByteSize::b(limits.max_stream_bytes.as_u64() / 2);
        let room = move |streams: Vec<Stream>| Room::new(Arc::clone(&broker), streams, limits.max_stream_bytes);
        let batch = BatchLimits { max_rows: limits.max_rows, max_bytes: limits.max_batch_bytes, linger: limits.linger };

        let mut pipeline = Self {
            stages: JoinSet::new(),
            helpers: Vec::new(),
            statuses: Vec::new(),
            progress: progress.subscribe(),
            drain: drain.clone(),
        };
        let disk = move || Disk::new(limits.data_dir.clone(), limits.min_free);
        pipeline.run(StageName::IngestFills, {
            let (life, progress) = (Arc::clone(&life), Arc::clone(&progress));
            let (room, disk) = (room.clone(), disk.clone());
            open(move || {
                let room = room(vec![Stream::order_events(), Stream::dead_letters()]).on_disk(disk());
                IngestFills::open(Arc::clone(&life), Arc::clone(&progress), poll_interval, room)
            })
        });
        if let Some(markets) = &markets {
            let (life, progress, room) = (Arc::clone(&life), Arc::clone(&progress), room.clone());
            let source = Arc::clone(&markets.source);
            let habits = Habits { poll_interval: markets.poll_interval, history: markets.history };
            let opened = open(move || {
                let room = room(vec![Stream::markets(), Stream::dead_letters()]).on_disk(disk());
                IngestMarkets::open(Arc::clone(&life), Arc::clone(&source), Arc::clone(&progress), room, habits)
            });
            pipeline.run(StageName::IngestMarkets, opened);
        }
        pipeline.run(StageName::ProcessTrades, {
            let life = Arc::clone(&life);
            open(move || ProcessTrades::open(Arc::clone(&life), room(vec![Stream::trades(), Stream::dead_letters()])))
        });
        pipeline.run(StageName::WriteMarkets, {
            let life = Arc::clone(&life);
            // A market is much larger in memory than in its entry.
            let batch = BatchLimits { max_bytes: ByteSize::b(batch.max_bytes.as_u64() / 4), ..batch };
            open(move || Writer::<Market>::open(Arc::clone(&life), batch))
        });
        pipeline.run(StageName::WriteTrades, {
            let life = Arc::clone(&life);
            open(move || Writer::<Trade>::open(Arc::clone(&life), batch))
        });
        pipeline.run(StageName::WriteDeadLetters, {
            let life = Arc::clone(&life);
            open(move || Writer::<DeadLetter>::open(Arc::clone(&life), batch))
        });
        if let Some(markets) = markets {
            let (life, progress) = (Arc::clone(&life), Arc::clone(&progress));
            let opened = open(move || Resolver::open(Arc::clone(&life), markets.clone(), Arc::clone(&progress)));
            pipeline.run(StageName::Resolver, opened);
        }
        let keep = Keep { age: limits.keep, bytes: half.as_u64() };
        pipeline.help("trimming", {
            let (life, drain) = (Arc::clone(&life), drain.clone());
            move || trim::run(Arc::clone(&life), keep, drain.clone())
        });
        for flow in [Flow::Fills, Flow::Markets] {
            let (life, progress, drain) = (Arc::clone(&life), Arc::clone(&progress), drain.clone());
            pipeline.help("the watermark", move || {
                watermark::run(flow, Arc::clone(&life), Arc::clone(&progress), drain.clone())
            });
        }
        pipeline
    }

    fn run(&mut self, name: StageName, open: Open) {
        let (sender, receiver) = watch::channel(StageStatus::starting());
        self.statuses.push((name, receiver));
        let status = StatusLine::new(name, sender);
        // What is logged in it is its own. An error's level: no level that is configured takes the stage from a line.
        let span = tracing::error_span!("stage", stage = name.as_str());
        let running = runner::run(open, status, self.drain.clone()).map(move |result| (name, result));
        self.stages.spawn(running.instrument(span));
    }

    /// Runs what is no stage, and again where it panics: that is a bug, and no reason to do without it.
    fn help<F: Future<Output = ()> + Send>(
        &mut self,
        name: &'static str,
        work: impl Fn() -> F + Send + Sync + 'static,
    ) {
        self.helpers.push(AbortOnDropHandle::new(tokio::spawn(async move {
            while AssertUnwindSafe(work()).catch_unwind().await.is_err() {
                tracing::error!("{name} panicked: it begins again");
                tokio::time::sleep(HELPER_PAUSE).await;
            }
        })));
    }

    /// What can be observed of it, also while it is being drained.
    pub fn observer(&self) -> Observer {
        Observer { statuses: self.statuses.clone(), progress: self.progress.clone() }
    }

    /// Waits until a stage has failed for good.
    pub async fn failed(&mut self) -> PipelineFailed {
        loop {
            match self.stages.join_next().await {
                Some(Ok((stage, Err(error)))) => return PipelineFailed::Stage { stage, error },
                Some(Ok((_, Ok(())))) => {}
                Some(Err(error)) => return PipelineFailed::Runner(error.to_string()),
                None => std::future::pending().await,
            }
        }
    }

    /// Finishes what is in hand and ends. False where that took longer than `within`, and was cut off.
    pub async fn drain(mut self, within: Duration) -> bool {
        self.drain.cancel();
        tokio::time::timeout(within, async { while self.stages.join_next().await.is_some() {} }).await.is_ok()
    }
}

/// An [`Open`] of a stage's own `open`.
fn open<S, F>(make: impl Fn() -> F + Send + Sync + 'static) -> Open
where
    S: Stage + 'static,
    F: Future<Output = Result<S, StageError>> + Send + 'static,
{
    Box::new(move || make().map(|stage| stage.map(|stage| Box::new(stage) as Box<dyn Stage>)).boxed())
}
