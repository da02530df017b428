//! What the user may do, asked before it is done: what a run needs, what making the tables needs, what taking a probe away needs.
//!
//! `CHECK GRANT` says it. A server that does not know that is asked to do the same with no rows. What is missing is told as the
//! statement that gives it.

use super::{connection::Connection, error::ClickhouseError, error::Result, name::identifier};
use crate::flow::TableId;

/// What the rights are for, as it is said.
const TO_RUN: &str = "that a run needs";
const TO_MAKE: &str = "to make the tables (or have somebody else execute what polytape schema print shows)";
const TO_REMOVE: &str = "to remove what check --flow writes";

/// What a run reads and writes beside the tables. It makes nothing, and nothing in it mutates.
const RUN: [(&str, &str); 9] = [
    (BOTH, "unresolved_tokens"),
    (BOTH, "unresolved_scans"),
    (BOTH, "checkpoints"),
    (BOTH, "desired_states"),
    (BOTH, "jobs"),
    (BOTH, "commands"),
    ("SELECT", "market_tokens"),
    // Who may not read it does not see whether it is there.
    ("SELECT", "market_tokens_of_markets"),
    ("SELECT", "schema_files"),
];
const BOTH: &str = "SELECT, INSERT";
const REMOVE: &str = "ALTER DELETE";
const PROBED: [&str; 2] = [TableId::Trades.as_str(), "checkpoints"];

/// When so many tables are missing, one right on the database is said instead.
const MANY: usize = 3;

/// The exceptions of a server that does not know a statement, a table or a database, and of a user who lacks a right.
const SYNTAX_ERROR: u32 = 62;
const NOT_THERE: [u32; 2] = [60, 81];
const ACCESS_DENIED: u32 = 497;

/// A right that is asked about.
struct Right<'a> {
    privileges: &'a str,
    /// What it is on, as it is written in a statement.
    on: String,
}

impl Right<'_> {
    fn grant(&self, user: &str) -> String {
        format!("GRANT {} ON {} TO {}", self.privileges, self.on, identifier(user))
    }
}

/// Whether the user may do what a run does.
pub(super) async fn to_run(connection: &Connection) -> Result<()> {
    let all = Right { privileges: BOTH, on: on(connection, "*") };
    let parts = Right { privileges: "SELECT", on: "system.parts".into() };
    let mut missing = Vec::new();
    if !may(connection, &all).await? {
        for (privileges, table) in TableId::ALL.map(|table| (BOTH, table.as_str())).into_iter().chain(RUN) {
            let right = Right { privileges, on: on(connection, table) };
            if !may(connection, &right).await? {
                missing.push(right);
            }
        }
    }
    if missing.len() > MANY {
        missing = vec![all];
    }
    if !may(connection, &parts).await? {
        missing.push(parts);
    }
    lacking(connection, TO_RUN, &missing)
}

/// Whether the user may make what is missing. What a server without `CHECK GRANT` refuses it says itself, before anything is made.
pub(super) async fn to_make(connection: &Connection, is_database_there: bool, adds_columns: bool) -> Result<()> {
    // A setting that forbids it takes the rights away, too.
    connection.may_define().await?;
    let privileges = match is_database_there {
        true => "CREATE TABLE, CREATE VIEW, SELECT, INSERT",
        false => "CREATE DATABASE, CREATE TABLE, CREATE VIEW, SELECT, INSERT",
    };
    let more = if adds_columns { ", ALTER ADD COLUMN" } else { "" };
    let right = Right { privileges: &format!("{privileges}{more}"), on: on(connection, "*") };
    match is_granted(connection, &right).await? {
        Some(false) => lacking(connection, TO_MAKE, &[right]),
        Some(true) | None => Ok(()),
    }
}

/// Whether the user may take a probe away; `None` where only trying can show it.
pub(super) async fn to_remove_probe(connection: &Connection) -> Result<Option<()>> {
    let mut missing = Vec::new();
    for table in PROBED {
        let right = Right { privileges: REMOVE, on: on(connection, table) };
        match is_granted(connection, &right).await? {
            Some(true) => {}
            Some(false) => missing.push(right),
            None => return Ok(None),
        }
    }
    lacking(connection, TO_REMOVE, &missing).map(Some)
}

fn lacking(connection: &Connection, purpose: &'static str, missing: &[Right<'_>]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let user = connection.config().user.clone();
    let grants = missing.iter().map(|right| right.grant(&user)).collect();
    Err(ClickhouseError::Rights { at: connection.address(), user, purpose, grants })
}

/// Whether a right is there, by asking or else by trying.
async fn may(connection: &Connection, right: &Right<'_>) -> Result<bool> {
    match is_granted(connection, right).await? {
        Some(is_granted) => Ok(is_granted),
        None if right.on.ends_with('*') => Ok(false),
        None => try_out(connection, right).await,
    }
}

/// What the server says of a right; `None` where it does not know the question.
async fn is_granted(connection: &Connection, right: &Right<'_>) -> Result<Option<bool>> {
    match connection.word(&format!("CHECK GRANT {} ON {}", right.privileges, right.on)).await {
        Ok(word) => Ok(Some(word == "1")),
        Err(error) if error.code() == Some(SYNTAX_ERROR) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads no rows, and writes them.
async fn try_out(connection: &Connection, right: &Right<'_>) -> Result<bool> {
    let on = &right.on;
    let mut tried = connection.word(&format!("SELECT * FROM {on} LIMIT 0")).await;
    if tried.is_ok() && right.privileges == BOTH {
        tried = connection.word(&format!("INSERT INTO {on} SELECT * FROM {on} LIMIT 0")).await;
    }
    match tried {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some(ACCESS_DENIED) => Ok(false),
        // Whether it may be made is another question.
        Err(error) if error.code().is_some_and(|code| NOT_THERE.contains(&code)) => Ok(true),
        Err(error) => Err(error),
    }
}

/// A table of the database, or `*`, as it is written in a statement.
fn on(connection: &Connection, table: &str) -> String {
    format!("{}.{table}", identifier(&connection.config().database))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_can_be_executed_as_it_is_told() {
        let right = Right { privileges: BOTH, on: "polymarket.trades".into() };
        assert_eq!(right.grant("tape"), "GRANT SELECT, INSERT ON polymarket.trades TO tape");
        assert_eq!(right.grant("the tape"), "GRANT SELECT, INSERT ON polymarket.trades TO `the tape`");
    }
}
