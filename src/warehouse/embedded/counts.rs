//! How many rows the tables hold: counted as they come, so that nobody has to count a table.

use rusqlite::{Connection, Transaction, params};

use crate::flow::TableId;
use crate::warehouse::{error::Result, inspection::RowCounts};

/// What is counted so far.
pub(super) fn row_counts(connection: &Connection) -> rusqlite::Result<RowCounts> {
    let mut counts = RowCounts::default();
    for table in TableId::ALL {
        let sql = "SELECT rows FROM row_counts WHERE name = ?";
        counts[table] = connection.query_row(sql, [table.as_str()], |row| row.get::<_, u64>(0))?.into();
    }
    Ok(counts)
}

/// Counts new rows.
pub(super) fn count(tx: &Transaction<'_>, table: TableId, new: usize) -> Result<()> {
    tx.prepare_cached("UPDATE row_counts SET rows = rows + ? WHERE name = ?")?
        .execute(params![new as u64, table.as_str()])?;
    Ok(())
}
