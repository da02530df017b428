//! Runs one stage: control, steps, back-off, renewal, drain.
//!
//! A runner does what it is told between two steps. Told to hold or to end, it lets the stage finish what it has in hand
//! as long as that goes on; what cannot be finished stays in hand, or is given again.

use std::time::{Duration, Instant};
use std::{convert::Infallible, panic::AssertUnwindSafe};

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::control::desired::{DesiredState, StageControl};
use crate::control::status::{SILENT, StageState, StatusLine};
use crate::stage::step::{Stage, Step};
use crate::streams::{Progress, StageError, WaitCause, breakers::Breakers};
use crate::{backoff::Backoff, failure::FailureClass, failure::panic_text};

/// How often to look whether the ingester has begun.
const NOT_BEGUN_POLL: Duration = Duration::from_millis(100);
const NOT_BEGUN_LONGEST: Duration = Duration::from_secs(2);

/// Makes a stage anew, with fresh connections and nothing in hand.
pub(crate) type Open = Box<dyn Fn() -> BoxFuture<'static, Result<Box<dyn Stage>, StageError>> + Send + Sync>;

/// What a runner does with a failure that no repetition helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// It says so and waits to be told to begin again.
    Stay,
    /// It ends with it.
    End,
}

/// How a runner ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was drained.
    Drained,
    /// The stage has nothing to do any more, ever.
    Done,
}

/// Runs one stage.
pub(crate) struct Runner {
    pub(crate) open: Open,
    pub(crate) status: StatusLine,
    pub(crate) control: watch::Receiver<StageControl>,
    pub(crate) drain: CancellationToken,
    pub(crate) on_failure: OnFailure,
    /// What it may wait for.
    pub(crate) breakers: Breakers,
    /// By which it is seen that the ingester has begun, where that is in this process.
    pub(crate) progress: Option<watch::Receiver<Progress>>,
}

impl Runner {
    /// Until it is drained, done, or has failed for good.
    pub(crate) async fn run(mut self) -> Result<Ended, StageError> {
        let mut stage = None;
        let mut backoff = Backoff::default();
        let (mut restarts, mut skips) = (self.control.borrow().restarts, self.control.borrow().skips);
        let mut skipping = false;
        while !self.drain.is_cancelled() {
            let control = self.control.borrow_and_update().clone();
            self.status.desired(control.desired);
            if (control.restarts, control.skips) != (restarts, skips) {
                skipping = control.skips != skips;
                (restarts, skips) = (control.restarts, control.skips);
                stage = None;
                backoff.reset();
                self.status.restarted();
            }
            self.status.can_skip(false);
            match control.desired {
                None => match control.refused {
                    Some(cause) => self.status.enter(StageState::Fail(cause.to_string())),
                    None => {
                        self.status.wait_quietly(control.waits_for.unwrap_or(WaitCause::Starting));
                    }
                },
                Some(DesiredState::Pause) => self.status.enter(StageState::Pause),
                Some(DesiredState::Stop) => {
                    stage = None;
                    self.status.enter(StageState::Stop);
                }
                Some(DesiredState::Run) => match self.work(&mut stage, &mut backoff, &mut skipping).await? {
                    Some(ended) => return Ok(ended),
                    None => continue,
                },
            }
            self.until_told(None, None).await;
        }
        self.status.enter(StageState::Stop);
        Ok(Ended::Drained)
    }

    /// Steps until its control changes, or the end comes.
    async fn work(
        &mut self,
        stage: &mut Option<Box<dyn Stage>>,
        backoff: &mut Backoff,
        skipping: &mut bool,
    ) -> Result<Option<Ended>, StageError> {
        let mut not_begun = Backoff::default();
        loop {
            let is_told = self.drain.is_cancelled() || self.control.has_changed().unwrap_or(false);
            if is_told && !stage.as_ref().is_some_and(|stage| stage.in_hand()) {
                return Ok(None);
            }
            self.status.stepping(Some(Instant::now()));
            let attempted = self.attempt(stage, is_told, *skipping).await;
            self.status.stepping(None);
            let error = match attempted {
                Ok(step) => {
                    backoff.reset();
                    self.status.succeeded();
                    match step {
                        Step::Moved(events) => {
                            *skipping &= events == 0;
                            self.status.moved(events);
                            self.status.enter(StageState::Run);
                        }
                        Step::Done => return Ok(Some(Ended::Done)),
                        _ if is_told => return Ok(None),
                        _ if self.drain.is_cancelled() => {}
                        Step::Idle => self.status.enter(StageState::Idle),
                        Step::Wait(cause) => self.status.enter(StageState::Wait(cause)),
                    }
                    continue;
                }
                Err(error) => error,
            };
            if matches!(error, StageError::NotBegun) {
                // No failure: every start waits for that.
                self.status.wait_quietly(self.breakers.cause(&error));
                if is_told {
                    return Ok(None);
                }
                // Of an ingester in this process it is seen.
                let is_seen = self.progress.as_ref().is_some_and(|progress| !progress.borrow().has_begun());
                let shortest = if is_seen { NOT_BEGUN_LONGEST } else { NOT_BEGUN_POLL };
                let wait = not_begun.next().clamp(shortest, NOT_BEGUN_LONGEST);
                let begun = begun(self.progress.clone().filter(|_| is_seen));
                tokio::select! {
                    () = self.until_told(Some(wait), None) => {}
                    () = begun => {}
                }
                continue;
            }
            let wait = backoff.next().max(error.retry_after().unwrap_or_default());
            self.status.failed(error.to_string(), backoff.failures());
            match error.class() {
                FailureClass::Deterministic => {
                    self.status.can_skip(error.can_skip());
                    self.status.enter(StageState::Fail(error.to_string()));
                    (*stage, *skipping) = (None, false);
                    if self.on_failure == OnFailure::End {
                        return Err(error);
                    }
                    self.until_told(None, None).await;
                    return Ok(None);
                }
                FailureClass::Retry => {}
                FailureClass::Reconnect | FailureClass::Repair => {
                    *stage = None;
                    self.status.restarted();
                }
            }
            if is_told {
                return Ok(None);
            }
            self.status.retries_in(wait);
            self.status.enter(StageState::Wait(self.breakers.cause(&error)));
            self.until_told(Some(wait), Some(&error)).await;
        }
    }

    /// Waits until its control changes or the drain begins, or for so long, or until what failed answers again.
    async fn until_told(&self, wait: Option<Duration>, failed: Option<&StageError>) {
        let waited = async {
            match (wait, failed) {
                // As long as it was asked to, whoever answers meanwhile.
                (Some(wait), Some(error)) if error.retry_after().is_none() => self.breakers.wait(error, wait).await,
                (Some(wait), _) => tokio::time::sleep(wait).await,
                (None, _) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.drain.cancelled() => {}
            () = self.told() => {}
            () = waited => {}
        }
    }

    /// Until its control changes. Changes are looked at, not taken: whoever reads the control next takes them.
    async fn told(&self) {
        if self.control.clone().changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// While a stage is opened: says what does not answer, where it has said nothing else.
    async fn say_what_is_silent(&self) -> Infallible {
        loop {
            tokio::time::sleep(SILENT).await;
            if let Some(outage) = self.breakers.unanswered()
                && self.status.is_starting()
            {
                self.status.wait_quietly(WaitCause::silent(&outage));
            }
        }
    }

    /// One step, which ends early where its control changes in the middle of it.
    async fn attempt(
        &self,
        stage: &mut Option<Box<dyn Stage>>,
        is_told: bool,
        skipping: bool,
    ) -> Result<Step, StageError> {
        let hurry = self.drain.child_token();
        if is_told {
            hurry.cancel();
        }
        let is_opening = stage.is_none();
        let attempt = step(&self.open, stage, &hurry, skipping);
        tokio::pin!(attempt);
        tokio::select! {
            biased;
            done = &mut attempt => return done,
            () = self.drain.cancelled() => self.status.enter(StageState::Drain),
            () = self.told() => hurry.cancel(),
            never = self.say_what_is_silent(), if is_opening => match never {},
        }
        attempt.await
    }
}

/// Until the ingester has begun, where that is seen.
async fn begun(progress: Option<watch::Receiver<Progress>>) {
    match progress {
        Some(mut progress) => {
            if progress.wait_for(Progress::has_begun).await.is_err() {
                std::future::pending().await
            }
        }
        None => std::future::pending().await,
    }
}

/// One step, of a stage that is opened first where there is none. A panic is an error like others, and the stage that
/// panicked is gone.
async fn step(
    open: &Open,
    stage: &mut Option<Box<dyn Stage>>,
    drain: &CancellationToken,
    skipping: bool,
) -> Result<Step, StageError> {
    let step = async {
        let mut taken = match stage.take() {
            Some(stage) => stage,
            // What opens a stage may wait for a node; nothing of it is half done where it is cut off.
            None => match drain.run_until_cancelled(open()).await {
                Some(opened) => {
                    let mut opened = opened?;
                    if skipping {
                        opened.skip_bad();
                    }
                    opened
                }
                None => return Ok(Step::Idle),
            },
        };
        let result = taken.step(drain).await;
        *stage = Some(taken);
        result
    };
    match AssertUnwindSafe(step).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(StageError::Panicked(panic_text(panic.as_ref()).to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::status::StageStatus;
    use crate::flow::StreamId;
    use async_trait::async_trait;
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use parking_lot::Mutex;
    use tokio::sync::watch;

    use crate::broker::{BrokerError, Stream};
    use crate::source::SourceError;

    type Act = fn() -> Result<Step, StageError>;

    /// What a test sees of a run, and by what it steers it.
    struct Rig {
        control: watch::Sender<StageControl>,
        status: watch::Receiver<StageStatus>,
        drain: CancellationToken,
        seen: Arc<Mutex<Vec<usize>>>,
        opened: Arc<AtomicUsize>,
    }

    /// A stage that does what it is told, step by step, and then drains the runner.
    struct Scripted {
        script: Arc<Mutex<VecDeque<Act>>>,
        held: usize,
        seen: Arc<Mutex<Vec<usize>>>,
        end: CancellationToken,
        in_hand: bool,
    }

    #[async_trait]
    impl Stage for Scripted {
        async fn step(&mut self, _: &CancellationToken) -> Result<Step, StageError> {
            self.seen.lock().push(self.held);
            self.held += 1;
            let next = self.script.lock().pop_front();
            next.map_or_else(
                || {
                    self.end.cancel();
                    Ok(Step::Idle)
                },
                |next| next(),
            )
        }

        fn in_hand(&self) -> bool {
            self.in_hand && !self.script.lock().is_empty()
        }
    }

    struct Outcome {
        result: Result<Ended, StageError>,
        /// What the stage held at each step: 0 where it had just been opened.
        held: Vec<usize>,
        opened: usize,
        status: StageStatus,
    }

    fn rig(script: &[Act], in_hand: bool, on_failure: OnFailure) -> (Rig, Runner) {
        let script = Arc::new(Mutex::new(script.iter().copied().collect()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let opened = Arc::new(AtomicUsize::new(0));
        let (sender, status) = watch::channel(StageStatus::starting());
        let (control, receiver) = watch::channel(StageControl::RUN);
        let drain = CancellationToken::new();
        let (stage_seen, stage_opened, end) = (Arc::clone(&seen), Arc::clone(&opened), drain.clone());
        let open: Open = Box::new(move || {
            stage_opened.fetch_add(1, Ordering::Relaxed);
            let (script, seen, end) = (Arc::clone(&script), Arc::clone(&stage_seen), end.clone());
            let stage = Scripted { script, held: 0, seen, end, in_hand };
            async { Ok(Box::new(stage) as Box<dyn Stage>) }.boxed()
        });
        let (line, breakers) = (StatusLine::new("state", sender), Breakers::default());
        let runner = Runner {
            open,
            status: line,
            control: receiver,
            drain: drain.clone(),
            on_failure,
            breakers,
            progress: None,
        };
        (Rig { control, status, drain, seen, opened }, runner)
    }

    async fn run_script(script: &[Act]) -> Outcome {
        let (rig, runner) = rig(script, false, OnFailure::End);
        let result = runner.run().await;
        let held = rig.seen.lock().clone();
        let status = rig.status.borrow().clone();
        Outcome { result, held, opened: rig.opened.load(Ordering::Relaxed), status }
    }

    fn passing() -> Result<Step, StageError> {
        Err(SourceError::unreachable("node", "refused").into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_keeps_what_is_in_hand() {
        let outcome = run_script(&[passing, || Ok(Step::Moved(3)), passing]).await;
        assert!(outcome.result.is_ok());
        assert_eq!((outcome.held, outcome.opened), (vec![0, 1, 2, 3], 1));
        assert_eq!((outcome.status.state, outcome.status.moved, outcome.status.failures), (StageState::Stop, 3, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_connection_and_a_panic_open_it_anew() {
        let lost = || Err(BrokerError::Superseded(Stream::of(StreamId::Trades).group("g")).into());
        let outcome = run_script(&[lost, || panic!("boom"), || Ok(Step::Idle)]).await;
        assert!(outcome.result.is_ok());
        assert_eq!((outcome.held, outcome.opened), (vec![0, 0, 0, 1], 3));
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_for_good_ends_it() {
        let outcome = run_script(&[|| Err(StageError::AllRefused { count: 16, reason: "r".into() })]).await;
        assert!(matches!(outcome.result, Err(StageError::AllRefused { .. })));
        assert!(matches!(outcome.status.state, StageState::Fail(_)), "{}", outcome.status.state);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_as_long_as_it_is_asked_to() {
        let limited = || {
            let retry_after = Some(Duration::from_secs(40));
            Err(SourceError::RateLimited { endpoint: "node".into(), cause: "slow".into(), retry_after }.into())
        };
        let before = tokio::time::Instant::now();
        let _ = run_script(&[limited]).await;
        assert!(before.elapsed() >= Duration::from_secs(40), "{:?}", before.elapsed());
    }

    async fn until(status: &mut watch::Receiver<StageStatus>, word: &str) {
        let reached = status.wait_for(|status| status.state.word() == word);
        tokio::time::timeout(Duration::from_secs(600), reached).await.expect("the state comes").expect("it runs");
    }

    #[tokio::test(start_paused = true)]
    async fn holds_when_told_and_goes_on_with_what_it_had() {
        let (mut rig, runner) = rig(&[passing, passing, passing, passing], false, OnFailure::Stay);
        let run = tokio::spawn(runner.run());
        until(&mut rig.status, "WAIT").await;
        rig.control.send_modify(|control| control.desired = Some(DesiredState::Pause));
        until(&mut rig.status, "PAUS").await;
        let steps = rig.seen.lock().len();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(rig.seen.lock().len(), steps, "it holds");
        rig.control.send_modify(|control| control.desired = Some(DesiredState::Run));
        assert_eq!(run.await.unwrap().unwrap(), Ended::Drained);
        assert_eq!(rig.opened.load(Ordering::Relaxed), 1, "it kept what it had");
    }

    #[tokio::test(start_paused = true)]
    async fn finishes_what_is_in_hand_before_it_holds() {
        let (mut rig, runner) = rig(&[(|| Ok(Step::Moved(1))) as Act; 40], true, OnFailure::Stay);
        rig.control.send_modify(|control| control.desired = Some(DesiredState::Run));
        let run = tokio::spawn(runner.run());
        rig.status.wait_for(|status| status.moved > 0).await.unwrap();
        rig.control.send_modify(|control| control.desired = Some(DesiredState::Stop));
        until(&mut rig.status, "STOP").await;
        assert_eq!(rig.status.borrow().moved, 40);
        rig.drain.cancel();
        assert_eq!(run.await.unwrap().unwrap(), Ended::Drained);
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_opens_it_anew_at_once_and_helps_one_that_has_failed() {
        let refused = || Err(StageError::AllRefused { count: 16, reason: "r".into() });
        let (mut rig, runner) = rig(&[refused, || Ok(Step::Moved(7))], false, OnFailure::Stay);
        let run = tokio::spawn(runner.run());
        until(&mut rig.status, "FAIL").await;
        rig.control.send_modify(|control| control.restarts += 1);
        assert_eq!(run.await.unwrap().unwrap(), Ended::Drained);
        let status = rig.status.borrow().clone();
        assert_eq!((status.moved, status.restarts, status.failures), (7, 1, 1));
        assert_eq!(rig.opened.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_its_orders_and_is_drained_while_it_holds() {
        let (rig, mut runner) = rig(&[], false, OnFailure::Stay);
        let (control, receiver) = watch::channel(StageControl::default());
        runner.control = receiver;
        let run = tokio::spawn(runner.run());
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(rig.opened.load(Ordering::Relaxed), 0, "nobody said that it shall work");
        let cause = "a table is another's";
        control.send_modify(|control| control.refused = Some(cause.into()));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(rig.status.borrow().state, StageState::Fail(cause.into()), "nobody will say it");
        control.send_modify(|control| control.desired = Some(DesiredState::Pause));
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(rig.status.borrow().state, StageState::Pause);
        rig.drain.cancel();
        assert_eq!(run.await.unwrap().unwrap(), Ended::Drained);
        assert_eq!(rig.opened.load(Ordering::Relaxed), 0);
    }
}
