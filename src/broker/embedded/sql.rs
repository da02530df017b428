//! The statements of the embedded broker.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::ledger::Ledger;
use crate::broker::operation::{Appended, CursorCommit, Layout};
use crate::broker::{entry::Size, error::BrokerError, error::Result, stream::Group, stream::Stream};

const CREATE_ENTRIES: &str = include_str!("../../../schema/embedded/queries/create_entries.sql");
const COUNT_EVENTS: &str = include_str!("../../../schema/embedded/queries/count_events.sql");

/// Fails unless `joined` is the session that is under way.
pub(super) fn check_generation(tx: &Transaction<'_>, joined: Option<&str>) -> Result<()> {
    let found = generation(tx)?;
    match joined {
        Some(joined) if found.as_deref() == Some(joined) => Ok(()),
        _ => Err(BrokerError::Lost("they are not what was joined".into())),
    }
}

fn generation(tx: &Transaction<'_>) -> Result<Option<String>> {
    Ok(tx.prepare_cached("SELECT generation FROM broker")?.query_row([], |row| row.get(0)).optional()?)
}

/// Begins a new session. What the streams still hold is given out again; by its identity that changes nothing.
pub(super) fn begin(
    tx: &Transaction<'_>,
    generation: &str,
    layout: &Layout,
    cursors: &[(String, String)],
) -> Result<()> {
    for table in ["broker", "cursors", "groups", "acknowledged_ahead"] {
        tx.execute(&format!("DELETE FROM {table}"), [])?;
    }
    tx.execute("INSERT INTO broker VALUES (?)", [generation])?;
    for group in &layout.groups {
        tx.execute("INSERT INTO streams (name) VALUES (?) ON CONFLICT DO NOTHING", [group.stream.as_str()])?;
        make_group(tx, group)?;
    }
    for (key, value) in cursors {
        tx.execute("INSERT INTO cursors VALUES (?, ?)", params![key, value])?;
    }
    Ok(())
}

/// A group at the start of its stream. Says which stream that is.
fn make_group(tx: &Transaction<'_>, group: &Group) -> rusqlite::Result<i64> {
    let name = group.stream.as_str();
    let stream: i64 = tx.query_row("SELECT stream FROM streams WHERE name = ?", [name], |row| row.get(0))?;
    tx.execute_batch(&CREATE_ENTRIES.replace("{stream}", &stream.to_string()))?;
    tx.execute("INSERT INTO groups (stream, name) VALUES (?, ?)", params![stream, group.name])?;
    Ok(stream)
}

/// Makes a stream with its group, if there never was one of that name. Says which stream that is.
pub(super) fn add_stream(tx: &Transaction<'_>, group: &Group) -> Result<Option<i64>> {
    let insert = "INSERT INTO streams (name) VALUES (?) ON CONFLICT DO NOTHING";
    match tx.execute(insert, [group.stream.as_str()])? {
        0 => Ok(None),
        _ => Ok(Some(make_group(tx, group)?)),
    }
}

/// The generation under way, if nothing of the layout is missing.
pub(super) fn check_layout(tx: &Transaction<'_>, layout: &Layout) -> Result<String> {
    let generation = generation(tx)?.ok_or_else(|| BrokerError::Lost("nothing is there".into()))?;
    for group in &layout.groups {
        let found = tx
            .prepare_cached(
                "SELECT 1 FROM groups JOIN streams USING (stream) WHERE groups.name = ? AND streams.name = ?",
            )?
            .exists(params![group.name, group.stream.as_str()])?;
        if !found {
            return Err(BrokerError::Lost(format!("{group} is gone")));
        }
    }
    for key in &layout.cursors {
        if cursor(tx, key)?.is_none() {
            return Err(BrokerError::Lost(format!("{key} is gone")));
        }
    }
    Ok(generation)
}

/// Lets the entries of an older file say how many events they hold.
pub(super) fn count_events(tx: &Transaction<'_>) -> Result<()> {
    let mut older = tx.prepare(
        "SELECT stream FROM streams
         WHERE NOT EXISTS (SELECT 1 FROM pragma_table_info('entries_' || stream) WHERE name = 'events')",
    )?;
    let older: Vec<i64> = older.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for stream in older {
        tx.execute_batch(&COUNT_EVENTS.replace("{stream}", &stream.to_string()))?;
    }
    Ok(())
}

/// The ledgers of all streams, with nothing given out.
pub(super) fn load_ledgers(tx: &Transaction<'_>) -> Result<HashMap<Stream, Ledger>> {
    let mut ledgers = HashMap::new();
    let mut streams = tx.prepare("SELECT stream, name, last_id FROM streams")?;
    let mut groups = tx.prepare("SELECT name, acknowledged, lost FROM groups WHERE stream = ?")?;
    let mut ahead =
        tx.prepare("SELECT id FROM acknowledged_ahead WHERE stream = ? AND name = ? AND id > ? ORDER BY id")?;
    let mut rows = streams.query([])?;
    while let Some(row) = rows.next()? {
        let (stream, name, last_id): (i64, String, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let mut ledger = Ledger::new(stream, last_id, size_behind(tx, stream, 0)?);
        let mut rows = groups.query([stream])?;
        while let Some(row) = rows.next()? {
            let (group, acknowledged, lost): (String, u64, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let skip: BTreeSet<u64> =
                ahead.query_map(params![stream, group, acknowledged], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let left = left(tx, stream, &group, acknowledged)?;
            ledger.load_group(group, acknowledged, skip, left, lost);
        }
        ledgers.insert(Stream::new(name), ledger);
    }
    Ok(ledgers)
}

/// Adds a group that has everything up to `after` behind it.
pub(super) fn open_group(tx: &Transaction<'_>, stream: i64, group: &str, after: u64) -> Result<()> {
    tx.prepare_cached("INSERT OR IGNORE INTO groups (stream, name, acknowledged) VALUES (?, ?, ?)")?
        .execute(params![stream, group, after])?;
    Ok(())
}

/// Notes what was trimmed before a group had acknowledged it.
pub(super) fn note_lost(tx: &Transaction<'_>, stream: i64, group: &str, events: u64) -> Result<()> {
    tx.prepare_cached("UPDATE groups SET lost = lost + ? WHERE stream = ? AND name = ?")?
        .execute(params![events, stream, group])?;
    Ok(())
}

/// Removes a group.
pub(super) fn close_group(tx: &Transaction<'_>, stream: i64, group: &str) -> Result<()> {
    for table in ["groups", "acknowledged_ahead"] {
        tx.execute(&format!("DELETE FROM {table} WHERE stream = ? AND name = ?"), params![stream, group])?;
    }
    Ok(())
}

/// The oldest entry behind an id.
pub(super) fn oldest(connection: &Connection, stream: i64, after: u64) -> Result<Option<u64>> {
    let sql = format!("SELECT id FROM entries_{stream} WHERE id > ? ORDER BY id LIMIT 1");
    Ok(connection.prepare_cached(&sql)?.query_row([after], |row| row.get(0)).optional()?)
}

/// How many events there are behind one id, up to another.
pub(super) fn count(connection: &Connection, stream: i64, (after, up_to): (u64, u64)) -> Result<u64> {
    let sql = format!("SELECT coalesce(sum(events), 0) FROM entries_{stream} WHERE id > ? AND id <= ?");
    Ok(connection.prepare_cached(&sql)?.query_row([after, up_to], |row| row.get(0))?)
}

/// How much there is behind an id.
pub(super) fn size_behind(tx: &Transaction<'_>, stream: i64, id: u64) -> Result<Size> {
    let sql = format!("{SIZE} FROM entries_{stream} WHERE id > ?");
    Ok(tx.prepare_cached(&sql)?.query_row([id], size)?)
}

/// What a group has not acknowledged of what is there.
pub(super) fn left(tx: &Transaction<'_>, stream: i64, group: &str, acknowledged: u64) -> Result<Size> {
    let sql = format!(
        "{SIZE} FROM entries_{stream}
         WHERE id IN (SELECT id FROM acknowledged_ahead WHERE stream = ? AND name = ? AND id > ?)"
    );
    let ahead = tx.prepare_cached(&sql)?.query_row(params![stream, group, acknowledged], size)?;
    Ok(size_behind(tx, stream, acknowledged)? - ahead)
}

/// How much entries are together.
const SIZE: &str = "SELECT coalesce(sum(events), 0), coalesce(sum(length(body)), 0)";

fn size(row: &Row<'_>) -> rusqlite::Result<Size> {
    Ok(Size { events: row.get(0)?, bytes: row.get(1)? })
}

/// Where a cursor stands.
pub(super) fn cursor(tx: &Transaction<'_>, key: &str) -> Result<Option<String>> {
    let mut select = tx.prepare_cached("SELECT value FROM cursors WHERE key = ?")?;
    Ok(select.query_row([key], |row| row.get(0)).optional()?)
}

/// Moves a cursor, if it stands where it is expected.
pub(super) fn advance(tx: &Transaction<'_>, advance: &CursorCommit) -> Result<Appended> {
    let found = cursor(tx, &advance.key)?;
    if found.as_ref() == Some(&advance.next) {
        return Ok(Appended::Before);
    }
    if found.as_ref() != Some(&advance.expected) {
        return Ok(Appended::Conflict(found));
    }
    tx.prepare_cached("UPDATE cursors SET value = ? WHERE key = ?")?.execute([&advance.next, &advance.key])?;
    Ok(Appended::Now)
}

/// Adds an entry.
pub(super) fn insert(tx: &Transaction<'_>, stream: i64, id: u64, body: &[u8]) -> Result<()> {
    let events = Size::of(body).events;
    tx.prepare_cached(&format!("INSERT INTO entries_{stream} VALUES (?, ?, ?)"))?.execute(params![id, body, events])?;
    Ok(())
}

/// Notes the newest id of a stream, which outlives the entries.
pub(super) fn set_last_id(tx: &Transaction<'_>, stream: i64, id: u64) -> Result<()> {
    tx.prepare_cached("UPDATE streams SET last_id = ? WHERE stream = ?")?.execute(params![id, stream])?;
    Ok(())
}

/// Notes up to where a group has acknowledged everything, and what it has beyond that.
pub(super) fn set_acknowledged<'a>(
    tx: &Transaction<'_>,
    stream: i64,
    group: &str,
    acknowledged: u64,
    ahead: impl Iterator<Item = &'a u64>,
) -> Result<()> {
    tx.prepare_cached("UPDATE groups SET acknowledged = ? WHERE stream = ? AND name = ?")?.execute(params![
        acknowledged,
        stream,
        group
    ])?;
    tx.prepare_cached("DELETE FROM acknowledged_ahead WHERE stream = ? AND name = ? AND id <= ?")?.execute(params![
        stream,
        group,
        acknowledged
    ])?;
    let mut insert = tx.prepare_cached("INSERT INTO acknowledged_ahead VALUES (?, ?, ?)")?;
    for id in ahead {
        insert.execute(params![stream, group, id])?;
    }
    Ok(())
}

/// Shows the entries behind one id, up to another, in order, until `take` says that it has enough.
pub(super) fn each_entry(
    connection: &Connection,
    stream: i64,
    (after, up_to): (u64, u64),
    mut take: impl FnMut(u64, &[u8]) -> bool,
) -> Result<()> {
    let sql = format!("SELECT id, body FROM entries_{stream} WHERE id > ? AND id <= ? ORDER BY id");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query([after, up_to])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        if !take(row.get(0)?, body) {
            break;
        }
    }
    Ok(())
}

/// Shows the sizes of the oldest entries up to an id, in order, until `take` says that it has enough.
pub(super) fn each_size(
    tx: &Transaction<'_>,
    stream: i64,
    up_to: u64,
    limit: usize,
    mut take: impl FnMut(u64, Size) -> bool,
) -> Result<()> {
    let sql = format!("SELECT events, length(body), id FROM entries_{stream} WHERE id <= ? ORDER BY id LIMIT ?");
    let mut select = tx.prepare_cached(&sql)?;
    let mut rows = select.query([up_to, limit as u64])?;
    while let Some(row) = rows.next()? {
        if !take(row.get(2)?, size(row)?) {
            break;
        }
    }
    Ok(())
}

/// Removes the oldest entries up to an id.
pub(super) fn delete_up_to(tx: &Transaction<'_>, stream: i64, id: u64) -> Result<()> {
    tx.prepare_cached(&format!("DELETE FROM entries_{stream} WHERE id <= ?"))?.execute([id])?;
    Ok(())
}
