//! What a stage says of itself.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::{control::desired::DesiredState, secrets, streams::WaitCause};

/// From here on it is said what does not answer.
pub(crate) const SILENT: Duration = Duration::from_secs(1);

/// The state of a stage, as words that never change meaning. `SLOW` and `UNKN` are not among them: a stage cannot say
/// so of itself, they are what somebody who watches finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageState {
    /// Progressing.
    Run,
    /// Caught up: there is nothing to do.
    Idle,
    /// Waiting for what is named here.
    Wait(WaitCause),
    /// Holding, on purpose.
    Pause,
    /// Finishing what it holds.
    Drain,
    /// Ended on purpose.
    Stop,
    /// Given up, since doing it again is of no use.
    Fail(String),
}

impl StageState {
    /// The word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Run => "RUN",
            Self::Idle => "IDLE",
            Self::Wait(_) => "WAIT",
            Self::Pause => "PAUS",
            Self::Drain => "DRAN",
            Self::Stop => "STOP",
            Self::Fail(_) => "FAIL",
        }
    }

    /// The same with a cause that may be shown: others may have worded it.
    fn fit_to_show(self) -> Self {
        match self {
            Self::Wait(cause) => Self::Wait(cause.fit_to_show()),
            Self::Fail(cause) => Self::Fail(secrets::line(&cause)),
            state => state,
        }
    }

    /// Why, where there is something to be said.
    pub fn cause(&self) -> Option<String> {
        match self {
            Self::Wait(cause) => Some(cause.to_string()),
            Self::Fail(cause) => Some(cause.clone()),
            _ => None,
        }
    }
}

impl fmt::Display for StageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause() {
            Some(cause) => write!(f, "{} {cause}", self.word()),
            None => f.write_str(self.word()),
        }
    }
}

/// A stage, observed.
#[derive(Clone, Debug)]
pub struct StageStatus {
    /// Its state.
    pub state: StageState,
    /// Since when.
    pub since: Instant,
    /// What is wanted of it; `None` before that is known.
    pub desired: Option<DesiredState>,
    /// Events that it has moved in this run.
    pub moved: u64,
    /// Since when it is in the middle of a step.
    pub stepping: Option<Instant>,
    /// Steps that failed in this run.
    pub failures: u64,
    /// How often it failed without a success since.
    pub failures_in_a_row: u32,
    /// When it tries again, where it waits after a failure.
    pub retry_at: Option<Instant>,
    /// Its last failure.
    pub last_failure: Option<(Instant, String)>,
    /// Whether it has failed for entries that may be left to the dead letters.
    pub can_skip: bool,
    /// How often it began again in this run: asked to, after a panic, or with new connections.
    pub restarts: u64,
    /// For how long it has waited in this run, by what it waited for, up to when that changed the last time.
    pub waited: BTreeMap<&'static str, Duration>,
    /// When that was, or its state changed.
    pub entered: Instant,
}

impl StageStatus {
    /// For how long it has waited in this run until now, by what it waited for.
    pub fn waited(&self) -> BTreeMap<&'static str, Duration> {
        let mut waited = self.waited.clone();
        if let StageState::Wait(cause) = &self.state {
            *waited.entry(cause.kind()).or_default() += self.entered.elapsed();
        }
        waited
    }
}

impl StageStatus {
    /// That of a stage that has just been made.
    pub fn starting() -> Self {
        Self {
            state: StageState::Wait(WaitCause::Starting),
            since: Instant::now(),
            desired: None,
            moved: 0,
            stepping: None,
            failures: 0,
            failures_in_a_row: 0,
            retry_at: None,
            last_failure: None,
            can_skip: false,
            restarts: 0,
            waited: BTreeMap::new(),
            entered: Instant::now(),
        }
    }
}

/// Publishes a stage's status.
#[derive(Clone)]
pub(crate) struct StatusLine {
    /// Whose state it is, in the log: the stage is in every line of it anyway.
    what: &'static str,
    sender: watch::Sender<StageStatus>,
}

impl StatusLine {
    pub(crate) const fn new(what: &'static str, sender: watch::Sender<StageStatus>) -> Self {
        Self { what, sender }
    }

    pub(crate) fn moved(&self, events: u64) {
        self.sender.send_modify(|status| status.moved += events);
    }

    /// A step begins, or has ended. Who waits for news is not told: it is none.
    pub(crate) fn stepping(&self, since: Option<Instant>) {
        self.sender.send_if_modified(|status| {
            status.stepping = since;
            false
        });
    }

    /// A step succeeded.
    pub(crate) fn succeeded(&self) {
        self.sender.send_if_modified(|status| {
            let changed = status.failures_in_a_row > 0 || status.retry_at.is_some();
            (status.failures_in_a_row, status.retry_at) = (0, None);
            changed
        });
    }

    /// A step failed.
    pub(crate) fn failed(&self, cause: String, in_a_row: u32) {
        self.sender.send_modify(|status| {
            status.failures += 1;
            status.failures_in_a_row = in_a_row;
            status.last_failure = Some((Instant::now(), secrets::line(&cause)));
        });
    }

    /// It will be tried again after so long.
    pub(crate) fn retries_in(&self, wait: Duration) {
        self.sender.send_modify(|status| status.retry_at = Some(Instant::now() + wait));
    }

    pub(crate) fn desired(&self, desired: Option<DesiredState>) {
        self.sender.send_if_modified(|status| std::mem::replace(&mut status.desired, desired) != desired);
    }

    /// Whether what it has failed for may be left to the dead letters.
    pub(crate) fn can_skip(&self, can_skip: bool) {
        self.sender.send_if_modified(|status| std::mem::replace(&mut status.can_skip, can_skip) != can_skip);
    }

    pub(crate) fn restarted(&self) {
        self.sender.send_modify(|status| status.restarts += 1);
    }

    /// Notes a state, and logs it as an event. That it is busy and idle in turns is nothing that anybody should read.
    pub(crate) fn enter(&self, state: StageState) {
        let state = state.fit_to_show();
        let Some(before) = self.set(&state) else { return };
        let (what, from, to) = (self.what, before.word(), state.word());
        match (&before, &state) {
            (_, StageState::Fail(cause)) => tracing::error!(from, to, cause, "{what}"),
            (_, StageState::Wait(cause)) => tracing::warn!(from, to, cause = cause.to_string(), "{what}"),
            (StageState::Run | StageState::Idle, StageState::Run | StageState::Idle | StageState::Drain) => {
                tracing::debug!(from, to, "{what}");
            }
            _ => tracing::info!(from, to, "{what}"),
        }
    }

    /// Notes that the stage waits for something that every start waits for: nobody needs to be told.
    pub(crate) fn wait_quietly(&self, cause: WaitCause) {
        self.set(&StageState::Wait(cause).fit_to_show());
    }

    /// Whether nothing is known yet of what it waits for.
    pub(crate) fn is_starting(&self) -> bool {
        matches!(self.sender.borrow().state, StageState::Wait(WaitCause::Starting | WaitCause::Silent(_)))
    }

    /// The state before, if this is another.
    fn set(&self, state: &StageState) -> Option<StageState> {
        let mut before = None;
        self.sender.send_if_modified(|status| {
            if status.state == *state {
                return false;
            }
            status.waited = status.waited();
            status.entered = Instant::now();
            let old = std::mem::replace(&mut status.state, state.clone());
            // A wait whose cause is told in other words goes on.
            if old.word() != state.word() {
                status.since = Instant::now();
            }
            before = Some(old);
            true
        });
        before
    }
}
