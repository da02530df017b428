//! A probe: one question, asked again and again, one at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::task::AbortOnDropHandle;

use super::snapshot::Seen;
use crate::streams::{Dependency, WaitCause};
use crate::{backoff::Backoff, breaker::Breaker};

/// How long to wait before the question is asked again.
const INTERVAL: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unseen {
    /// Nobody has begun. Whoever was asked is well.
    NotBegun,
    /// There is nothing to be seen yet. Whoever was asked is well.
    NotThere(String),
    /// Whoever was asked failed, and is left alone for a while.
    Failed(String),
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was seen last.
struct Slot<T> {
    value: Option<(T, Instant)>,
    missing: Option<(String, WaitCause)>,
}

/// What is said of a stream that nobody has begun.
const NOT_BEGUN_YET: &str = "no stage has begun yet";

impl Unseen {
    /// In words, and as what stages wait for. `asked` is the breaker of who was asked.
    fn told(self, asked: Option<&Breaker>) -> (String, WaitCause) {
        match (self, asked) {
            (Self::NotBegun, _) => (NOT_BEGUN_YET.to_owned(), WaitCause::NotBegun),
            (Self::Failed(text), Some(asked)) => {
                let asked = Dependency { name: asked.name(), text: text.clone() };
                (text, WaitCause::Dependency(asked))
            }
            (Self::NotThere(text) | Self::Failed(text), _) => (text.clone(), WaitCause::Other(text)),
        }
    }
}

/// Asks for ever, as long as it is kept.
pub(super) struct Probe<T> {
    slot: Arc<Mutex<Slot<T>>>,
    _task: AbortOnDropHandle<()>,
}

impl<T: Clone + Send + 'static> Probe<T> {
    /// `breaker` is that of who is asked: when that answers again, so it is at once.
    pub(super) fn start<F>(breaker: Option<Breaker>, question: impl Fn() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<T, Unseen>> + Send,
    {
        let slot = Arc::new(Mutex::new(Slot { value: None, missing: None }));
        let answers = Arc::clone(&slot);
        let task = tokio::spawn(async move {
            let mut backoff = Backoff::default();
            loop {
                let answer = tokio::time::timeout(PATIENCE, question()).await;
                let late = || Unseen::Failed(format!("no answer within {} s", PATIENCE.as_secs()));
                let wait = match answer.unwrap_or_else(|_| Err(late())) {
                    Ok(value) => {
                        *answers.lock() = Slot { value: Some((value, Instant::now())), missing: None };
                        backoff.reset();
                        INTERVAL
                    }
                    Err(unseen) => {
                        let has_failed = matches!(unseen, Unseen::Failed(_));
                        answers.lock().missing = Some(unseen.told(breaker.as_ref()));
                        if has_failed {
                            backoff.next().max(INTERVAL)
                        } else {
                            backoff.reset();
                            INTERVAL
                        }
                    }
                };
                let worth_asking = async {
                    match &breaker {
                        Some(breaker) if wait > INTERVAL => breaker.worth_asking().await,
                        _ => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = worth_asking => {}
                }
            }
        });
        Self { slot, _task: AbortOnDropHandle::new(task) }
    }

    /// What was seen last, and when.
    pub(super) fn last(&self) -> Option<(T, Instant)> {
        self.slot.lock().value.clone()
    }

    /// The observation as it is now.
    pub(super) fn seen(&self) -> Seen<T> {
        let slot = self.slot.lock();
        let (value, age) = match &slot.value {
            Some((value, at)) => (Some(value.clone()), millis(at.elapsed())),
            None => (None, 0),
        };
        let (missing, cause) = slot.missing.clone().unzip();
        Seen { value, age, missing, cause }
    }
}

/// A duration as the snapshot has it.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test]
    async fn what_fails_leaves_the_last_value_with_its_age_and_the_reason() {
        tokio::time::pause();
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let probe = Probe::start(None, move || {
            let nth = count.fetch_add(1, Ordering::Relaxed);
            async move { if nth == 0 { Ok(7) } else { Err(Unseen::Failed("it is away".to_owned())) } }
        });
        assert_eq!(probe.seen(), Seen::of(None, 0), "nothing is known yet");
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(probe.seen().value, Some(7));
        tokio::time::sleep(INTERVAL * 3).await;
        let seen = probe.seen();
        assert_eq!((seen.value, seen.missing.as_deref()), (Some(7), Some("it is away")));
        assert!(asked.load(Ordering::Relaxed) >= 3);
        tokio::time::sleep(Duration::from_secs(600)).await;
        let asked = asked.load(Ordering::Relaxed);
        assert!((20..60).contains(&asked), "it is left alone: {asked} times in ten minutes");
    }

    #[test]
    fn who_was_asked_is_told_as_a_value() {
        let asked = Breaker::new("a server");
        let (text, cause) = Unseen::Failed("it is away".into()).told(Some(&asked));
        assert_eq!((text.as_str(), cause.dependency().unwrap().name.as_str()), ("it is away", "a server"));
        let there = |unseen: Unseen| unseen.told(Some(&asked)).1.dependency().cloned();
        assert_eq!((there(Unseen::NotBegun), there(Unseen::NotThere("it begins".into()))), (None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_there_yet_is_looked_for_as_ever() {
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let _probe: Probe<u64> = Probe::start(None, move || {
            count.fetch_add(1, Ordering::Relaxed);
            async { Err(Unseen::NotThere("nobody has begun".into())) }
        });
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert!(asked.load(Ordering::Relaxed) >= 590);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_never_answers_is_asked_one_at_a_time() {
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let probe: Probe<u64> = Probe::start(None, move || {
            count.fetch_add(1, Ordering::Relaxed);
            std::future::pending()
        });
        tokio::time::sleep(PATIENCE * 3).await;
        assert!(asked.load(Ordering::Relaxed) <= 3);
        assert_eq!(probe.seen().missing.as_deref(), Some("no answer within 5 s"));
    }
}
