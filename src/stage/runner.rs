//! Runs one stage: steps, back-off, renewal, drain.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::status::{StageState, StatusLine};
use super::{Stage, StageError, Step};
use crate::failure::FailureClass;

/// How often to look whether the ingester has begun.
const NOT_BEGUN_POLL: Duration = Duration::from_millis(100);

/// Makes a stage anew, with fresh connections and nothing in hand.
pub(super) type Open = Box<dyn Fn() -> BoxFuture<'static, Result<Box<dyn Stage>, StageError>> + Send + Sync>;

/// Runs a stage until it is drained or has failed for good.
pub(super) async fn run(open: Open, status: StatusLine, drain: CancellationToken) -> Result<(), StageError> {
    let mut backoff = Backoff::default();
    let mut stage = None;
    while !drain.is_cancelled() {
        let error = match announcing(&status, &drain, attempt(&open, &mut stage, &drain)).await {
            Ok(step) => {
                backoff.reset();
                match step {
                    Step::Moved(events) => {
                        status.moved(events);
                        status.enter(StageState::Run);
                    }
                    _ if drain.is_cancelled() => {}
                    Step::Idle => status.enter(StageState::Idle),
                    Step::Wait(cause) => status.enter(StageState::Wait(cause)),
                }
                continue;
            }
            Err(error) => error,
        };
        status.failed();
        match error.class() {
            FailureClass::Deterministic => {
                status.enter(StageState::Fail(error.to_string()));
                return Err(error);
            }
            FailureClass::Retry => {}
            FailureClass::Reconnect | FailureClass::Repair => stage = None,
        }
        let wait = if matches!(error, StageError::NotBegun) {
            status.wait_quietly(error.to_string());
            NOT_BEGUN_POLL
        } else {
            status.enter(StageState::Wait(error.to_string()));
            backoff.next().max(error.retry_after().unwrap_or_default())
        };
        let _ = drain.run_until_cancelled(tokio::time::sleep(wait)).await;
    }
    status.enter(StageState::Stop);
    Ok(())
}

/// Says so when a drain comes in the middle of an attempt.
async fn announcing<T>(status: &StatusLine, drain: &CancellationToken, attempt: impl Future<Output = T>) -> T {
    tokio::pin!(attempt);
    tokio::select! {
        biased;
        done = &mut attempt => done,
        () = drain.cancelled() => {
            status.enter(StageState::Drain);
            attempt.await
        }
    }
}

/// One step, of a stage that is opened first where there is none. A panic is an error like others, and the stage that
/// panicked is gone.
async fn attempt(
    open: &Open,
    stage: &mut Option<Box<dyn Stage>>,
    drain: &CancellationToken,
) -> Result<Step, StageError> {
    let step = async {
        let mut taken = match stage.take() {
            Some(stage) => stage,
            // What opens a stage may wait for a node; nothing of it is half done where it is cut off.
            None => match drain.run_until_cancelled(open()).await {
                Some(opened) => opened?,
                None => return Ok(Step::Idle),
            },
        };
        let result = taken.step(drain).await;
        *stage = Some(taken);
        result
    };
    match AssertUnwindSafe(step).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(StageError::Panicked(message(panic.as_ref()))),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use super::super::{StageName, StageStatus};
    use super::*;
    use async_trait::async_trait;
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use parking_lot::Mutex;
    use tokio::sync::watch;

    use crate::broker::{BrokerError, Stream};
    use crate::source::SourceError;

    type Act = fn() -> Result<Step, StageError>;

    /// A stage that does what it is told, step by step, and then drains the runner.
    struct Scripted {
        script: Arc<Mutex<VecDeque<Act>>>,
        held: usize,
        seen: Arc<Mutex<Vec<usize>>>,
    }

    #[async_trait]
    impl Stage for Scripted {
        async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
            self.seen.lock().push(self.held);
            self.held += 1;
            let next = self.script.lock().pop_front();
            next.map_or_else(
                || {
                    drain.cancel();
                    Ok(Step::Idle)
                },
                |next| next(),
            )
        }
    }

    struct Outcome {
        result: Result<(), StageError>,
        /// What the stage held at each step: 0 where it had just been opened.
        held: Vec<usize>,
        opened: usize,
        status: StageStatus,
    }

    async fn run_script(script: &[Act]) -> Outcome {
        let script = Arc::new(Mutex::new(script.iter().copied().collect()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let opened = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = watch::channel(StageStatus::starting());
        let (stage_seen, stage_opened) = (Arc::clone(&seen), Arc::clone(&opened));
        let open: Open = Box::new(move || {
            stage_opened.fetch_add(1, Ordering::Relaxed);
            let stage = Scripted { script: Arc::clone(&script), held: 0, seen: Arc::clone(&stage_seen) };
            async { Ok(Box::new(stage) as Box<dyn Stage>) }.boxed()
        });
        let status = StatusLine::new(StageName::ProcessTrades, sender);
        let result = run(open, status, CancellationToken::new()).await;
        let held = seen.lock().clone();
        Outcome { result, held, opened: opened.load(Ordering::Relaxed), status: receiver.borrow().clone() }
    }

    fn passing() -> Result<Step, StageError> {
        Err(SourceError::Unreachable { endpoint: "node".into(), cause: "refused".into() }.into())
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
        let lost = || Err(BrokerError::Superseded(Stream::trades().group("g")).into());
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
}
