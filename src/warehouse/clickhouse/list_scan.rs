//! The list of unresolved tokens is compared with the rows, and filled where there was none.
//!
//! One query is about a part of a partition that has no more rows than a query may read. Rows that have just come are left out, since
//! their entries may be on the way.

use std::sync::LazyLock;
use std::time::Duration;

use clickhouse::Row;
use clickhouse::query::Query;
use clickhouse::types::UInt256;
use serde::Deserialize;

use super::answer::Written;
use super::connection::Connection;
use super::read_back::check_kept;
use super::unresolved::with_condition;
use super::{ClickhouseError, token_of};
use crate::warehouse::unresolved::{MOST_READ_ROWS, fresh_insert};
use crate::warehouse::{ListScan, ListState, SCAN_EVERY, Scanned, UnresolvedEntry, WarehouseError};

const STATE: &str = include_str!("../../../schema/clickhouse/queries/list_state.sql");
const NOTE: &str = include_str!("../../../schema/clickhouse/queries/note_scan.sql");
const FOUND: &str = include_str!("../../../schema/clickhouse/queries/found_unresolved.sql");
const FILL: &str = include_str!("../../../schema/clickhouse/queries/fill_unresolved.sql");

static SCAN: LazyLock<String> =
    LazyLock::new(|| with_condition(include_str!("../../../schema/clickhouse/queries/scan_unresolved.sql")));

/// Rows that each of the two steps of a scan may read: with the list beside them that is what a query may read in all.
const MOST_ROWS: u64 = MOST_READ_ROWS * 3 / 10;

/// How long an entry may be on its way behind its rows.
const ON_THE_WAY: Duration = Duration::from_secs(600);

/// Tokens that one scan names.
const NAMED: u32 = 10_000;

#[derive(Row, Deserialize)]
struct Age {
    partition: String,
    age: i64,
}

pub(super) async fn state(connection: &Connection) -> Result<ListState, ClickhouseError> {
    let rows: Vec<Age> = connection.periodic("unresolved tokens: scans", connection.query(STATE)).await?;
    let is_filled = rows.iter().any(|row| row.partition.is_empty() && row.age >= 0);
    let every = i64::try_from(SCAN_EVERY.as_secs()).unwrap_or(i64::MAX);
    let is_due = |row: &Age| !row.partition.is_empty() && (row.age < 0 || row.age >= every);
    Ok(ListState { is_filled, due: rows.into_iter().filter(is_due).map(|row| row.partition).collect() })
}

pub(super) async fn note(connection: &Connection, partition: &str, found: u64) -> Result<(), WarehouseError> {
    match connection.move_rows(connection.query(NOTE).bind(partition).bind(found)).await? {
        Written::Confirmed(_) => Ok(()),
        Written::Unproved => {
            let rows: Vec<Age> = connection.rows(connection.query(STATE)).await?;
            let is_kept = rows.iter().any(|row| row.partition == partition && (0..600).contains(&row.age));
            Ok(check_kept("scan of the list", is_kept, connection)?)
        }
    }
}

#[derive(Row, Deserialize)]
struct Missing {
    token_id: UInt256,
    insert_id: String,
    first: u32,
    last: u32,
    found: u64,
}

/// Compares a part of the rows with the list.
pub(super) async fn scan(connection: &Connection, part: &ListScan) -> Result<Scanned, WarehouseError> {
    match compare(connection, part).await {
        // Half of it may pass; a token alone is read as it is.
        Err(error) if error.asks_for_less() && part.from < part.until => Ok(Scanned::TooLarge),
        scanned => scanned,
    }
}

async fn compare(connection: &Connection, part: &ListScan) -> Result<Scanned, WarehouseError> {
    if !part.is_fill {
        return Ok(missing(connection, part).await?);
    }
    match connection.move_rows(bound(connection, &format!("{FILL} FROM ({})", *SCAN), "", part)).await? {
        Written::Confirmed(cost) => {
            connection.costs().note("unresolved tokens: scan", cost);
            Ok(Scanned::Found { count: cost.written_rows.unwrap_or(0), entries: Vec::new() })
        }
        Written::Unproved => {
            let left = missing(connection, part).await?;
            check_kept("list of unresolved tokens", matches!(left, Scanned::Found { count: 0, .. }), connection)?;
            Ok(left)
        }
    }
}

/// What is not on the list.
async fn missing(connection: &Connection, part: &ListScan) -> Result<Scanned, ClickhouseError> {
    let query = bound(connection, &format!("{FOUND} FROM ({})", *SCAN), &format!("LIMIT {NAMED}"), part);
    let rows: Vec<Missing> = connection.periodic("unresolved tokens: scan", query).await?;
    let count = rows.first().map_or(0, |row| row.found);
    let entry = |row: Missing| UnresolvedEntry {
        token: token_of(row.token_id),
        insert: row.insert_id,
        first: row.first,
        last: row.last,
    };
    Ok(Scanned::Found { count, entries: rows.into_iter().map(entry).collect() })
}

fn bound(connection: &Connection, statement: &str, limit: &str, part: &ListScan) -> Query {
    let ListScan { partition, from, until, is_fill } = part;
    let most = if from < until { MOST_ROWS } else { 0 };
    let statement = format!("{statement} {limit} SETTINGS max_rows_to_read = {most}, read_overflow_mode = 'throw'");
    // A fill takes all there is, also what a clock that is ahead has stamped.
    let on_the_way = if *is_fill { -(ON_THE_WAY.as_secs() as i64) * 1_000 } else { ON_THE_WAY.as_secs() as i64 };
    let (from, until) = (from.to_string(), until.to_string());
    connection
        .query(&statement)
        .bind(format!("{}-{partition}", fresh_insert()))
        .bind(partition)
        .bind(&from)
        .bind(&until)
        .bind(partition)
        .bind(&from)
        .bind(&until)
        .bind(on_the_way)
        .bind(&from)
        .bind(&until)
}
