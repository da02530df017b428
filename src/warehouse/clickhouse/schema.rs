//! The numbered files of `schema/clickhouse`, applied in order, once each. Never edited: a change is a new file.
//!
//! `trades` has a file of its own that comes first where there is none: it is made in the layout of today, and the numbered files
//! find it there. One that is there keeps its layout, and gets the columns that were added since.
//!
//! ClickHouse has no transactions over statements, so every statement can be repeated, and files count as applied only when
//! all of their statements were.

use super::check::{TableFault, check};
use super::{
    answer::Written, connection::Connection, error::ClickhouseError, error::Result, name::quoted,
    read_back::check_kept, rights, summary::QueryCost,
};
use crate::warehouse::error::WarehouseError;

/// What makes the tables and views.
pub(super) const FILES: &[&str] = &[
    include_str!("../../../schema/clickhouse/0001_tables.sql"),
    include_str!("../../../schema/clickhouse/0002_control.sql"),
    include_str!("../../../schema/clickhouse/0003_views.sql"),
    include_str!("../../../schema/clickhouse/0004_unresolved.sql"),
    include_str!("../../../schema/clickhouse/0005_trades_columns.sql"),
    include_str!("../../../schema/clickhouse/0006_trades_goldsky.sql"),
    include_str!("../../../schema/clickhouse/0007_commands.sql"),
];
/// What comes before them where it is missing.
pub(super) const FIRST: &str = include_str!("../../../schema/clickhouse/0000_trades.sql");
const DATABASE: &str = include_str!("../../../schema/clickhouse/queries/create_database.sql");
const SCHEMA_FILES: &str = include_str!("../../../schema/clickhouse/queries/create_schema_files.sql");
const APPLIED: &str = "SELECT max(number) AS number FROM schema_files";
const NOW_APPLIED: &str = "INSERT INTO schema_files (number) SELECT arrayJoin(range(toUInt32(?), toUInt32(?)))";
const DATABASE_THERE: &str = "SELECT count() FROM system.databases WHERE name = ?";
const TABLE_THERE: &str = "SELECT count() FROM system.tables WHERE name = ? AND database = ?";
const KNOWN: u32 = FILES.len() as u32;

/// Makes the database and what of its tables and views is missing. Refuses, before it changes anything, tables that are not
/// polytape's or not as it needs them, and a user who may not make them all.
pub(super) async fn apply(connection: &Connection) -> Result<(), WarehouseError> {
    let (missing, is_older) = (missing(connection).await?, is_older(connection).await?);
    if missing.is_empty() && !is_older {
        return Ok(());
    }
    let is_database_there = has_database(connection).await?;
    rights::to_make(connection, is_database_there, adds_columns(&missing)).await?;
    make(connection, &missing, is_database_there).await
}

/// Makes what is missing, as it was just found to be; whether the database is there was, too.
pub(super) async fn make(
    connection: &Connection,
    missing: &[TableFault],
    is_database_there: bool,
) -> Result<(), WarehouseError> {
    let mut done = Written::Confirmed(QueryCost::ZERO);
    if !is_database_there {
        let create = database(&connection.config().database);
        done = done.and(connection.execute_outside(connection.query(&create)).await?);
    }
    done = done.and(connection.execute(connection.query(SCHEMA_FILES)).await?);
    // What somebody dropped is made again: then all files are gone through, which changes nothing of what is there.
    let applied = if missing.is_empty() { applied(connection).await? } else { 0 };
    let is_due = |statement: &&str| adds_columns(missing) || !adds_columns_to(statement);
    let files = FILES.iter().skip(applied as usize).flat_map(|file| statements(file));
    for statement in statements(FIRST).chain(files.filter(is_due)) {
        done = done.and(connection.execute(connection.query(statement)).await?);
    }
    // All at once behind all of them: what was cut off is gone through again, which changes nothing of what is there.
    let numbers = connection.query(NOW_APPLIED).bind(applied + 1).bind(KNOWN + 1);
    done = done.and(connection.move_rows(numbers).await?);
    match done {
        Written::Confirmed(_) => Ok(()),
        Written::Unproved => look_at(connection, KNOWN).await,
    }
}

/// Whether columns of a table are missing.
pub(super) fn adds_columns(missing: &[TableFault]) -> bool {
    missing.iter().any(|fault| fault.lacks_columns)
}

/// What is not there of the tables and views. An error where something is not as it must be.
pub(super) async fn missing(connection: &Connection) -> Result<Vec<TableFault>> {
    let (missing, wrong): (Vec<_>, Vec<_>) = check(connection).await?.into_iter().partition(|fault| fault.is_missing);
    if !wrong.is_empty() {
        let (at, database) = (connection.address(), connection.config().database.clone());
        let faults = wrong.into_iter().map(|fault| fault.text).collect();
        return Err(ClickhouseError::Tables { at, database, faults });
    }
    Ok(missing)
}

/// Whether files of the schema are still to be applied. An error where there are more of them than are known here.
pub(super) async fn is_older(connection: &Connection) -> Result<bool> {
    let found = match has(connection, TABLE_THERE, "schema_files").await? {
        true => applied(connection).await?,
        false => 0,
    };
    if found > KNOWN { Err(ClickhouseError::NewerSchema { found, known: KNOWN }) } else { Ok(found < KNOWN) }
}

/// Whether the database is there, and the user may see it.
pub(super) async fn has_database(connection: &Connection) -> Result<bool> {
    has(connection, DATABASE_THERE, &connection.config().database).await
}

async fn has(connection: &Connection, sql: &str, name: &str) -> Result<bool> {
    let query = connection.query_outside(sql).bind(name);
    let query = if sql == TABLE_THERE { query.bind(&connection.config().database) } else { query };
    let found: Vec<u64> = connection.rows(query).await?;
    Ok(found.first().is_some_and(|count| *count > 0))
}

/// The last file that was applied.
async fn applied(connection: &Connection) -> Result<u32> {
    let applied: Vec<u32> = connection.rows(connection.query(APPLIED)).await?;
    Ok(applied.first().copied().unwrap_or_default())
}

/// Whether all is there that was made, where nothing else proves it.
async fn look_at(connection: &Connection, known: u32) -> Result<(), WarehouseError> {
    let missing: Vec<String> = check(connection).await?.into_iter().map(|fault| fault.table).collect();
    let is_there = missing.is_empty() && applied(connection).await? == known;
    Ok(check_kept("schema", is_there, connection)?)
}

/// All that [`apply`] would execute in an empty ClickHouse, to be read or given to `clickhouse-client`.
pub(super) fn print(name: &str) -> String {
    let (database, name) = (database(name), quoted(name));
    let mut text = format!("{database};\n\nUSE {name};\n\n{};\n\n{}\n", SCHEMA_FILES.trim_end(), FIRST.trim_end());
    for (file, number) in FILES.iter().zip(1..) {
        text += &format!("\n{}\n\nINSERT INTO schema_files (number) VALUES ({number});\n", file.trim_end());
    }
    text
}

fn database(name: &str) -> String {
    DATABASE.trim_end().replace("{database}", &quoted(name))
}

/// The statement that makes a table of another name in the layout of `trades`.
pub(super) fn trades_as(name: &str) -> String {
    let statement = statements(FIRST).next().unwrap_or_default();
    statement.replace("IF NOT EXISTS trades (", &format!("IF NOT EXISTS {name} ("))
}

/// Whether a statement adds columns, which is done only where they are missing.
fn adds_columns_to(statement: &str) -> bool {
    first_line(statement).starts_with("ALTER TABLE ")
}

/// The first line of a statement that is no comment.
fn first_line(statement: &str) -> &str {
    statement.lines().find(|line| !line.is_empty() && !line.starts_with("--")).unwrap_or_default()
}

/// The statements of a file: each ends with a semicolon at the end of a line.
fn statements(file: &str) -> impl Iterator<Item = &str> {
    let has_words = |statement: &&str| statement.lines().any(|line| !line.is_empty() && !line.starts_with("--"));
    file.split(";\n").map(str::trim).filter(has_words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_can_be_repeated_and_binds_nothing() {
        let all: Vec<&str> = [FIRST].iter().chain(FILES).flat_map(|file| statements(file)).collect();
        assert!(all.len() > 10, "{}", all.len());
        for statement in all {
            if adds_columns_to(statement) {
                let mut added = statement.lines().filter(|line| line.starts_with("    "));
                assert!(added.all(|line| line.starts_with("    ADD COLUMN IF NOT EXISTS ")), "{statement}");
            } else {
                let code = first_line(statement);
                assert!(code.starts_with("CREATE ") && code.contains(" IF NOT EXISTS "), "{statement}");
            }
            assert!(!statement.contains('?'), "{statement}");
        }
    }

    #[test]
    fn a_database_may_have_any_name() {
        assert!(print("a`b").starts_with("CREATE DATABASE IF NOT EXISTS `a\\`b`;\n\nUSE `a\\`b`;\n"));
    }
}
