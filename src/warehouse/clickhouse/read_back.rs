//! Whether rows are there: asked where something between takes out of the answers what proves an insert.
//!
//! What is found counts as ClickHouse's word for it: rows that are not found are written again, which changes nothing of those that
//! are there. The price is one read by key for each batch.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ClickhouseError;
use super::connection::Connection;
use super::markets;
use crate::model::{DeadLetter, Market, Trade};

const TRADES: &str = include_str!("../../../schema/clickhouse/queries/trades_there.sql");
const DEAD_LETTERS: &str = include_str!("../../../schema/clickhouse/queries/dead_letters_there.sql");

/// Identities that one query asks about.
const AT_ONCE: usize = 2_000;

/// Whether trades are there, each at least as complete as here.
pub(super) async fn trades(connection: &Connection, rows: &[Trade]) -> Result<(), ClickhouseError> {
    let mut versions: HashMap<_, u8> = HashMap::with_capacity(rows.len());
    for Trade { fill, resolution } in rows {
        let key = (fill.token_id, fill.timestamp, fill.transaction_hash, fill.log_index, &fill.source_id);
        let version = versions.entry(key).or_default();
        *version = resolution.version().max(*version);
    }
    let mut by_version: BTreeMap<u8, Vec<_>> = BTreeMap::new();
    for ((token, timestamp, hash, log_index, source), version) in versions {
        let item = (token.to_string(), timestamp, format!("{hash:#x}"), log_index, source);
        by_version.entry(version).or_default().push(item);
    }
    for (version, items) in by_version {
        let query = |items: &[_]| connection.query(TRADES).bind(items).bind(version);
        check(
            "trades",
            items.len(),
            connection.count_in_parts("trades: read back", &items, AT_ONCE, query).await?,
            connection,
        )?;
    }
    Ok(())
}

/// Whether it can be asked at all, of a trade that nobody has.
pub(super) async fn try_out(connection: &Connection) -> Result<(), ClickhouseError> {
    let nobody = [("0", 0_u64, "", 0_u32, "")];
    connection.rows::<u64>(connection.query(TRADES).bind(&nobody[..]).bind(0_u8)).await.map(|_| ())
}

/// Whether markets are there, each at least as new as here.
pub(super) async fn markets(connection: &Connection, rows: &[Market]) -> Result<(), ClickhouseError> {
    let mut versions: BTreeMap<&str, u64> = BTreeMap::new();
    for market in rows {
        let version = versions.entry(&market.id).or_default();
        *version = market.version.max(*version);
    }
    let ids: Vec<String> = versions.keys().map(|&id| id.to_owned()).collect();
    let written = markets::written(connection, &ids).await?;
    let is_there = |(id, version): &(&&str, &u64)| written.get(**id).is_some_and(|there| there.version >= **version);
    check("markets", versions.len(), versions.iter().filter(is_there).count() as u64, connection)
}

/// Whether dead letters are there.
pub(super) async fn dead_letters(connection: &Connection, rows: &[DeadLetter]) -> Result<(), ClickhouseError> {
    let items: BTreeSet<_> = rows.iter().map(|letter| (&letter.source, &letter.position, &letter.stage)).collect();
    let items: Vec<_> = items.into_iter().collect();
    let query = |items: &[_]| connection.query(DEAD_LETTERS).bind(items);
    check(
        "dead letters",
        items.len(),
        connection.count_in_parts("dead letters: read back", &items, AT_ONCE, query).await?,
        connection,
    )
}

/// Whether what was kept is what is there: of checkpoints and the like.
pub(super) fn check_kept(what: &str, is_there: bool, connection: &Connection) -> Result<(), ClickhouseError> {
    check(what, 1, u64::from(is_there), connection)
}

fn check(what: &str, expected: usize, found: u64, connection: &Connection) -> Result<(), ClickhouseError> {
    if found >= expected as u64 {
        return Ok(());
    }
    let text = format!("of {expected} {what} that were sent {found} are there");
    Err(ClickhouseError::Unconfirmed { at: connection.address(), text })
}
