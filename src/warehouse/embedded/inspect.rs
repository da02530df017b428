//! A look at a store from outside, whoever runs it.

use std::path::Path;

use rusqlite::OptionalExtension;

use super::row_counts;
use crate::embedded::open_reader;
use crate::warehouse::{RowCounts, WarehouseError};

/// What a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSummary {
    /// How many rows.
    pub rows: RowCounts,
    /// Of which world: `chain:137`; `None` where nothing has been read yet.
    pub world: Option<String>,
}

/// Looks into the store that is the file `path`. Changes nothing in it.
pub fn inspect(path: &Path) -> Result<StoreSummary, WarehouseError> {
    let connection = open_reader(path)?;
    let world = connection.query_row("SELECT world FROM checkpoints LIMIT 1", [], |row| row.get(0)).optional()?;
    Ok(StoreSummary { rows: row_counts(&connection)?, world })
}
