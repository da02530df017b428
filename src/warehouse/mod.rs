//! Where rows land.
//!
//! A row's identity comes from its source, so writing a batch twice changes nothing, and after an answer that did not
//! arrive the batch is simply written again. A row is replaced only by one that is at least as complete.

mod batch;
mod clickhouse;
mod embedded;
mod guarded;
mod unresolved;

use std::collections::{HashMap, HashSet};
use std::ops::AddAssign;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::breaker::Breaker;
use crate::embedded::StorageError;
use crate::failure::FailureClass;
use crate::model::{DeadLetter, Market, Resolution, TokenId, Trade};

pub use self::batch::{AnyBatch, Batch};
pub use self::clickhouse::{
    ClickhouseConfig, ClickhouseError, ClickhouseServer, ClickhouseWarehouse, Confirmation, OLDEST_CLICKHOUSE,
    QueryCost, TableFault, TradeTimes,
};
use self::unresolved::entries_of;
pub use self::unresolved::{
    ListScan, ListState, MOST_READ_ROWS, PeriodicCost, SCAN_EVERY, Scanned, UnresolvedEntry, UnresolvedPage,
    UnresolvedPlace,
};
pub use embedded::{EmbeddedWarehouse, StoreOrigin, StoreSummary, inspect, origin};
pub use guarded::Guarded;

/// Where one source of one pipeline began, and up to where all of it has landed.
///
/// The positions are text that only their source understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which world the source shows: `chain:137`.
    pub world: String,
    /// Where the first run began.
    pub start: String,
    /// Every event before this is in the tables.
    pub watermark: String,
}

/// A replay, as it is kept. The positions are text that only its stage understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// Its id.
    pub id: String,
    /// The stage that it repeats.
    pub stage: String,
    /// Where it begins.
    pub begin: String,
    /// Where it ends.
    pub until: String,
    /// How far it has come; empty where its group knows that.
    pub cursor: String,
    /// What there was to do when it began: blocks or entries.
    pub total: u64,
    /// How much of that is done.
    pub done: u64,
    /// Rows that it wrote or handed on.
    pub moved: u64,
    /// How it stands.
    pub state: JobState,
    /// Why it failed.
    pub reason: String,
    /// When it began, in unix milliseconds.
    pub started_at: i64,
    /// When it ended, if it has.
    pub ended_at: Option<i64>,
}

/// How a replay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It goes on, in this process or the next.
    Running,
    /// It came to its end.
    Done,
    /// Somebody ended it.
    Cancelled,
    /// It could not be brought to its end.
    Failed,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Cancelled, Self::Failed];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// A table that rows are written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// `trades`.
    Trades,
    /// `markets`.
    Markets,
    /// `dead_letters`.
    DeadLetters,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Trades, Self::Markets, Self::DeadLetters];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trades => "trades",
            Self::Markets => "markets",
            Self::DeadLetters => "dead_letters",
        }
    }
}

/// How many rows a table holds, and whether they were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCount {
    /// So many.
    pub rows: u64,
    /// About so many: rows that are there twice are counted twice.
    pub is_estimate: bool,
}

impl From<u64> for RowCount {
    fn from(rows: u64) -> Self {
        Self { rows, is_estimate: false }
    }
}

impl PartialEq<u64> for RowCount {
    fn eq(&self, rows: &u64) -> bool {
        !self.is_estimate && self.rows == *rows
    }
}

impl AddAssign for RowCount {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.is_estimate |= other.is_estimate;
    }
}

/// How many rows the tables hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows of `markets`.
    pub markets: RowCount,
    /// Rows of `trades`.
    pub trades: RowCount,
    /// Rows of `dead_letters`.
    pub dead_letters: RowCount,
}

/// How many parts the tables are made of, each in that of its partitions that has most: what ClickHouse has still to merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartCounts {
    /// Parts of `markets`.
    pub markets: u64,
    /// Parts of `trades`.
    pub trades: u64,
    /// Parts of `dead_letters`.
    pub dead_letters: u64,
}

/// What is to be known of a market that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenMarket {
    /// [`Market::lasting_hash`].
    pub lasting_hash: u64,
    /// [`Market::version`].
    pub version: u64,
}

/// A row of `trades`, as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct TapeLine {
    /// Block time, in unix seconds.
    pub timestamp: i64,
    /// The block.
    pub block_number: u64,
    /// The place in the block.
    pub log_index: u32,
    /// The contract.
    pub exchange: String,
    /// What the maker's order did.
    pub maker_direction: String,
    /// Shares, exact.
    pub token_amount: String,
    /// Dollars, exact.
    pub usd_amount: String,
    /// Dollars a share.
    pub price: Option<f64>,
    /// The outcome token.
    pub token_id: String,
    /// The outcome, where it is known.
    pub outcome: String,
    /// The question of its market, where that is known.
    pub question: String,
    /// Whether it counts for volume.
    pub is_taker_row: bool,
}

/// Tables.
#[async_trait]
pub trait Warehouse: Send + Sync {
    /// What keeps it from being asked by everybody while it is away; `None` where it is in this process.
    fn breaker(&self) -> Option<Breaker> {
        None
    }

    /// Writes a batch. When it returns its rows are there. One that did not get there is given again as it is: what was made of it
    /// to send it is made only once.
    async fn write(&self, batch: AnyBatch<'_>) -> Result<(), WarehouseError> {
        match batch {
            AnyBatch::Trades(batch) => self.write_trades(batch.rows()).await,
            AnyBatch::Markets(batch) => self.write_markets(batch.rows()).await,
            AnyBatch::DeadLetters(batch) => self.write_dead_letters(batch.rows()).await,
        }
    }

    /// Writes trades. When it returns they are there, and the tokens of those that are not complete are on the list.
    async fn write_trades(&self, rows: &[Trade]) -> Result<(), WarehouseError>;

    /// Writes markets. When it returns they are there. One that is older than what is there changes nothing.
    async fn write_markets(&self, rows: &[Market]) -> Result<(), WarehouseError>;

    /// Writes dead letters. When it returns they are there.
    async fn write_dead_letters(&self, rows: &[DeadLetter]) -> Result<(), WarehouseError>;

    /// The checkpoint of a source, if it has one.
    async fn checkpoint(&self, pipeline: &str, source: &str) -> Result<Option<Checkpoint>, WarehouseError>;

    /// Sets the checkpoint of a source.
    async fn set_checkpoint(&self, pipeline: &str, source: &str, to: &Checkpoint) -> Result<(), WarehouseError>;

    /// What was asked of the stages of a pipeline, by their names.
    async fn desired_states(&self, pipeline: &str) -> Result<HashMap<String, String>, WarehouseError>;

    /// Keeps what was asked of a stage.
    async fn set_desired_state(&self, pipeline: &str, stage: &str, state: &str) -> Result<(), WarehouseError>;

    /// The replays of a pipeline that have not ended, and of the others the newest `ended`; the oldest first.
    async fn jobs(&self, pipeline: &str, ended: u32) -> Result<Vec<JobRecord>, WarehouseError>;

    /// Keeps a replay as it is now.
    async fn set_job(&self, pipeline: &str, job: &JobRecord) -> Result<(), WarehouseError>;

    /// Of these markets those that are there, by id.
    async fn written_markets(&self, ids: &[String]) -> Result<HashMap<String, WrittenMarket>, WarehouseError>;

    /// What the markets that are there tell of tokens; nothing of those that none lists. Where two list a token, the one
    /// whose condition the token names tells, and among equals the one with the smaller id.
    async fn resolutions(&self, tokens: &[TokenId]) -> Result<HashMap<TokenId, Resolution>, WarehouseError>;

    /// The list of tokens whose rows may still be completed, those behind `after`: the entries of at most so many tokens.
    async fn unresolved_tokens(
        &self,
        after: Option<&UnresolvedPlace>,
        tokens: u32,
    ) -> Result<UnresolvedPage, WarehouseError>;

    /// The entries that were written within the last minute, of at most so many tokens, the newest first.
    async fn newest_unresolved(&self, tokens: u32) -> Result<Vec<UnresolvedEntry>, WarehouseError>;

    /// Completes the trades of tokens that know less than this of their token, in the days of these entries. Says how many
    /// there were.
    async fn resolve(
        &self,
        tokens: &[(TokenId, Resolution)],
        entries: &[UnresolvedEntry],
    ) -> Result<u64, WarehouseError>;

    /// The tokens of these entries that have incomplete rows in their days.
    async fn still_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<HashSet<TokenId>, WarehouseError>;

    /// Removes from the list these entries and no others. They must have been read before what was to be completed was read.
    async fn remove_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<(), WarehouseError>;

    /// Puts entries on the list.
    async fn list_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<(), WarehouseError>;

    /// Whether the list was filled, and what is due to be compared with it. A list that cannot differ from the rows needs
    /// neither.
    async fn list_state(&self) -> Result<ListState, WarehouseError> {
        Ok(ListState { is_filled: true, due: Vec::new() })
    }

    /// Compares a part of the trades with the list. A fill puts on it what is missing.
    async fn scan_list(&self, _: &ListScan) -> Result<Scanned, WarehouseError> {
        Ok(Scanned::Found { count: 0, entries: Vec::new() })
    }

    /// Notes that a partition was compared, and what was missing; without one that the list is filled.
    async fn note_scan(&self, _partition: Option<&str>, _found: u64) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// What the queries cost that are asked again and again; nothing where nobody counts.
    fn periodic_costs(&self) -> Vec<PeriodicCost> {
        Vec::new()
    }

    /// The trades of the newest blocks, the newest first.
    async fn newest_trades(&self, limit: u32) -> Result<Vec<TapeLine>, WarehouseError>;

    /// How many rows there are.
    async fn row_counts(&self) -> Result<RowCounts, WarehouseError>;

    /// How many parts the tables are made of; `None` where they are not made of parts.
    async fn parts(&self) -> Result<Option<PartCounts>, WarehouseError> {
        Ok(None)
    }
}

/// Why the warehouse did not do it, or does not know whether it did.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    /// The rows themselves are refused. One row is refused alone; of more, at least one is.
    #[error("refused by the warehouse: {0}")]
    Rows(String),
    /// They were too large for the warehouse, or for something in front of it. Half of them may pass; a row that is too large alone
    /// is refused for itself.
    #[error("too large for the warehouse: {0}")]
    Size(String),
    /// The list of unresolved tokens was refused. No row is at fault.
    #[error("the list of unresolved tokens was refused: {0}")]
    List(String),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// ClickHouse failed, or was not reached.
    #[error(transparent)]
    Clickhouse(#[from] ClickhouseError),
    /// It is away and was not asked: somebody else finds out whether it is back.
    #[error("{0}")]
    Away(String),
}

impl WarehouseError {
    /// Whether it may be otherwise with half of the rows: some were refused, or they were too many at once.
    pub fn asks_for_less(&self) -> bool {
        match self {
            Self::Rows(_) | Self::Size(_) => true,
            Self::List(_) | Self::Storage(_) | Self::Away(_) => false,
            Self::Clickhouse(error) => error.asks_for_less(),
        }
    }

    /// Why a row is refused, where it was alone and the refusal is its own.
    pub fn refuses_row(&self) -> Option<&str> {
        match self {
            Self::Rows(reason) | Self::Size(reason) => Some(reason),
            Self::List(_) | Self::Storage(_) | Self::Clickhouse(_) | Self::Away(_) => None,
        }
    }

    /// What to do about it.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Rows(_) => FailureClass::Deterministic,
            Self::Size(_) | Self::List(_) => FailureClass::Retry,
            Self::Storage(error) => error.class(),
            Self::Clickhouse(error) => error.class(),
            Self::Away(_) => FailureClass::Retry,
        }
    }
}
