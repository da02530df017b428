//! Does what commands ask: tells the runners what is wanted of them, keeps that in the warehouse, and begins replays.
//!
//! What was asked for in other processes of the pipeline is found in the warehouse, where all of them look now and then.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use rand::RngExt;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument;

use crate::control::command::{Answer, Command, Plan, Replay};
use crate::control::command_log::{Caller, CommandLog};
use crate::control::desired::{DesiredState, StageControl, StopRequest, Wanted};
use crate::control::job::{DOUBT, Job};
use crate::control::status::{SILENT, StageState, StageStatus};
use crate::control::watchdog::{Beat, Watchdog};
use crate::control::{factory::StageFactory, job::registry::JobRegistry, plan, replayer};
use crate::streams::{Dependency, StageError, WaitCause};
use crate::warehouse::{JobRecord, JobState, WarehouseError};
use crate::{
    backoff::Backoff, breaker::Breaker, failure::FailureClass, flow::Replays, flow::StageId, model::ChainPosition,
    source::InDoubt,
};

/// Commands that wait to be looked at, at most.
const WAITING: usize = 16;

/// How long whoever asks waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the warehouse may take to keep what was asked for.
const KEEPING: Duration = Duration::from_secs(3);

/// How often it is tried again, and how often to look what was asked for elsewhere.
const LOOK: Duration = Duration::from_secs(2);

/// Replays at a time.
const JOBS: usize = 4;

type Asked = (Command, oneshot::Sender<Answer>);

/// What is wanted, and the replays.
type Found = (Wanted, Vec<JobRecord>);

/// By which a pipeline is steered. Clones steer the same one, for the same caller.
#[derive(Clone, Debug)]
pub struct Control {
    asked: mpsc::Sender<Asked>,
    caller: Caller,
    log: Arc<CommandLog>,
}

impl Control {
    /// One that steers what runs elsewhere: whoever has the other end passes on what is asked.
    pub(crate) fn remote() -> (Self, mpsc::Receiver<(Command, oneshot::Sender<Answer>)>) {
        let (asked, receiver) = mpsc::channel(WAITING);
        (Self { asked, caller: Caller::default(), log: Arc::default() }, receiver)
    }

    /// The same for another caller.
    pub fn by(&self, caller: Caller) -> Self {
        Self { caller, ..self.clone() }
    }

    /// What was asked so far.
    pub const fn log(&self) -> &Arc<CommandLog> {
        &self.log
    }

    /// Asks for something, and waits for the answer, but not for ever.
    pub async fn send(&self, command: Command) -> Answer {
        let (sender, answer) = oneshot::channel();
        let said = command.to_string();
        let sent = async {
            self.asked.send((command, sender)).await.ok()?;
            answer.await.ok()
        };
        let answer = match tokio::time::timeout(PATIENCE, sent).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Answer::Refused(format!("{said}: the pipeline is ending")),
            Err(_) => Answer::Refused(format!("{said}: no answer within {} s", PATIENCE.as_secs())),
        };
        self.log.note(&self.caller, &said, &answer);
        answer
    }

    /// Notes that the caller asked the pipeline to end, which whoever owns it does.
    pub fn note_stop(&self) -> Answer {
        let answer = Answer::Done("the pipeline finishes what is in hand and ends".into());
        self.log.note(&self.caller, "stop", &answer);
        answer
    }
}

/// What a supervisor has to do with.
pub(crate) struct Supervisor {
    factory: Arc<StageFactory>,
    controls: BTreeMap<StageId, watch::Sender<StageControl>>,
    /// What the stages say of themselves.
    statuses: BTreeMap<StageId, watch::Receiver<StageStatus>>,
    registry: Arc<JobRegistry>,
    /// What is wanted and could not be kept yet.
    unkept: Mutex<BTreeMap<StageId, DesiredState>>,
    drain: CancellationToken,
    jobs: TaskTracker,
    /// The same, so that they end with the pipeline.
    tasks: Mutex<Vec<AbortOnDropHandle<()>>>,
}

impl Supervisor {
    /// One for the stages to which this control channel leads, and by what it is asked.
    pub(crate) fn new(
        factory: Arc<StageFactory>,
        controls: BTreeMap<StageId, watch::Sender<StageControl>>,
        statuses: BTreeMap<StageId, watch::Receiver<StageStatus>>,
        registry: Arc<JobRegistry>,
        drain: CancellationToken,
    ) -> (Arc<Self>, Control, mpsc::Receiver<Asked>) {
        let (sender, asked) = mpsc::channel(WAITING);
        let (unkept, jobs, tasks) = (Mutex::default(), TaskTracker::new(), Mutex::default());
        let control = Control { asked: sender, caller: Caller::default(), log: Arc::default() };
        (Arc::new(Self { factory, controls, statuses, registry, unkept, drain, jobs, tasks }), control, asked)
    }

    /// The replays that are under way.
    pub(crate) const fn jobs(&self) -> &TaskTracker {
        &self.jobs
    }

    /// Lets the stages begin, as was asked for in the past, and then does what it is asked, until the drain.
    pub(crate) async fn run(self: Arc<Self>, mut asked: mpsc::Receiver<Asked>, watchdog: Option<Watchdog>) {
        let mut beat = Beat::new(watchdog);
        self.restore(&mut beat).await;
        // What was there at the start is known.
        let mut again = tokio::time::interval_at(Instant::now() + LOOK, LOOK);
        let mut looking: Option<BoxFuture<'static, Result<Found, WarehouseError>>> = None;
        // After a failure nobody looks for a while.
        let (mut backoff, mut not_before, mut was_away) = (Backoff::default(), Instant::now(), false);
        let is_away = || self.factory.session.breakers.warehouse().and_then(Breaker::outage).is_some();
        loop {
            let found = async {
                match &mut looking {
                    Some(look) => look.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.drain.cancelled() => return,
                () = beat.due() => self.tell_watchdog(&mut beat),
                _ = again.tick() => {
                    let is_back = was_away && !is_away();
                    if Instant::now() < not_before && !is_back {
                        continue;
                    }
                    if self.keep_again().await {
                        // What was found before says nothing any more.
                        looking = None;
                    }
                    // One look that takes longer is not begun again and again.
                    looking.get_or_insert_with(|| Arc::clone(&self).look().boxed());
                }
                found = found => {
                    looking = None;
                    match found {
                        Ok((desired, jobs)) => {
                            backoff.reset();
                            self.follow(&desired);
                            // Of those that have ended the ones that were seen before are enough.
                            self.stand_by(jobs, |record| record.state == JobState::Running);
                        }
                        Err(_) => (not_before, was_away) = (Instant::now() + backoff.next(), is_away()),
                    }
                }
                next = asked.recv() => match next {
                    Some((command, answer)) => {
                        // What was found before says nothing any more.
                        looking = None;
                        self.perform(command, answer).await;
                    }
                    None => return self.drain.cancelled().await,
                },
            }
        }
    }

    /// Tells the watchdog that the stages work, if they do.
    fn tell_watchdog(&self, beat: &mut Beat) {
        let stages = self.statuses.iter().map(|(stage, status)| (*stage, status.borrow().clone()));
        let breakers = &self.factory.session.breakers;
        let waits = breakers.unanswered().is_some() || !breakers.outages().is_empty();
        beat.tell(stages, waits, std::time::Instant::now());
    }

    /// What is wanted of stages, and the replays, as they are kept.
    async fn look(self: Arc<Self>) -> Result<Found, WarehouseError> {
        let session = &self.factory.session;
        let desired = session.warehouse.desired_states(&session.pipeline);
        let jobs = session.warehouse.jobs(&session.pipeline, JobRegistry::ENDED as u32);
        let (desired, jobs) = tokio::join!(desired, jobs);
        Ok((Wanted::new(desired?), jobs?))
    }

    /// Wants of the stages what is kept, but for what could not be kept yet.
    fn follow(&self, kept: &Wanted) {
        for (stage, control) in &self.controls {
            if self.unkept.lock().contains_key(stage) {
                continue;
            }
            let wanted = kept.of_stage(*stage);
            let (name, before) = (stage.as_str(), control.borrow().desired);
            control.send_if_modified(|control| control.desired.replace(wanted) != Some(wanted));
            match before {
                Some(before) if before != wanted => {
                    tracing::info!(stage = name, "{stage} {}, as requested in another process", so(wanted));
                }
                None if wanted != DesiredState::Run => {
                    tracing::warn!(stage = name, "{stage}: {} is the desired state and stays", wanted.as_str());
                }
                _ => {}
            }
        }
        for job in self.registry.going_on() {
            if job.is_held() && kept.of_job(&job.name()) == Some(StopRequest) {
                job.cancel.cancel();
            }
        }
    }

    /// Takes up replays of the stages that run here, and notes how those stand that others do.
    fn stand_by(self: &Arc<Self>, records: Vec<JobRecord>, is_news: impl Fn(&JobRecord) -> bool) {
        for record in records {
            let stage = record.stage.parse().ok().filter(|stage| self.controls.contains_key(stage));
            let Some(stage) = stage else { continue };
            match self.registry.find(&record.id) {
                Some(job) => job.refresh(record),
                None if is_news(&record) => {
                    if record.state == JobState::Running {
                        tracing::info!("replay {} of {stage} is under way", record.id);
                    }
                    self.take_up(stage, record);
                }
                None => {}
            }
        }
    }

    /// Takes up what was asked for before. Until that is known, nothing begins; where the warehouse refuses to tell, every
    /// stage has failed, but may begin once it does.
    async fn restore(self: &Arc<Self>, beat: &mut Beat) {
        let breakers = &self.factory.session.breakers;
        let (mut backoff, mut told, mut is_refused) = (Backoff::default(), String::new(), false);
        while !self.drain.is_cancelled() {
            let mut look = Arc::clone(self).look().boxed();
            let found = loop {
                tokio::select! {
                    biased;
                    found = &mut look => break found,
                    () = self.drain.cancelled() => return,
                    () = beat.due() => self.tell_watchdog(beat),
                    () = tokio::time::sleep(SILENT) => {
                        let makes_ready = |name: String| {
                            let text = format!("{name} makes ready");
                            WaitCause::Dependency(Dependency { name, text })
                        };
                        let is_asked = || breakers.warehouse().map(|asked| makes_ready(asked.name()));
                        let silent = breakers.unanswered().as_ref().map(WaitCause::silent).or_else(is_asked);
                        // What was refused for good stays so until it is known better.
                        if !is_refused {
                            self.hold(None, silent);
                        }
                    }
                }
            };
            match found {
                Ok((desired, jobs)) => {
                    self.follow(&desired);
                    return self.stand_by(jobs, |_| true);
                }
                Err(error) => {
                    let is_for_good = error.class() == FailureClass::Deterministic;
                    is_refused = is_for_good;
                    let error = StageError::from(error);
                    let waits_for = breakers.cause(&error);
                    let cause = if is_for_good { error.to_string() } else { waits_for.to_string() };
                    if told != cause {
                        tracing::warn!("the stored desired states cannot be read, so no stage starts: {cause}");
                    }
                    match is_for_good {
                        true => self.hold(Some(&cause), None),
                        false => self.hold(None, Some(waits_for)),
                    }
                    told = cause;
                    let wait = breakers.wait(&error, backoff.next());
                    tokio::pin!(wait);
                    loop {
                        tokio::select! {
                            () = &mut wait => break,
                            () = self.drain.cancelled() => break,
                            () = beat.due() => self.tell_watchdog(beat),
                        }
                    }
                }
            }
        }
    }

    /// Lets nothing begin, and says why: it is refused for good, or waits for something.
    fn hold(&self, refused: Option<&str>, waits_for: Option<WaitCause>) {
        let refused = refused.map(Arc::from);
        for control in self.controls.values() {
            control.send_if_modified(|control| {
                let changed = control.refused != refused || control.waits_for != waits_for;
                (control.refused, control.waits_for) = (refused.clone(), waits_for.clone());
                changed
            });
        }
    }

    /// Shows a replay of a stage that runs here, and goes on with it if it has not ended and nobody else does it.
    fn take_up(self: &Arc<Self>, stage: StageId, record: JobRecord) {
        let goes_on = record.state == JobState::Running;
        let (job, line) = Job::new(stage, record);
        if self.registry.add(&job) && goes_on {
            let span = tracing::error_span!("replay", stage = stage.as_str());
            let run = replayer::run(job, line, Arc::clone(&self.factory), self.drain.clone());
            let task = AbortOnDropHandle::new(self.jobs.spawn(run.instrument(span)));
            let mut tasks = self.tasks.lock();
            tasks.retain(|task| !task.is_finished());
            tasks.push(task);
        }
    }

    async fn perform(self: &Arc<Self>, command: Command, answer: oneshot::Sender<Answer>) {
        if answer.is_closed() {
            // Whoever asked was told that there was no answer: it would come as a surprise.
            return;
        }
        let answered = match command {
            // What has to ask others must not hold up who wants to pause something.
            Command::Replay(replay) if replay.dry_run => {
                let this = Arc::clone(self);
                let plan = async move { this.range(&replay).await.map(|range| range.plan) };
                let refused = |error: StageError| Answer::Refused(error.to_string());
                tokio::spawn(async move { answer.send(plan.await.map_or_else(refused, Answer::Plan)) });
                return;
            }
            Command::Replay(replay) => {
                let this = Arc::clone(self);
                tokio::spawn(async move {
                    let mut answer = answer;
                    let replayed = tokio::select! {
                        replayed = this.replay(&replay) => replayed,
                        // Nobody waits for it any more, and nothing has begun.
                        () = answer.closed() => return,
                    };
                    let _ = answer.send(replayed.into());
                });
                return;
            }
            Command::Pause { stage } => self.want(stage, DesiredState::Pause).await,
            Command::Resume { stage } => self.want(stage, DesiredState::Run).await,
            Command::Stop { stage } => self.want(stage, DesiredState::Stop).await,
            Command::Restart { stage } => self.restart(stage).await,
            Command::Skip { stage } => self.skip(stage),
            Command::Cancel { id } => self.cancel(&id).await,
        };
        let _ = answer.send(answered.into());
    }

    /// By which a stage is steered here.
    fn control(&self, stage: StageId) -> Result<&watch::Sender<StageControl>, String> {
        self.controls.get(&stage).ok_or_else(|| format!("{stage} does not run here"))
    }

    /// Whether source and store may be of one world.
    fn agreed(&self) -> Result<(), String> {
        self.factory.session.agreement.refusal().map_or(Ok(()), |refusal| Err(refusal.to_string()))
    }

    async fn want(&self, stage: StageId, desired: DesiredState) -> Result<String, String> {
        let control = self.control(stage)?;
        self.agreed()?;
        let changed = control.send_if_modified(|control| control.desired.replace(desired) != Some(desired));
        let word = so(desired);
        if !changed {
            return Ok(format!("{stage} {word} already"));
        }
        tracing::info!(stage = stage.as_str(), "{stage} {word}, as requested");
        match self.keep(stage.as_str(), desired.as_str()).await {
            Ok(()) => Ok(format!("{stage} {word}")),
            Err(cause) => {
                self.unkept.lock().insert(stage, desired);
                Ok(format!("{stage} {word}, but this is not stored yet and would not survive a restart: {cause}"))
            }
        }
    }

    /// Keeps what is wanted of a stage, or of a replay.
    async fn keep(&self, name: &str, wanted: &str) -> Result<(), String> {
        let session = &self.factory.session;
        let kept = async {
            // It may be the store of another chain. One that nothing has begun in is nobody's yet.
            match session.check_world().await {
                Ok(()) | Err(StageError::NotBegun) => {}
                Err(error) => return Err(error.to_string()),
            }
            let kept = session.warehouse.set_desired_state(&session.pipeline, name, wanted);
            kept.await.map_err(|error| error.to_string())
        };
        match tokio::time::timeout(KEEPING, kept).await {
            Ok(kept) => kept,
            Err(_) if !session.agreement.is_reached() => {
                Err("whether source and store are of one chain is not known yet".into())
            }
            Err(_) => Err("the warehouse does not answer".into()),
        }
    }

    /// Says whether something was kept.
    async fn keep_again(&self) -> bool {
        // One at a time: whoever asks for something shall not wait for all of them.
        let unkept = self.unkept.lock().pop_first();
        let Some((stage, desired)) = unkept else { return false };
        let is_newest = self.controls.get(&stage).is_some_and(|control| control.borrow().desired == Some(desired));
        if is_newest && self.keep(stage.as_str(), desired.as_str()).await.is_err() {
            self.unkept.lock().insert(stage, desired);
            return false;
        }
        true
    }

    async fn restart(&self, stage: StageId) -> Result<String, String> {
        let control = self.control(stage)?;
        control.send_modify(|control| control.restarts += 1);
        tracing::info!(stage = stage.as_str(), "{stage} restarts, as requested");
        let desired = control.borrow().desired;
        match desired {
            Some(DesiredState::Stop) => {
                self.want(stage, DesiredState::Run).await?;
                Ok(format!("{stage} restarts after its stop"))
            }
            Some(DesiredState::Pause) => Ok(format!("{stage} restarts and stays paused")),
            _ => Ok(format!("{stage} restarts")),
        }
    }

    /// Lets a stage leave what is bad to the dead letters. Whatever else it has failed for is not helped by that.
    fn skip(&self, stage: StageId) -> Result<String, String> {
        let control = self.control(stage)?;
        let status = self.statuses.get(&stage).map(|status| status.borrow().clone());
        match status.map(|status| (status.state, status.can_skip)) {
            None => return Err(format!("{stage} does not run here")),
            Some((StageState::Fail(_), true)) => {}
            Some((StageState::Fail(cause), false)) => {
                return Err(format!("{stage} did not fail for bad entries, there is nothing to skip: {cause}"));
            }
            Some((state, _)) => {
                return Err(format!("{stage} has not failed ({}): there is nothing to skip", state.word()));
            }
        }
        control.send_modify(|control| control.skips += 1);
        let said = format!("{stage} goes on, and leaves what is bad to the dead letters");
        tracing::warn!(stage = stage.as_str(), "{said}, as requested");
        Ok(said)
    }

    async fn cancel(&self, id: &str) -> Result<String, String> {
        let job = self.registry.find(id).filter(|job| !job.has_ended());
        let job = job.ok_or_else(|| format!("no replay {id} is under way"))?;
        if job.is_held() {
            job.cancel.cancel();
            return Ok(format!("replay {id} of {} is cancelled", job.stage));
        }
        self.agreed()?;
        let kept = self.keep(&job.name(), StopRequest.as_str()).await;
        kept.map_err(|cause| format!("replay {id} runs in another process, which cannot be told: {cause}"))?;
        Ok(format!("replay {id} of {} ends where it runs", job.stage))
    }

    async fn range(&self, replay: &Replay) -> Result<plan::Range, StageError> {
        let resolved = plan::resolve(&self.factory.session, replay);
        let patience = PATIENCE.saturating_sub(Duration::from_secs(1));
        let late = || StageError::Replay("the range could not be found out in time".into());
        tokio::time::timeout(patience, resolved).await.map_err(|_| late())?
    }

    async fn replay(self: &Arc<Self>, replay: &Replay) -> Result<String, String> {
        self.control(replay.stage)?;
        let going_on = self.registry.going_on();
        if let Some(job) = going_on.iter().find(|job| job.stage == replay.stage) {
            return Err(format!("replay {} of {} is under way", job.id(), replay.stage));
        }
        if going_on.len() >= JOBS {
            return Err(format!("{JOBS} replays are under way"));
        }
        self.factory.session.check_world().await.map_err(|error| error.to_string())?;
        let range = self.range(replay).await.map_err(|error| error.to_string())?;
        // What a stream holds is counted when its group keeps it, and not before.
        let total = if replay.stage.declared().replays == Replays::Source { range.total } else { 0 };
        let record = JobRecord::begun(new_id(""), replay.stage, range.begin, range.until, total);
        let session = &self.factory.session;
        let written = session.warehouse.set_job(&session.pipeline, &record).await;
        written.map_err(|error| format!("the replay cannot be written down: {error}"))?;
        let Plan { from, to, amount, .. } = range.plan;
        let said = format!("replay {} of {} begins: {amount}, from {from} to {to}", record.id, replay.stage);
        tracing::info!(stage = replay.stage.as_str(), "{said}");
        self.take_up(replay.stage, record);
        Ok(said)
    }

    /// Writes down that blocks in doubt are to be read again, and begins with it.
    pub(crate) async fn read_again(self: &Arc<Self>, range: &InDoubt) -> Result<(), String> {
        let stage = StageId::IngestFills;
        let [begin, until] =
            [range.from, range.to.saturating_add(1)].map(ChainPosition::start_of).map(ChainPosition::stored);
        let record = JobRecord::begun(new_id(DOUBT), stage, begin, until, range.to.saturating_add(1) - range.from);
        let session = &self.factory.session;
        if !session.agreement.is_reached() {
            return Err("it is not known whether source and store are of one world".into());
        }
        let written = session.warehouse.set_job(&session.pipeline, &record);
        match tokio::time::timeout(KEEPING, written).await {
            Ok(written) => written.map_err(|error| error.to_string())?,
            Err(_) => return Err("the warehouse does not answer".into()),
        }
        tracing::warn!(
            stage = stage.as_str(),
            "replay {}: blocks {} to {} are in doubt because {} omits logs",
            record.id,
            range.from,
            range.to,
            range.endpoint
        );
        self.take_up(stage, record);
        Ok(())
    }
}

/// The id of a replay that has just been asked for.
fn new_id(prefix: &str) -> String {
    format!("{prefix}{:06x}", rand::rng().random::<u32>() & 0xff_ffff)
}

/// What a stage does of which this is wanted.
const fn so(desired: DesiredState) -> &'static str {
    match desired {
        DesiredState::Run => "runs",
        DesiredState::Pause => "is paused",
        DesiredState::Stop => "is stopped",
    }
}
