//! What a stage says of itself.

use std::fmt;
use std::time::Instant;

use tokio::sync::watch;

use crate::model::ChainPosition;
use crate::source::Head;

/// The state of a stage, as words that never change meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageState {
    /// Progressing.
    Run,
    /// Caught up: there is nothing to do.
    Idle,
    /// Waiting for what is named here.
    Wait(String),
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
            Self::Drain => "DRAN",
            Self::Stop => "STOP",
            Self::Fail(_) => "FAIL",
        }
    }
}

impl fmt::Display for StageState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wait(cause) | Self::Fail(cause) => write!(f, "{} {cause}", self.word()),
            _ => f.write_str(self.word()),
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
    /// Events that it has moved in this run.
    pub moved: u64,
    /// Steps that failed in this run.
    pub failures: u64,
}

impl StageStatus {
    pub(super) fn starting() -> Self {
        Self { state: StageState::Wait("starting".into()), since: Instant::now(), moved: 0, failures: 0 }
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
}

/// Publishes a stage's status.
pub(super) struct StatusLine {
    stage: super::StageName,
    sender: watch::Sender<StageStatus>,
}

impl StatusLine {
    pub(super) const fn new(stage: super::StageName, sender: watch::Sender<StageStatus>) -> Self {
        Self { stage, sender }
    }

    pub(super) fn moved(&self, events: u64) {
        self.sender.send_modify(|status| status.moved += events);
    }

    pub(super) fn failed(&self) {
        self.sender.send_modify(|status| status.failures += 1);
    }

    /// Notes a state, and logs those that somebody should know of.
    pub(super) fn enter(&self, state: StageState) {
        let stage = self.stage.as_str();
        let changed = self.set(&state);
        let Some(before) = changed else { return };
        match (&before, &state) {
            (_, StageState::Fail(_)) => tracing::error!(stage, "{stage} {state}"),
            (_, StageState::Wait(_)) => tracing::warn!(stage, "{stage} {state}"),
            (StageState::Wait(_), StageState::Run | StageState::Idle) => tracing::info!(stage, "{stage} {state}"),
            _ => tracing::debug!(stage, "{stage} {state}"),
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
            before = Some(std::mem::replace(&mut status.state, state.clone()));
            status.since = Instant::now();
            true
        });
        before
    }
}
