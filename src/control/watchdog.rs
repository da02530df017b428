//! Whether the stages work, for whoever ends a process that does not.
//!
//! A stage works that made a step lately, or waits for something that has a name. So what is away outside never counts against
//! the process, and a loop that is stuck does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior};

use super::status::{StageState, StageStatus};
use crate::{flow::StageId, streams::WaitCause};

/// Who is to be told that the stages work, and how long they may be silent.
#[derive(Clone)]
pub struct Watchdog {
    /// How long it waits before it ends the process.
    pub within: Duration,
    /// Tells it.
    pub tell: Arc<dyn Fn() + Send + Sync>,
}

/// When to tell, and what was seen of the stages.
pub(super) struct Beat {
    watchdog: Option<(Watchdog, Interval)>,
    /// How many steps each had made, and when that was new.
    seen: BTreeMap<StageId, (u64, Instant)>,
    stuck: Option<StageId>,
}

impl Beat {
    pub(super) fn new(watchdog: Option<Watchdog>) -> Self {
        let watchdog = watchdog.map(|watchdog| {
            let mut interval = tokio::time::interval((watchdog.within / 2).max(Duration::from_millis(1)));
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            (watchdog, interval)
        });
        Self { watchdog, seen: BTreeMap::new(), stuck: None }
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
    pub(super) fn tell(&mut self, stages: impl Iterator<Item = (StageId, StageStatus)>, waits: bool, now: Instant) {
        let Some((watchdog, _)) = &self.watchdog else { return };
        let within = watchdog.within;
        let mut stuck = None;
        for (stage, status) in stages {
            let (steps, since) = self.seen.entry(stage).or_insert((status.steps, now));
            if *steps != status.steps {
                (*steps, *since) = (status.steps, now);
            }
            let is_working = match status.state {
                // What starts has no name for what it waits for.
                StageState::Run | StageState::Idle | StageState::Drain | StageState::Wait(WaitCause::Starting) => {
                    waits || now.saturating_duration_since(*since) < within
                }
                StageState::Wait(_) | StageState::Pause | StageState::Stop | StageState::Fail(_) => true,
            };
            if !is_working {
                stuck = Some(stage);
            }
        }
        match stuck {
            None => (watchdog.tell)(),
            Some(stage) if self.stuck != stuck => {
                tracing::error!(
                    stage = stage.as_str(),
                    "{stage} made no step for {within:?} and waits for nothing: the watchdog is not told that this process works"
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
            beat.tell(
                [(StageId::WriteTrades, status.clone())].into_iter(),
                waits,
                begin + Duration::from_secs(seconds),
            );
            told.load(Ordering::Relaxed) > before
        };
        status.state = StageState::Run;
        assert!(look(&status, 0, false) && look(&status, 5, false));
        assert!(!look(&status, 11, false), "no step");
        assert!(look(&status, 12, true), "something outside is asked");
        status.state = StageState::Wait(WaitCause::Other("room".into()));
        assert!(look(&status, 60, false), "it waits for something");
        status.state = StageState::Idle;
        assert!(!look(&status, 61, false));
        status.steps += 1;
        assert!(look(&status, 62, false) && look(&status, 71, false) && !look(&status, 73, false));
    }
}
