//! Whether the stages work, for whoever ends a process that does not.
//!
//! A stage is stuck that is in the middle of a step for long while nothing outside is asked or away. So what is away outside never
//! counts against the process, and a loop that never ends does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior};

use super::status::StageStatus;
use crate::flow::StageId;

/// Who is to be told that the stages work, and how long they may be silent.
#[derive(Clone)]
pub struct Watchdog {
    /// How long it waits before it ends the process.
    pub within: Duration,
    /// Tells it.
    pub tell: Arc<dyn Fn() + Send + Sync>,
}

/// When to tell, and who was stuck the last time.
pub(super) struct Beat {
    watchdog: Option<(Watchdog, Interval)>,
    stuck: Option<StageId>,
}

impl Beat {
    pub(super) fn new(watchdog: Option<Watchdog>) -> Self {
        let watchdog = watchdog.map(|watchdog| {
            let mut interval = tokio::time::interval((watchdog.within / 2).max(Duration::from_millis(1)));
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            (watchdog, interval)
        });
        Self { watchdog, stuck: None }
    }

    /// Until it is time to tell.
    pub(super) async fn due(&mut self) {
        match &mut self.watchdog {
            Some((_, interval)) => drop(interval.tick().await),
            None => std::future::pending().await,
        }
    }

    /// Tells that the stages work, if they do. `waits` says whether anything outside is asked or away, which is what a stage in the
    /// middle of a step waits for.
    pub(super) fn tell(&mut self, stages: impl IntoIterator<Item = (StageId, StageStatus)>, waits: bool, now: Instant) {
        let Some((watchdog, _)) = &self.watchdog else { return };
        let within = watchdog.within;
        let is_stuck = |status: &StageStatus| {
            status.stepping.is_some_and(|since| !waits && now.saturating_duration_since(since) >= within)
        };
        let stuck = stages.into_iter().find(|(_, status)| is_stuck(status)).map(|(stage, _)| stage);
        match stuck {
            None => (watchdog.tell)(),
            Some(stage) if self.stuck != stuck => {
                tracing::error!(
                    stage = stage.as_str(),
                    "{stage} is in one step for {within:?} and waits for nothing outside: the watchdog is not told that it works"
                );
            }
            Some(_) => {}
        }
        self.stuck = stuck;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn who_is_stuck_is_not_told_of_and_who_waits_is() {
        let told = Arc::new(AtomicU32::new(0));
        let tell = Arc::clone(&told);
        let within = Duration::from_secs(10);
        let tell = Arc::new(move || {
            tell.fetch_add(1, Ordering::Relaxed);
        });
        let mut beat = Beat::new(Some(Watchdog { within, tell }));
        let (begin, mut status) = (Instant::now(), StageStatus::starting());
        let mut look = |status: &StageStatus, seconds, waits| {
            let before = told.load(Ordering::Relaxed);
            beat.tell([(StageId::WriteTrades, status.clone())], waits, begin + Duration::from_secs(seconds));
            told.load(Ordering::Relaxed) > before
        };
        assert!(look(&status, 60, false), "it is between two steps, and may wait there for long");
        status.stepping = Some(begin);
        assert!(look(&status, 9, false));
        assert!(!look(&status, 11, false), "the step does not end");
        assert!(look(&status, 12, true), "something outside is asked");
        assert!(!look(&status, 13, false));
        status.stepping = Some(begin + Duration::from_secs(13));
        assert!(look(&status, 14, false));
    }
}
