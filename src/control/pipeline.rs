//! The pipeline: all stages, running.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::{FutureExt, future::select_all};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument;

use crate::broker::{Broker, Retention};
use crate::control::runner::{OnFailure, Runner};
use crate::control::status::{StageState, StageStatus, StatusLine};
use crate::control::supervisor::{Control, Supervisor};
use crate::control::watchdog::Watchdog;
use crate::control::{
    desired::StageControl, doubts, factory::StageFactory, job::JobStatus, job::registry::JobRegistry, limits::Limits,
};
use crate::flow::{StageId, TableId};
use crate::streams::{
    Fills, InsertTimes, Markets, Progress, SourceProgress, breakers::Breakers, inserts::Inserts, retention,
    session::Session, urge::Urge, watermark, watermark::Flow,
};
use crate::{breaker::Outage, warehouse::Warehouse};

/// How long to wait before what is no stage begins again.
const HELPER_PAUSE: Duration = Duration::from_secs(1);

/// What a pipeline is made of.
pub struct Parts {
    /// Its name, under which its checkpoints are kept.
    pub name: String,
    /// The chain, from which fills come.
    pub chain: Fills,
    /// The sources of fills beside it, each with a stage of its own.
    pub beside: Vec<Fills>,
    /// Where markets come from, if they are read.
    pub markets: Option<Markets>,
    /// How entries move.
    pub broker: Arc<dyn Broker>,
    /// Where rows land.
    pub warehouse: Arc<dyn Warehouse>,
    /// The bounds.
    pub limits: Limits,
    /// The stages that run here; `None` for all. Others may run in other processes on the same streams and tables.
    pub only: Option<Vec<StageId>>,
}

/// Why a pipeline cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum PipelineFailed {
    /// A stage has failed for good.
    #[error("{stage} failed: {cause}")]
    Stage {
        /// The stage.
        stage: StageId,
        /// Why.
        cause: String,
    },
}

/// Sees what the stages of a pipeline publish.
#[derive(Clone)]
pub struct Observer {
    statuses: Vec<(StageId, watch::Receiver<StageStatus>)>,
    chain: &'static str,
    beside: Vec<(&'static str, StageId)>,
    progress: watch::Receiver<Progress>,
    registry: Arc<JobRegistry>,
    inserts: Inserts,
    breakers: Breakers,
    urge: Urge,
}

impl Observer {
    /// The stages as they are now, in the order of the flow.
    pub fn stages(&self) -> Vec<(StageId, StageStatus)> {
        self.statuses.iter().map(|(name, status)| (*name, status.borrow().clone())).collect()
    }

    /// Whether a stage runs no more, whatever it said last.
    pub fn is_gone(&self, stage: StageId) -> bool {
        self.statuses.iter().any(|(name, status)| *name == stage && status.has_changed().is_err())
    }

    /// How far everything has come.
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Where the chain's events are now.
    pub fn chain(&self) -> SourceProgress {
        self.progress.borrow().of(self.chain)
    }

    /// Where the events of the sources beside it are, and the stage that reads each.
    pub fn beside(&self) -> Vec<(&'static str, StageId, SourceProgress)> {
        let progress = self.progress.borrow();
        self.beside.iter().map(|(name, stage)| (*name, *stage, progress.of(name))).collect()
    }

    /// The replays that go on, and the last ones that ended.
    pub fn jobs(&self) -> Vec<JobStatus> {
        self.registry.statuses()
    }

    /// What the pipeline depends on and does not answer now.
    pub fn outages(&self) -> Vec<Outage> {
        self.breakers.outages()
    }

    /// Ends when the chain's ingester has begun.
    pub(crate) async fn begun(&self) {
        if self.progress.clone().wait_for(Progress::has_begun).await.is_err() {
            std::future::pending().await
        }
    }

    /// Cuts rests short: somebody waits for the end of what is under way.
    pub(crate) fn urge(&self) {
        self.urge.now();
    }

    /// Ends when something has come further than it has now.
    pub(crate) async fn moved(&self) {
        let mut progress = self.progress.clone();
        progress.mark_unchanged();
        if progress.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// How long inserts into a table take.
    pub fn inserts(&self, table: TableId) -> InsertTimes {
        self.inserts.times(table)
    }
}

/// A running pipeline. Dropping it ends it as a kill would: safely, but without finishing what is in hand.
pub struct Pipeline {
    stages: TaskTracker,
    /// It writes down at the end what is in doubt.
    checking: AbortOnDropHandle<()>,
    /// It writes down what was asked, also at the end.
    keeping: AbortOnDropHandle<()>,
    tasks: Vec<AbortOnDropHandle<()>>,
    observer: Observer,
    supervisor: Arc<Supervisor>,
    control: Control,
    drain: CancellationToken,
}

impl Pipeline {
    /// Starts the stages, but those that are paused. What is not there yet, a node or a disk, they wait for.
    pub fn start(parts: Parts) -> Self {
        Self::start_watched(parts, None)
    }

    /// The same, with a watchdog that is told as long as the stages work.
    pub fn start_watched(parts: Parts, watchdog: Option<Watchdog>) -> Self {
        let Parts { name, chain, beside, markets, broker, warehouse, limits, only } = parts;
        let reads_source = |stage: &StageId| stage.reads().is_none();
        let reads_source = only.as_ref().is_none_or(|only| only.iter().any(reads_source));
        let reads_chain = only.as_ref().is_none_or(|only| only.contains(&chain.stage));
        let mut session = Session::new(broker, warehouse, name, chain, beside, reads_source);
        session.breakers = session
            .breakers
            .with(markets.iter().flat_map(|markets| [markets.source.breaker(), markets.tokens.breaker()]));
        let session = Arc::new(session);
        let progress = Arc::new(watch::Sender::new(Progress::default()));
        let (drain, registry, stages) =
            (CancellationToken::new(), Arc::new(JobRegistry::default()), TaskTracker::new());
        let max_bytes = limits.max_stream_bytes.as_u64();
        let keep = Retention { age: limits.keep, bytes: max_bytes / 2, full: max_bytes / 4 * 3 };
        let factory = Arc::new(StageFactory {
            session: Arc::clone(&session),
            markets,
            progress: Arc::clone(&progress),
            limits,
            only,
        });

        let (mut tasks, mut statuses, mut controls) = (Vec::new(), Vec::new(), BTreeMap::new());
        for name in factory.stages() {
            let (sender, status) = watch::channel(StageStatus::starting());
            let (control, receiver) = watch::channel(StageControl::default());
            statuses.push((name, status));
            controls.insert(name, control);
            let runner = Runner {
                open: factory.open(name),
                status: StatusLine::new("state", sender),
                control: receiver,
                drain: drain.clone(),
                on_failure: OnFailure::Stay,
                breakers: session.breakers.clone(),
                progress: reads_chain.then(|| progress.subscribe()),
            };
            // The highest level, so that no filter takes the stage away from the lines that are let through.
            let span = tracing::error_span!("stage", stage = name.as_str());
            let running = stages.spawn(runner.run().map(|_| ()).instrument(span));
            tasks.push(AbortOnDropHandle::new(running));
        }
        let (supervisor, control, asked) = Supervisor::new(
            Arc::clone(&factory),
            controls,
            statuses.iter().cloned().collect(),
            Arc::clone(&registry),
            drain.clone(),
        );
        tasks.push(AbortOnDropHandle::new(tokio::spawn(Arc::clone(&supervisor).run(asked, watchdog))));
        let parts = (
            Arc::clone(&session),
            Arc::clone(&supervisor),
            Arc::clone(&registry),
            Arc::clone(&progress),
            drain.clone(),
        );
        let checking = help("checking of the source", parts, |(session, supervisor, registry, progress, drain)| {
            doubts::run(session, supervisor, registry, progress, drain)
        });
        let parts = (Arc::clone(&session), drain.clone());
        tasks.push(help("trimming", parts, move |(session, drain)| retention::run(session, keep, drain)));
        for flow in session.sources().cloned().map(Flow::Fills).chain([Flow::Markets]) {
            let parts = (flow, Arc::clone(&session), Arc::clone(&progress), drain.clone());
            tasks.push(help("the watermark", parts, |(flow, session, progress, drain)| {
                watermark::run(flow, session, progress, drain)
            }));
        }
        let keeping =
            Arc::clone(control.log()).keep(session.pipeline.clone(), session.warehouse.clone(), drain.clone());
        let keeping = AbortOnDropHandle::new(tokio::spawn(keeping));
        stages.close();
        let (inserts, breakers, urge) = (session.inserts.clone(), session.breakers.clone(), session.urge.clone());
        let beside = session.beside.iter().map(|fills| (fills.name(), fills.stage)).collect();
        let observer = Observer {
            statuses,
            chain: session.chain.name(),
            beside,
            progress: progress.subscribe(),
            registry,
            inserts,
            breakers,
            urge,
        };
        Self { stages, checking, keeping, tasks, observer, supervisor, control, drain }
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
        let ended = async { tokio::join!(self.stages.wait(), jobs.wait(), self.checking, self.keeping) };
        let drained = tokio::time::timeout(within, ended).await.is_ok();
        drop(self.tasks);
        drained
    }
}

/// Runs what is no stage, and again where it panics: that is a bug, and no reason to do without it.
fn help<P: Clone + Send + Sync + 'static, F: Future<Output = ()> + Send>(
    name: &'static str,
    parts: P,
    work: impl Fn(P) -> F + Send + Sync + 'static,
) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        while AssertUnwindSafe(work(parts.clone())).catch_unwind().await.is_err() {
            tracing::error!("{name} panicked and is restarted");
            tokio::time::sleep(HELPER_PAUSE).await;
        }
    }))
}
