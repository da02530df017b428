//! The numbered files of `schema/embedded`, applied in order, once each. Never edited: a change is a new file.

use rusqlite::{Connection, TransactionBehavior};

use super::StorageError;

/// What makes the tables of broker and warehouse.
pub(crate) const FILES: &[&str] = &[
    include_str!("../../schema/embedded/0001_broker.sql"),
    include_str!("../../schema/embedded/0002_warehouse.sql"),
    include_str!("../../schema/embedded/0003_markets.sql"),
    include_str!("../../schema/embedded/0004_control.sql"),
    include_str!("../../schema/embedded/0005_lost.sql"),
    include_str!("../../schema/embedded/0006_unresolved.sql"),
    include_str!("../../schema/embedded/0007_trades_goldsky.sql"),
    include_str!("../../schema/embedded/0008_trades_columns.sql"),
    include_str!("../../schema/embedded/0009_batches.sql"),
    include_str!("../../schema/embedded/0010_commands.sql"),
];

/// Applies what the file does not have yet. `user_version` counts what it has.
pub(super) fn apply(connection: &mut Connection) -> Result<(), StorageError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let missing = FILES.get(found..).ok_or(StorageError::NewerSchema { found, known: FILES.len() })?;
    for sql in missing {
        transaction.execute_batch(sql)?;
    }
    transaction.pragma_update(None, "user_version", FILES.len())?;
    Ok(transaction.commit()?)
}
