//! The commands that were given.

use rusqlite::{Connection, Row, Transaction, params};

use crate::clock::unix_ms;
use crate::warehouse::control::{COMMANDS_KEPT, CommandRecord};

const NEWEST: &str = include_str!("../../../schema/embedded/queries/commands.sql");
const ADD: &str = include_str!("../../../schema/embedded/queries/add_command.sql");
const FORGET: &str = "DELETE FROM commands WHERE at < ?";

pub(super) fn newest(connection: &Connection, pipeline: &str, most: u32) -> rusqlite::Result<Vec<CommandRecord>> {
    connection.prepare_cached(NEWEST)?.query_map(params![pipeline, most], command)?.collect()
}

fn command(row: &Row<'_>) -> rusqlite::Result<CommandRecord> {
    Ok(CommandRecord {
        at: row.get("at")?,
        id: row.get("id")?,
        user: row.get("user")?,
        tty: row.get("tty")?,
        pid: row.get("pid")?,
        command: row.get("command")?,
        outcome: row.get("outcome")?,
        said: row.get("said")?,
    })
}

pub(super) fn add(tx: &Transaction<'_>, pipeline: &str, commands: &[CommandRecord]) -> rusqlite::Result<()> {
    let mut add = tx.prepare_cached(ADD)?;
    for CommandRecord { at, id, user, tty, pid, command, outcome, said } in commands {
        add.execute(params![pipeline, at, id, user, tty, pid, command, outcome, said])?;
    }
    let kept = i64::try_from(COMMANDS_KEPT.as_millis()).unwrap_or(i64::MAX);
    tx.prepare_cached(FORGET)?.execute([unix_ms().saturating_sub(kept)])?;
    Ok(())
}
