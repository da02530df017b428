//! A look at a store from outside, whoever runs it.

use std::path::Path;

use rusqlite::OptionalExtension;

use super::counts::row_counts;
use crate::flow::TableId;
use crate::sqlite::{DEMO, FILES, open_reader};
use crate::warehouse::{error::Result, inspection::RowCounts};

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
pub fn inspect(path: &Path) -> Result<StoreSummary> {
    let connection = open_reader(path)?;
    let schema: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if schema < FILES.len() {
        return Ok(StoreSummary { rows: RowCounts::default(), world: None, is_older: true });
    }
    let world = connection.query_row("SELECT world FROM checkpoints LIMIT 1", [], |row| row.get(0)).optional()?;
    Ok(StoreSummary { rows: row_counts(&connection)?, world, is_older: false })
}

/// Where a store comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreOrigin {
    /// Whether `--demo` made it.
    pub is_demo: bool,
    /// The worlds of its rows, by its checkpoints.
    pub worlds: Vec<String>,
    /// Whether it has rows.
    pub has_rows: bool,
}

/// Asks the store that is the file `path` where it comes from, whatever polytape made it. Changes nothing in it.
pub fn origin(path: &Path) -> Result<StoreOrigin> {
    let connection = open_reader(path)?;
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let has_table = |name: &str| connection.table_exists(None, name);
    let worlds = match has_table("checkpoints")? {
        true => connection
            .prepare("SELECT DISTINCT world FROM checkpoints ORDER BY world")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?,
        false => Vec::new(),
    };
    let mut has_rows = false;
    for table in TableId::ALL.map(TableId::as_str) {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {table})");
        has_rows |= has_table(table)? && connection.query_row(&sql, [], |row| row.get::<_, bool>(0))?;
    }
    Ok(StoreOrigin { is_demo: id == DEMO, worlds, has_rows })
}
