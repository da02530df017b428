//! The list of unresolved tokens is compared with the rows, and filled where there was none.
//!
//! One query is about a part of a partition that has no more rows than a query may read. Rows that have just come are left out, since
//! their entries may be on the way.

use std::{sync::LazyLock, time::Duration};

use clickhouse::{Row, types::UInt256};
use serde::Deserialize;

use super::{
    answer::Written, connection::Connection, error::Result, pins::WITHOUT_INDEXES, read_back::check_kept,
    statement::Statement, token::token_of, unresolved::with_condition,
};
use crate::flow::TableId;
use crate::warehouse::unresolved::{
    ListScan, ListState, MOST_READ_ROWS, SCAN_EVERY, Scanned, UnresolvedEntry, fresh_insert,
};
use crate::warehouse::{error::WarehouseError, table::declaration::Table};

const STATE: &str = include_str!("../../../schema/clickhouse/queries/list_state.sql");
const NOTE: &str = include_str!("../../../schema/clickhouse/queries/note_scan.sql");
const FOUND: &str = include_str!("../../../schema/clickhouse/queries/found_unresolved.sql");
const FILL: &str = include_str!("../../../schema/clickhouse/queries/fill_unresolved.sql");
const EVER_OPEN: &str = include_str!("../../../schema/clickhouse/queries/ever_open.sql");

static SCAN: LazyLock<String> = LazyLock::new(|| scan_with(EVER_OPEN));

/// For a token alone, whose rows all are read in any case: without the first step they are read once.
static SCAN_OF_ONE: LazyLock<String> = LazyLock::new(|| scan_with(""));

/// Whether a partition is of this table, and its id there. Those of `trades`, which was the first, are known by their ids alone.
fn within<'a>(table: &Table, partition: &'a str) -> Option<&'a str> {
    match partition.split_once(' ') {
        None => Some(partition).filter(|_| table.id == TableId::Trades),
        Some((name, id)) => Some(id).filter(|_| table.id.as_str() == name),
    }
}

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

fn scan_with(first_step: &str) -> String {
    let sql = include_str!("../../../schema/clickhouse/queries/scan_unresolved.sql");
    with_condition(&sql.replace("{ever_open}", first_step.trim_end()))
}

/// When each partition was compared.
fn ages(connection: &Connection) -> Statement {
    let tables: Vec<&str> = Table::of_trades().map(|table| table.id.as_str()).collect();
    connection.query(STATE).bind(tables)
}

pub(super) async fn state(connection: &Connection) -> Result<ListState> {
    let rows: Vec<Age> = connection.periodic("unresolved tokens: scans", ages(connection)).await?;
    let is_filled = rows.iter().any(|row| row.partition.is_empty() && row.age >= 0);
    let every = i64::try_from(SCAN_EVERY.as_secs()).unwrap_or(i64::MAX);
    let is_due = |row: &Age| !row.partition.is_empty() && (row.age < 0 || row.age >= every);
    Ok(ListState { is_filled, due: rows.into_iter().filter(is_due).map(|row| row.partition).collect() })
}

pub(super) async fn note(connection: &Connection, partition: &str, found: u64) -> Result<(), WarehouseError> {
    match connection.move_rows(connection.query(NOTE).bind(partition).bind(found)).await? {
        Written::Confirmed(_) => Ok(()),
        Written::Unproved => {
            let rows: Vec<Age> = connection.rows(ages(connection)).await?;
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
        // Half of it may pass; a second of a token is read as it is.
        Err(error) if error.asks_for_less() && part.clone().parts().is_some() => Ok(Scanned::TooLarge),
        scanned => scanned,
    }
}

async fn compare(connection: &Connection, part: &ListScan) -> Result<Scanned, WarehouseError> {
    if !part.is_fill {
        return Ok(missing(connection, part).await?);
    }
    match connection.move_rows(bound(connection, FILL, "", part)).await? {
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
async fn missing(connection: &Connection, part: &ListScan) -> Result<Scanned> {
    let query = bound(connection, FOUND, &format!("LIMIT {NAMED}"), part);
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

/// The statement that takes what a scan of this part finds.
fn bound(connection: &Connection, taken_by: &str, limit: &str, part: &ListScan) -> Statement {
    let ListScan { partition, from, until, since, last, is_fill } = part;
    let is_of_one = from >= until;
    let of_table = |table| Some((table, within(table, partition)?));
    let (table, partition) = Table::of_trades().find_map(of_table).unwrap_or((Table::of(TableId::Trades), partition));
    let scan = table.statement(if is_of_one { &SCAN_OF_ONE } else { &SCAN });
    let statement = format!("{taken_by} FROM ({scan}) {limit}");
    // A fill takes all there is, also what a clock that is ahead has stamped.
    let on_the_way = if *is_fill { -(ON_THE_WAY.as_secs() as i64) * 1_000 } else { ON_THE_WAY.as_secs() as i64 };
    let (from, until) = (from.to_string(), until.to_string());
    let of_part = |query: Statement| query.bind(partition).bind(&from).bind(&until);
    let query = connection.query(&statement).wish_of(WITHOUT_INDEXES);
    let query = of_part(query.bind(format!("{}-{partition}", fresh_insert())));
    let query = query.bind(since).bind(last);
    let query = if is_of_one { query } else { of_part(query) };
    let query = query.bind(on_the_way).bind(&from).bind(&until);
    if part.clone().parts().is_some() { query.wish("max_rows_to_read", MOST_ROWS) } else { query }
}
