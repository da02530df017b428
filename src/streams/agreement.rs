//! Whether source and store are of one world, which nobody may write before.
//!
//! The store says whose rows it holds, and the source which world it shows. Where they differ, what one stage would write
//! is joined to what is not its own: so one refusal refuses all stages, jobs, trimming and the watermark. A process of
//! which no stage reads a source has nobody to ask, and brings nothing of another world: there the store alone counts.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::streams::error::{Concern, StageError};

/// Two worlds that are not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) source_name: &'static str,
    pub(crate) stored: String,
    pub(crate) served: String,
}

impl Refusal {
    pub(crate) fn error(&self) -> StageError {
        let Self { source_name, stored, served } = self.clone();
        StageError::OtherWorld { source_name, stored, served }
    }
}

#[derive(Clone, Debug, Default)]
enum Verdict {
    #[default]
    Unknown,
    Agreed,
    Refused(Refusal),
}

/// What is known of it in this process.
#[derive(Default)]
pub(crate) struct Agreement {
    verdict: Mutex<Verdict>,
    /// How often it was asked for, and why the last time brought no answer.
    asked: AtomicU64,
    failure: Mutex<(String, Concern)>,
    turn: tokio::sync::Mutex<()>,
}

impl Agreement {
    /// Whether anything may be written.
    pub(crate) fn is_reached(&self) -> bool {
        matches!(*self.verdict.lock(), Verdict::Agreed)
    }

    /// Why nothing may, where that is certain.
    pub(crate) fn refusal(&self) -> Option<StageError> {
        match &*self.verdict.lock() {
            Verdict::Refused(refusal) => Some(refusal.error()),
            Verdict::Unknown | Verdict::Agreed => None,
        }
    }

    /// Notes that both are of this world, or are not.
    pub(crate) fn compare(&self, source_name: &'static str, stored: &str, served: &str) -> Result<(), StageError> {
        if stored == served {
            *self.verdict.lock() = Verdict::Agreed;
            return Ok(());
        }
        let refusal = Refusal { source_name, stored: stored.to_owned(), served: served.to_owned() };
        let error = refusal.error();
        *self.verdict.lock() = Verdict::Refused(refusal);
        Err(error)
    }

    /// Notes that there is nobody to ask.
    pub(crate) fn assume(&self) {
        *self.verdict.lock() = Verdict::Agreed;
    }

    fn unknown(&self) -> StageError {
        let (cause, concern) = self.failure.lock().clone();
        StageError::WorldUnknown { cause, concern }
    }

    /// Asks, unless it is known. All who want to know at once hear one answer: seven stages ask a node once.
    pub(crate) async fn ask(&self, ask: impl Future<Output = Result<(), StageError>>) -> Result<(), StageError> {
        if self.is_reached() {
            return Ok(());
        }
        let asked = self.asked.load(Ordering::Acquire);
        let _turn = self.turn.lock().await;
        if self.is_reached() {
            return Ok(());
        }
        if self.asked.load(Ordering::Acquire) != asked {
            return Err(self.refusal().unwrap_or_else(|| self.unknown()));
        }
        let answer = ask.await;
        if let Err(error) = &answer
            && !matches!(error, StageError::NotBegun)
        {
            *self.failure.lock() = (error.to_string(), error.concern());
            self.asked.fetch_add(1, Ordering::Release);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceError;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    fn silent() -> StageError {
        SourceError::unreachable("node", "refused").into()
    }

    #[tokio::test(start_paused = true)]
    async fn seven_who_want_to_know_ask_once() {
        let (agreement, asked) = (Arc::new(Agreement::default()), Arc::new(AtomicUsize::new(0)));
        let ask = |agrees: bool| {
            let (agreement, asked) = (Arc::clone(&agreement), Arc::clone(&asked));
            tokio::spawn(async move {
                let answer = async {
                    asked.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if agrees { agreement.compare("polygon", "chain:1", "chain:1") } else { Err(silent()) }
                };
                agreement.ask(answer).await
            })
        };
        for (agrees, asked_so_far) in [(false, 1), (true, 2)] {
            let waiting: Vec<_> = (0..7).map(|_| ask(agrees)).collect();
            for answer in waiting {
                let answer = answer.await.unwrap();
                assert_eq!(answer.is_ok(), agrees, "{answer:?}");
                if let Err(error) = answer {
                    assert!(error.to_string().contains("refused"), "{error}");
                }
            }
            assert_eq!((asked.load(Ordering::Relaxed), agreement.is_reached()), (asked_so_far, agrees));
        }
    }

    #[tokio::test]
    async fn a_refusal_holds_until_it_is_asked_again() {
        let agreement = Agreement::default();
        let other = agreement.ask(async { agreement.compare("polygon", "chain:1", "chain:2") }).await;
        assert!(matches!(other, Err(StageError::OtherWorld { .. })) && agreement.refusal().is_some());
        let same = agreement.ask(async { agreement.compare("polygon", "chain:1", "chain:1") }).await;
        assert!(same.is_ok() && agreement.refusal().is_none() && agreement.is_reached());
    }
}
