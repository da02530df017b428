//! A look at a store from outside, whoever runs it.

use std::path::Path;

use rusqlite::OptionalExtension;

use super::row_counts;
use crate::embedded::{SCHEMA, open_reader};
use crate::warehouse::{RowCounts, WarehouseError};

/// What a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSummary {
    /// How many rows.
    pub rows: RowCounts,
    /// Of which world: `chain:137`; `None` where nothing has been read yet.
    pub world: Option<String>,
    /// Whether an older polytape made it, so that the next run brings it up to date. Then nothing else is known of it.
    pub is_older: bool,
}

/// Looks into the store that is the file `path`. Changes nothing in it.
pub fn inspect(path: &Path) -> Result<StoreSummary, WarehouseError> {
    let connection = open_reader(path)?;
    let schema: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if schema < SCHEMA {
        return Ok(StoreSummary { rows: RowCounts::default(), world: None, is_older: true });
    }
    let world = connection.query_row("SELECT world FROM checkpoints LIMIT 1", [], |row| row.get(0)).optional()?;
    Ok(StoreSummary { rows: row_counts(&connection)?, world, is_older: false })
}
