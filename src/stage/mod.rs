//! Who works: the stages, the runner that they share, and the pipeline that they make up.
//!
//! A stage moves entries from where it reads to where it writes, one step after the other. Between two
//! steps it may be drained, and anywhere it may be killed: what it has not committed it is given again. What it holds
//! stays in hand over a passing failure, and is dropped when its connection is renewed.

mod agreement;
mod block_time;
mod breakers;
mod command;
mod cursor_watch;
mod doubts;
mod error;
mod gauge;
mod halve;
mod ingest_fills;
mod ingest_markets;
mod inserts;
mod job;
mod life;
mod market_cursor;
mod orders;
mod pipeline;
mod plan;
mod process_trades;
mod refusals;
mod replay_fills;
mod resolver;
mod room;
mod runner;
mod status;
mod supervisor;
mod token_cache;
mod trim;
mod unproved;
mod watermark;
mod workshop;
mod write;
mod write_dead_letters;
mod write_markets;
mod write_trades;

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::backoff;
pub use command::{Answer, Command, Plan, Point, Replay};
pub use error::{NOT_BEGUN, StageError};
pub use inserts::InsertTimes;
pub use job::{JobStatus, is_replay_group};
pub use orders::Desired;
pub use pipeline::{Limits, Markets, Observer, Parts, Pipeline, PipelineFailed};
pub use room::is_for_room;
pub use status::{ListingGap, MarketProgress, Progress, StageState, StageStatus, TokenProgress};
pub use supervisor::Control;

/// The stages, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageName {
    /// Reads markets from their source into `stream:markets`.
    IngestMarkets,
    /// Reads fills from their source into `stream:order_events`.
    IngestFills,
    /// Makes trades of fills: `stream:order_events` to `stream:trades`.
    ProcessTrades,
    /// Writes `stream:markets` to the `markets` table.
    WriteMarkets,
    /// Writes `stream:trades` to the `trades` table.
    WriteTrades,
    /// Writes `stream:dead_letters` to the `dead_letters` table.
    WriteDeadLetters,
    /// Finds the markets of trades that landed without.
    Resolver,
}

impl StageName {
    /// All of them, in the order of the flow.
    pub const ALL: [Self; 7] = [
        Self::IngestFills,
        Self::IngestMarkets,
        Self::ProcessTrades,
        Self::WriteMarkets,
        Self::WriteTrades,
        Self::WriteDeadLetters,
        Self::Resolver,
    ];

    /// The name as it is written everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IngestMarkets => "ingest-markets",
            Self::IngestFills => "ingest-fills",
            Self::ProcessTrades => "process-trades",
            Self::WriteMarkets => "write-markets",
            Self::WriteTrades => "write-trades",
            Self::WriteDeadLetters => "write-dead-letters",
            Self::Resolver => "resolver",
        }
    }
}

impl std::str::FromStr for StageName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|stage| stage.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no stage: {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a step has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// So many events went on.
    Moved(u64),
    /// There is nothing to do.
    Idle,
    /// There is something to do, and no room to do it.
    Wait(String),
    /// There will never be anything to do again. Only a replay has an end.
    Done,
}

/// One stage.
#[async_trait]
trait Stage: Send {
    /// Does a bounded piece of work and commits it. Where there is nothing to do it waits a while, but not once
    /// `drain` is cancelled. After an error that may pass, it is called again and goes on with what it holds.
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError>;

    /// Whether it holds something that it has taken and not committed, which another step may finish.
    fn in_hand(&self) -> bool {
        false
    }

    /// What its stream holds now shall become dead letters as far as it is bad, however much of it is. Said before its first step.
    fn skip_bad(&mut self) {}
}
