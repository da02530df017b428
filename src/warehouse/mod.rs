//! Where rows land.
//!
//! A row's identity comes from its source, so writing a batch twice changes nothing, and after an answer that did not
//! arrive the batch is simply written again. A row is replaced only by one that is at least as complete.

mod batch;
mod clickhouse;
mod control;
#[cfg(feature = "planted-bugs")]
mod defective;
mod embedded;
mod error;
mod guarded;
mod inspection;
mod row;
mod table;
mod tables;
mod token_index;
mod unresolved;
mod whole;

pub use self::batch::{AnyBatch, Batch};
pub use self::clickhouse::{
    ClickhouseConfig, ClickhouseError, ClickhouseServer, ClickhouseWarehouse, Confirmation, Looked, Migration,
    OLDEST_CLICKHOUSE, QueryCost, TableFault, TradeTimes,
};
pub use self::control::{COMMANDS_KEPT, Checkpoint, CommandRecord, Control, JobRecord, JobState};
#[cfg(feature = "planted-bugs")]
pub use self::defective::{Defective, Retract};
pub use self::embedded::{EmbeddedWarehouse, StoreOrigin, StoreSummary, inspect, origin};
pub use self::inspection::{Inspection, PartCounts, RowCount, RowCounts, TapeLine, counted_tables};
pub(crate) use self::row::with_rows;
pub use self::tables::{Tables, WriteRows, WrittenMarket};
pub use self::unresolved::{
    ListScan, ListState, MOST_READ_ROWS, PeriodicCost, SCAN_EVERY, Scanned, UnresolvedEntry, UnresolvedPage,
    UnresolvedPlace,
};
pub use self::{
    error::WarehouseError, guarded::Guarded, table::row::TableRow, token_index::TokenIndex, whole::Warehouse,
};
