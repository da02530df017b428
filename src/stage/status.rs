//! What a stage says of itself.

use std::fmt;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Desired;
use crate::model::ChainPosition;
use crate::source::{Head, SourceState};

/// The state of a stage, as words that never change meaning. `SLOW` and `UNKN` are not among them: a stage cannot say
/// so of itself, they are what somebody who watches finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageState {
    /// Progressing.
    Run,
    /// Caught up: there is nothing to do.
    Idle,
    /// Waiting for what is named here.
    Wait(String),
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

    /// Why, where there is something to be said.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Wait(cause) | Self::Fail(cause) => Some(cause),
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
    pub desired: Option<Desired>,
    /// Events that it has moved in this run.
    pub moved: u64,
    /// Steps that failed in this run.
    pub failures: u64,
    /// How often it failed without a success since.
    pub failures_in_a_row: u32,
    /// When it tries again, where it waits after a failure.
    pub retry_at: Option<Instant>,
    /// Its last failure.
    pub last_failure: Option<(Instant, String)>,
    /// How often it began again in this run: asked to, after a panic, or with new connections.
    pub restarts: u64,
}

impl StageStatus {
    /// That of a stage that has just been made.
    pub fn starting() -> Self {
        Self {
            state: StageState::Wait("starting".into()),
            since: Instant::now(),
            desired: None,
            moved: 0,
            failures: 0,
            failures_in_a_row: 0,
            retry_at: None,
            last_failure: None,
            restarts: 0,
        }
    }
}

/// Where a source's events are.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The newest final block, and when it was last confirmed.
    pub head: Option<(Head, Instant)>,
    /// Every event before this is in the streams or beyond.
    pub cursor: Option<ChainPosition>,
    /// Every event before this is in the tables.
    pub watermark: Option<ChainPosition>,
    /// From this block on rows may be missing, until they have been read again.
    pub in_doubt: Option<u64>,
    /// What the source has found out about its providers.
    pub source: SourceState,
    /// The markets.
    pub markets: MarketProgress,
    /// The tokens of trades that have no market yet.
    pub tokens: TokenProgress,
}

/// How far markets have been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketProgress {
    /// How often everything that was due has been read in this run: first all open markets, then what is new.
    pub rounds: u64,
    /// When the last of those ended.
    pub last_round: Option<Instant>,
    /// How many pages of the open ones have been read in one go in this run, at most.
    pub open_pages: u64,
    /// How many pages of the closed ones of the past have been read in this run.
    pub history_pages: u64,
    /// Whether all closed ones of the past have been read.
    pub history_read: bool,
    /// How many fields were of another type than expected in this run, and so taken as unknown.
    pub misread: u64,
    /// How many moves are in the stream or beyond.
    pub cursor: Option<u64>,
    /// How many of them are in the table.
    pub watermark: Option<u64>,
}

/// How many tokens are not resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenProgress {
    /// How often all of them have been looked at in this run.
    pub sweeps: u64,
    /// How many there were, the last time.
    pub unresolved: u64,
    /// How many of those nobody has been asked about in this run.
    pub untried: u64,
    /// When that was known.
    pub at: Option<Instant>,
}

/// Publishes a stage's status.
#[derive(Clone)]
pub(super) struct StatusLine {
    /// Whose state it is, in the log: the stage is in every line of it anyway.
    what: &'static str,
    sender: watch::Sender<StageStatus>,
}

impl StatusLine {
    pub(super) const fn new(what: &'static str, sender: watch::Sender<StageStatus>) -> Self {
        Self { what, sender }
    }

    pub(super) fn moved(&self, events: u64) {
        self.sender.send_modify(|status| status.moved += events);
    }

    /// A step succeeded.
    pub(super) fn succeeded(&self) {
        self.sender.send_if_modified(|status| {
            let changed = status.failures_in_a_row > 0 || status.retry_at.is_some();
            (status.failures_in_a_row, status.retry_at) = (0, None);
            changed
        });
    }

    /// A step failed.
    pub(super) fn failed(&self, cause: String, in_a_row: u32) {
        self.sender.send_modify(|status| {
            status.failures += 1;
            status.failures_in_a_row = in_a_row;
            status.last_failure = Some((Instant::now(), cause));
        });
    }

    /// It will be tried again after so long.
    pub(super) fn retries_in(&self, wait: Duration) {
        self.sender.send_modify(|status| status.retry_at = Some(Instant::now() + wait));
    }

    pub(super) fn desired(&self, desired: Option<Desired>) {
        self.sender.send_if_modified(|status| std::mem::replace(&mut status.desired, desired) != desired);
    }

    pub(super) fn restarted(&self) {
        self.sender.send_modify(|status| status.restarts += 1);
    }

    /// Notes a state, and logs it as an event. That it is busy and idle in turns is nothing that anybody should read.
    pub(super) fn enter(&self, state: StageState) {
        let Some(before) = self.set(&state) else { return };
        let (what, from, to) = (self.what, before.word(), state.word());
        match (&before, &state) {
            (_, StageState::Fail(cause)) => tracing::error!(from, to, cause, "{what}"),
            (_, StageState::Wait(cause)) => tracing::warn!(from, to, cause, "{what}"),
            (StageState::Run | StageState::Idle, StageState::Run | StageState::Idle | StageState::Drain) => {
                tracing::debug!(from, to, "{what}");
            }
            _ => tracing::info!(from, to, "{what}"),
        }
    }

    /// Notes that the stage waits for something that every start waits for: nobody needs to be told.
    pub(super) fn wait_quietly(&self, cause: String) {
        self.set(&StageState::Wait(cause));
    }

    /// The state before, if this is another.
    fn set(&self, state: &StageState) -> Option<StageState> {
        let mut before = None;
        self.sender.send_if_modified(|status| {
            if status.state == *state {
                return false;
            }
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
