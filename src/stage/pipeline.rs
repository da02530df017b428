//! The pipeline: all stages, running.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use futures::FutureExt;
use futures::future::select_all;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument;

use super::breakers::Breakers;
use super::inserts::{InsertTimes, Inserts};
use super::job::{Board, JobStatus};
use super::life::Life;
use super::orders::Orders;
use super::runner::{OnFailure, Runner};
use super::status::{Progress, StageState, StageStatus, StatusLine};
use super::supervisor::{Control, Supervisor};
use super::watermark::Flow;
use super::workshop::Workshop;
use super::{StageName, doubts, trim, watermark};
use crate::breaker::Outage;
use crate::broker::{Broker, Keep};
use crate::source::{FillSource, MarketSource, Start, TokenSource};
use crate::warehouse::{Table, Warehouse};

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
    /// The stages that run here; `None` for all. Others may run in other processes on the same streams and tables.
    pub only: Option<Vec<StageName>>,
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
    #[error("{stage} failed: {cause}")]
    Stage {
        /// The stage.
        stage: StageName,
        /// Why.
        cause: String,
    },
}

/// Sees what the stages of a pipeline publish.
#[derive(Clone)]
pub struct Observer {
    statuses: Vec<(StageName, watch::Receiver<StageStatus>)>,
    progress: watch::Receiver<Progress>,
    board: Arc<Board>,
    inserts: Inserts,
    breakers: Breakers,
}

impl Observer {
    /// The stages as they are now, in the order of the flow.
    pub fn stages(&self) -> Vec<(StageName, StageStatus)> {
        self.statuses.iter().map(|(name, status)| (*name, status.borrow().clone())).collect()
    }

    /// Whether a stage runs no more, whatever it said last.
    pub fn is_gone(&self, stage: StageName) -> bool {
        self.statuses.iter().any(|(name, status)| *name == stage && status.has_changed().is_err())
    }

    /// Where the source's events are now.
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// The replays that go on, and the last ones that ended.
    pub fn jobs(&self) -> Vec<JobStatus> {
        self.board.statuses()
    }

    /// What the pipeline depends on and does not answer now.
    pub fn outages(&self) -> Vec<Outage> {
        self.breakers.outages()
    }

    /// How long inserts into a table take.
    pub fn inserts(&self, table: Table) -> InsertTimes {
        self.inserts.times(table)
    }
}

/// A running pipeline. Dropping it ends it as a kill would: safely, but without finishing what is in hand.
pub struct Pipeline {
    stages: TaskTracker,
    /// It writes down at the end what is in doubt.
    checking: AbortOnDropHandle<()>,
    tasks: Vec<AbortOnDropHandle<()>>,
    observer: Observer,
    supervisor: Arc<Supervisor>,
    control: Control,
    drain: CancellationToken,
}

impl Pipeline {
    /// Starts the stages, but those that are paused. What is not there yet, a node or a disk, they wait for.
    pub fn start(parts: Parts) -> Self {
        let Parts { name, source, markets, broker, warehouse, start, poll_interval, limits, only } = parts;
        let reads_source = |stage: &StageName| {
            matches!(stage, StageName::IngestFills | StageName::IngestMarkets | StageName::Resolver)
        };
        let reads_source = only.as_ref().is_none_or(|only| only.iter().any(reads_source));
        let mut life = Life::new(broker, warehouse, name, source, start, reads_source);
        life.breakers =
            life.breakers.with(markets.iter().flat_map(|markets| [markets.source.breaker(), markets.tokens.breaker()]));
        let life = Arc::new(life);
        let progress = Arc::new(watch::Sender::new(Progress::default()));
        let (drain, board, stages) = (CancellationToken::new(), Arc::new(Board::default()), TaskTracker::new());
        let max_bytes = limits.max_stream_bytes.as_u64();
        let keep = Keep { age: limits.keep, bytes: max_bytes / 2, full: max_bytes / 4 * 3 };
        let workshop = Arc::new(Workshop {
            life: Arc::clone(&life),
            markets,
            progress: Arc::clone(&progress),
            poll_interval,
            limits,
            only,
        });

        let (mut tasks, mut statuses, mut orders) = (Vec::new(), Vec::new(), BTreeMap::new());
        for name in workshop.stages() {
            let (sender, status) = watch::channel(StageStatus::starting());
            let (told, receiver) = watch::channel(Orders::default());
            statuses.push((name, status));
            orders.insert(name, told);
            let runner = Runner {
                open: workshop.open(name),
                status: StatusLine::new("state", sender),
                orders: receiver,
                drain: drain.clone(),
                on_failure: OnFailure::Stay,
                breakers: life.breakers.clone(),
                progress: Some(progress.subscribe()),
            };
            // The highest level, so that no filter takes the stage away from the lines that are let through.
            let span = tracing::error_span!("stage", stage = name.as_str());
            let running = stages.spawn(runner.run().map(|_| ()).instrument(span));
            tasks.push(AbortOnDropHandle::new(running));
        }
        let (supervisor, control, asked) = Supervisor::new(
            Arc::clone(&workshop),
            orders,
            statuses.iter().cloned().collect(),
            Arc::clone(&board),
            drain.clone(),
        );
        tasks.push(AbortOnDropHandle::new(tokio::spawn(Arc::clone(&supervisor).run(asked))));
        let checking = help("checking of the source", {
            let (life, supervisor, board) = (Arc::clone(&life), Arc::clone(&supervisor), Arc::clone(&board));
            let (progress, drain) = (Arc::clone(&progress), drain.clone());
            move || {
                let (life, supervisor, board) = (Arc::clone(&life), Arc::clone(&supervisor), Arc::clone(&board));
                doubts::run(life, supervisor, board, Arc::clone(&progress), drain.clone())
            }
        });
        tasks.push(help("trimming", {
            let (life, drain) = (Arc::clone(&life), drain.clone());
            move || trim::run(Arc::clone(&life), keep, drain.clone())
        }));
        for flow in [Flow::Fills, Flow::Markets] {
            let (life, progress, drain) = (Arc::clone(&life), Arc::clone(&progress), drain.clone());
            tasks.push(help("the watermark", move || {
                watermark::run(flow, Arc::clone(&life), Arc::clone(&progress), drain.clone())
            }));
        }
        stages.close();
        let (inserts, breakers) = (life.inserts.clone(), life.breakers.clone());
        let observer = Observer { statuses, progress: progress.subscribe(), board, inserts, breakers };
        Self { stages, checking, tasks, observer, supervisor, control, drain }
    }

    /// What can be observed of it, also while it is being drained.
    pub fn observer(&self) -> Observer {
        self.observer.clone()
    }

    /// By which it is steered.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Waits until a stage has failed for good. It stays so until it is told to begin again.
    pub async fn failed(&self) -> PipelineFailed {
        let failing = self.observer.statuses.iter().map(|(stage, status)| {
            let mut status = status.clone();
            async move {
                let failed = status.wait_for(|status| matches!(status.state, StageState::Fail(_))).await;
                match failed.map(|status| status.state.clone()) {
                    Ok(StageState::Fail(cause)) => PipelineFailed::Stage { stage: *stage, cause },
                    _ => std::future::pending().await,
                }
            }
            .boxed()
        });
        select_all(failing).await.0
    }

    /// Finishes what is in hand and ends. False where that took longer than `within`, and was cut off.
    pub async fn drain(self, within: Duration) -> bool {
        self.drain.cancel();
        let jobs = self.supervisor.jobs();
        jobs.close();
        let ended = async { tokio::join!(self.stages.wait(), jobs.wait(), self.checking) };
        let drained = tokio::time::timeout(within, ended).await.is_ok();
        drop(self.tasks);
        drained
    }
}

/// Runs what is no stage, and again where it panics: that is a bug, and no reason to do without it.
fn help<F: Future<Output = ()> + Send>(
    name: &'static str,
    work: impl Fn() -> F + Send + Sync + 'static,
) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        while AssertUnwindSafe(work()).catch_unwind().await.is_err() {
            tracing::error!("{name} panicked: it begins again");
            tokio::time::sleep(HELPER_PAUSE).await;
        }
    }))
}
