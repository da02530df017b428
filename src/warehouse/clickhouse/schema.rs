//! The numbered files of `schema/clickhouse`, applied in order, once each. Never edited: a change is a new file.
//!
//! ClickHouse has no transactions over statements, so every statement can be repeated, and a file counts as applied only when
//! all of its statements were.

use super::ClickhouseError;
use super::answer::Written;
use super::check::check;
use super::connection::Connection;
use super::read_back::check_kept;
use crate::planted::{Bug, planted};
use crate::warehouse::WarehouseError;

const DATABASE: &str = include_str!("../../../schema/clickhouse/queries/create_database.sql");
const SCHEMA_FILES: &str = include_str!("../../../schema/clickhouse/queries/create_schema_files.sql");
const APPLIED: &str = "SELECT max(number) AS number FROM schema_files";
const FILES: [&str; 4] = [
    include_str!("../../../schema/clickhouse/0001_tables.sql"),
    include_str!("../../../schema/clickhouse/0002_control.sql"),
    include_str!("../../../schema/clickhouse/0003_views.sql"),
    include_str!("../../../schema/clickhouse/0004_unresolved.sql"),
];

/// Makes the database and what of its tables and views is missing. Refuses, before it changes anything, tables that are not
/// polytape's or not as it needs them.
pub(super) async fn apply(connection: &Connection) -> Result<(), WarehouseError> {
    let (missing, wrong): (Vec<_>, Vec<_>) = check(connection).await?.into_iter().partition(|fault| fault.is_missing);
    if !wrong.is_empty() {
        let (at, database) = (connection.address(), connection.config().database.clone());
        let faults = wrong.into_iter().map(|fault| fault.text).collect();
        return Err(ClickhouseError::Tables { at, database, faults }.into());
    }
    let create = database(&connection.config().database);
    let mut done = connection.execute_outside(connection.query(&create)).await?;
    done = done.and(connection.execute(connection.query(SCHEMA_FILES)).await?);
    let applied: Vec<u32> = connection.rows(connection.query(APPLIED)).await?;
    let applied = applied.first().copied().unwrap_or_default();
    let known = FILES.len() as u32;
    if applied > known {
        return Err(ClickhouseError::NewerSchema { found: applied, known }.into());
    }
    // What somebody dropped is made again: then all files are gone through, which changes nothing of what is there.
    let applied = if missing.is_empty() { applied } else { 0 };
    for (file, number) in FILES.iter().zip(1..).skip(applied as usize) {
        for statement in statements(file) {
            done = done.and(connection.execute(connection.query(&with_planted_bugs(statement))).await?);
        }
        let applied = connection.query("INSERT INTO schema_files (number) SELECT ?").bind(number);
        done = done.and(connection.move_rows(applied).await?);
    }
    match done {
        Written::Confirmed(_) => Ok(()),
        Written::Unproved => look_at(connection, known).await,
    }
}

/// Whether all is there that was made, where nothing else proves it.
async fn look_at(connection: &Connection, known: u32) -> Result<(), WarehouseError> {
    let missing: Vec<String> = check(connection).await?.into_iter().map(|fault| fault.table).collect();
    let applied: Vec<u32> = connection.rows(connection.query(APPLIED)).await?;
    let is_there = missing.is_empty() && applied.first() == Some(&known);
    Ok(check_kept("schema", is_there, connection)?)
}

/// All that [`apply`] would execute in an empty ClickHouse, to be read or given to `clickhouse-client`.
pub(super) fn print(name: &str) -> String {
    let mut text = format!("{};\n\nUSE {};\n\n{};\n", database(name), quoted(name), SCHEMA_FILES.trim_end());
    for (file, number) in FILES.iter().zip(1..) {
        text += &format!("\n{}\n\nINSERT INTO schema_files (number) VALUES ({number});\n", file.trim_end());
    }
    text
}

fn database(name: &str) -> String {
    DATABASE.trim_end().replace("{database}", &quoted(name))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// The statements of a file: each ends with a semicolon at the end of a line.
fn statements(file: &str) -> impl Iterator<Item = &str> {
    let has_words = |statement: &&str| statement.lines().any(|line| !line.is_empty() && !line.starts_with("--"));
    file.split(";\n").map(str::trim).filter(has_words)
}

fn with_planted_bugs(statement: &str) -> String {
    let mut statement = statement.to_owned();
    if planted(Bug::KeyWithoutLogIndex) {
        statement = statement.replace("transaction_hash, log_index, source_id)", "transaction_hash, source_id)");
    }
    if planted(Bug::VersionByClock) {
        statement = statement.replace("ReplacingMergeTree(version)", "ReplacingMergeTree");
    }
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_can_be_repeated_and_binds_nothing() {
        let all: Vec<&str> = FILES.iter().flat_map(|file| statements(file)).collect();
        assert!(all.len() > 10, "{}", all.len());
        for statement in all {
            let code = statement.lines().find(|line| !line.is_empty() && !line.starts_with("--")).unwrap();
            assert!(code.starts_with("CREATE ") && code.contains(" IF NOT EXISTS "), "{statement}");
            assert!(!statement.contains('?'), "{statement}");
        }
    }

    #[test]
    fn a_database_may_have_any_name() {
        assert!(print("a`b").starts_with("CREATE DATABASE IF NOT EXISTS `a\\`b`;\n\nUSE `a\\`b`;\n"));
    }
}
