//! What is to be seen of the tables: how much is there, the newest of it, what looking costs.

use std::ops::AddAssign;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{error::Result, unresolved::PeriodicCost};
use crate::breaker::Breaker;
use crate::flow::{PerTable, TableId};

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
pub type RowCounts = PerTable<RowCount>;

/// The tables to tell of where the rows are counted: all but that of a source of which nothing ever came.
pub fn counted_tables(rows: &RowCounts) -> impl Iterator<Item = TableId> {
    TableId::ALL.into_iter().filter(|table| table.only_of().is_none() || rows[*table].rows > 0)
}

/// How many parts the tables are made of, each in that of its partitions that has most: what ClickHouse has still to merge.
pub type PartCounts = PerTable<u64>;

/// A row of `trades`, as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    #[serde(rename = "side")]
    pub maker_direction: String,
    /// Shares, exact.
    #[serde(rename = "shares")]
    pub token_amount: String,
    /// Dollars, exact.
    #[serde(rename = "usd")]
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

/// What can be looked at.
#[async_trait]
pub trait Inspection: Send + Sync {
    /// What keeps it from being asked by everybody while it is away; `None` where it is in this process.
    fn breaker(&self) -> Option<Breaker> {
        None
    }

    /// What the queries cost that are asked again and again; nothing where nobody counts.
    fn periodic_costs(&self) -> Vec<PeriodicCost> {
        Vec::new()
    }

    /// The trades of the newest blocks, the newest first.
    async fn newest_trades(&self, limit: u32) -> Result<Vec<TapeLine>>;

    /// How many rows there are.
    async fn row_counts(&self) -> Result<RowCounts>;

    /// How many parts the tables are made of; `None` where they are not made of parts.
    async fn parts(&self) -> Result<Option<PartCounts>> {
        Ok(None)
    }
}
