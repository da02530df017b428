//! `trades` of an older layout becomes one of today's, while writers go on. Only `polytape schema apply` does it.
//!
//! ```text
//! trades (former) ──view──▶ trades_migrating      every insert that begins from now on, and then month by month what was there
//!        └────────exchange──────────┘             once no row is lacking
//! trades ──view──▶ trades_migrating (former)      the view goes by names: it copies the other way round now
//!    ◀── what is lacking ──┘                      then the view goes, and the older table stays as trades_former
//! ```
//!
//! What is to be done follows from what is there, so that it goes on after a kill at any step, and every step can be repeated: a row that
//! is copied twice is one row.
//!
//! **Why no row is lost.** A confirmed insert has opened one of the two tables. If it was the new one its rows are there. If it was the
//! former one, it began before the exchange, and was confirmed at most [`SETTLES`] later, since no writer waits longer: what is not
//! confirmed is written again, into the new one. After that time no row comes into the former table but by the view, from the new one; and
//! then the rows of it are looked for in the new one, until none is lacking: also those of inserts that began before there was a view, or
//! looked for their views after the exchange.

use std::time::Duration;

use clickhouse::Row;
use serde::Deserialize;

use super::{answer::Written, connection::Connection, error::ClickhouseError, schema};
use crate::flow::TableId;
use crate::model::Trade;
use crate::warehouse::{error::Result, table::row::TableRow};

const STATE: &str = include_str!("../../../schema/clickhouse/migration/state.sql");
const VIEW: &str = include_str!("../../../schema/clickhouse/migration/view.sql");
const PARTITIONS: &str = include_str!("../../../schema/clickhouse/migration/partitions.sql");
const DAYS: &str = include_str!("../../../schema/clickhouse/migration/days.sql");
const LACKING: &str = include_str!("../../../schema/clickhouse/migration/lacking.sql");
const COPY: &str = include_str!("../../../schema/clickhouse/migration/copy.sql");

const TRADES: &str = TableId::Trades.as_str();
const MIGRATING: &str = "trades_migrating";
const KEPT: &str = "trades_former";
const THE_VIEW: &str = "trades_migration";

/// Longer than any writer waits for an insert.
pub(super) const SETTLES: Duration = Duration::from_secs(90);

/// How often rows are copied that came in between. Each time they are those of fewer seconds.
const ROUNDS: u32 = 20;

/// Engines of databases that can exchange two tables at once.
const EXCHANGING: [&str; 3] = ["Atomic", "Replicated", "Shared"];

/// What became of the layout of `trades`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Migration {
    /// It is that of today, and nothing is left of another.
    NotNeeded,
    /// It stays as it is, since this is in the way.
    Impossible(String),
    /// It is that of today; the older table is kept beside it under this name.
    Kept(&'static str),
    /// The older table was dropped.
    Dropped,
}

#[derive(Row, Deserialize)]
struct Found {
    name: String,
    engine: String,
    sorting_key: String,
}

#[derive(Row, Deserialize, PartialEq)]
struct Day {
    day: u16,
    rows: u64,
    identities: u64,
}

/// What is there of the tables that take part.
struct State(Vec<Found>);

impl State {
    async fn read(connection: &Connection) -> Result<Self> {
        let names = [TRADES, MIGRATING, KEPT, THE_VIEW];
        let query = connection.query_outside(STATE).bind(&connection.config().database).bind(&names[..]);
        Ok(Self(connection.rows(query).await?))
    }

    fn get(&self, name: &str) -> Option<&Found> {
        self.0.iter().find(|found| found.name == name)
    }

    fn is_former(&self, name: &str) -> bool {
        let former = Trade::TABLE.former_sorting.join(", ");
        self.get(name).is_some_and(|found| found.sorting_key == former)
    }
}

/// Whether `trades` is in the layout of an older release.
pub(super) async fn is_former(connection: &Connection) -> Result<bool> {
    Ok(State::read(connection).await?.is_former(TRADES))
}

/// Brings `trades` into the layout of today, from wherever it stands. `settles` is how long an insert may be under way.
pub(super) async fn migrate(connection: &Connection, settles: Duration) -> Result<Migration> {
    let state = State::read(connection).await?;
    if state.is_former(TRADES) {
        if let Some(why) = in_the_way(connection, &state).await? {
            return Ok(Migration::Impossible(why));
        }
        execute(connection, &schema::trades_as(MIGRATING)).await?;
        execute(connection, &VIEW.replace("{columns}", &Trade::TABLE.names())).await?;
        bring_over(connection, TRADES, MIGRATING).await?;
        execute(connection, &format!("EXCHANGE TABLES {TRADES} AND {MIGRATING}")).await?;
    }
    let state = State::read(connection).await?;
    if state.is_former(MIGRATING) {
        tokio::time::sleep(settles).await;
        bring_over(connection, MIGRATING, TRADES).await?;
        execute(connection, &format!("DROP VIEW IF EXISTS {THE_VIEW}")).await?;
        execute(connection, &format!("RENAME TABLE {MIGRATING} TO {KEPT}")).await?;
    }
    match State::read(connection).await? {
        state if state.is_former(TRADES) || state.get(MIGRATING).is_some() => {
            Err(unfinished(connection, "the tables are not as they were left: is it migrated twice at once?").into())
        }
        state if state.get(KEPT).is_some() => Ok(Migration::Kept(KEPT)),
        _ => Ok(Migration::NotNeeded),
    }
}

/// Drops the table of the older layout, once `trades` has all of it.
pub(super) async fn drop_old(connection: &Connection) -> Result<Migration> {
    execute(connection, &format!("DROP TABLE IF EXISTS {KEPT}")).await?;
    Ok(Migration::Dropped)
}

/// Why the tables cannot be exchanged, said before anything is made.
async fn in_the_way(connection: &Connection, state: &State) -> Result<Option<String>> {
    let query = connection.query_outside("SELECT engine FROM system.databases WHERE name = ?");
    let engines: Vec<String> = connection.rows(query.bind(&connection.config().database)).await?;
    if let Some(engine) = engines.first().filter(|engine| !EXCHANGING.contains(&engine.as_str())) {
        return Ok(Some(format!("the database has the engine {engine}, which cannot exchange tables")));
    }
    // What is made here would not be copied by whoever copies that.
    let engine = state.get(TRADES).map_or("", |found| found.engine.as_str());
    let is_ours = ["ReplacingMergeTree", "SharedReplacingMergeTree"].contains(&engine);
    if !is_ours {
        return Ok(Some(format!("its engine is {engine}, which polytape does not make")));
    }
    Ok(state.get(KEPT).map(|_| format!("{KEPT} is there already")))
}

/// Copies rows from one table into another until none is lacking there.
async fn bring_over(connection: &Connection, from: &str, to: &str) -> Result<()> {
    let partitions: Vec<String> = connection.rows(connection.query(&PARTITIONS.replace("{table}", from))).await?;
    for partition in partitions {
        let mut rounds = 0;
        loop {
            let (there, here) = (days(connection, from, &partition).await?, days(connection, to, &partition).await?);
            let mut lacking: Vec<u16> = there.iter().filter(|day| !here.contains(day)).map(|day| day.day).collect();
            if !here.is_empty() {
                lacking = really_lacking(connection, (from, to), &partition, lacking).await?;
            }
            let (Some(first), Some(last)) = (lacking.first(), lacking.last()) else { break };
            if rounds == ROUNDS {
                return Err(
                    unfinished(connection, &format!("rows of {partition} in {from} do not come into {to}")).into()
                );
            }
            rounds += 1;
            tracing::info!("{from} to {to}: copies {} days of {partition}", last - first + 1);
            let copy = COPY.replace("{columns}", &Trade::TABLE.names()).replace("{from}", from).replace("{to}", to);
            // What is copied is counted in the next round.
            let copy = connection.query(&copy).bind(&partition).bind(first).bind(last);
            let (Written::Confirmed(_) | Written::Unproved) = connection.move_rows(copy).await?;
        }
    }
    Ok(())
}

async fn days(connection: &Connection, table: &str, partition: &str) -> Result<Vec<Day>> {
    Ok(connection.rows(connection.query(&DAYS.replace("{table}", table)).bind(partition)).await?)
}

/// The days of which rows are not in the other table, among those in which the tables differ: it may have more.
async fn really_lacking(
    connection: &Connection,
    (from, to): (&str, &str),
    partition: &str,
    days: Vec<u16>,
) -> Result<Vec<u16>> {
    let sql = LACKING.replace("{from}", from).replace("{to}", to);
    let mut lacking = Vec::new();
    for day in days {
        let query = connection.query(&sql).bind(partition).bind(day).bind(partition).bind(day);
        let rows: Vec<u64> = connection.rows(query).await?;
        if rows.first().is_some_and(|rows| *rows > 0) {
            lacking.push(day);
        }
    }
    Ok(lacking)
}

/// Executes one that can be repeated. What nothing proves shows in what is there behind it.
async fn execute(connection: &Connection, sql: &str) -> Result<()> {
    let (Written::Confirmed(_) | Written::Unproved) = connection.execute(connection.query(sql)).await?;
    Ok(())
}

fn unfinished(connection: &Connection, text: &str) -> ClickhouseError {
    ClickhouseError::Unconfirmed { at: connection.address(), text: format!("the layout of trades: {text}") }
}
