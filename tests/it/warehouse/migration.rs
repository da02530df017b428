//! A table of trades of an older layout is migrated while rows come, dies at every step, and loses nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use polytape::model::{Resolution, Trade};
use polytape::warehouse::{ClickhouseConfig, ClickhouseWarehouse, Migration, WriteRows};

use super::conformance::trade;
use super::layout::{FORMER, sorting};
use crate::support::clickhouse::Database;
use crate::support::gateway::{Gate, Gateway};
use crate::support::length::short_or_long;
use crate::support::release::Release;

const NOW: &str = "toDate(timestamp), token_id, timestamp, transaction_hash, log_index, source_id";
const KEPT: Migration = Migration::Kept("trades_former");

/// Rows of three months, of two transactions a day, by a number that no other call has.
fn rows(number: u8) -> Vec<Trade> {
    let day = |day: u64| {
        let mut row = trade(number, day as u32, Resolution::Unknown);
        row.fill.timestamp = 1_782_900_000 + day * 2 * 86_400;
        row
    };
    (0..40).map(day).collect()
}

/// A database with such a table and rows in it.
async fn of_before(release: &Release) -> Option<Database> {
    let database = Database::empty_on(release)?;
    database.script(FORMER);
    let warehouse = database.warehouse();
    warehouse.apply_schema().await.unwrap();
    for number in 1..=3 {
        warehouse.write_rows(&rows(number)).await.unwrap();
    }
    Some(database)
}

fn held(database: &Database, table: &str) -> BTreeSet<String> {
    let sql = format!("SELECT concat(transaction_hash, ':', toString(log_index)) FROM {table} FINAL");
    database.execute(&sql).lines().map(str::to_owned).collect()
}

fn tables(database: &Database) -> Vec<String> {
    let tables = database.execute("SHOW TABLES LIKE 'trades%'");
    tables
        .lines()
        .filter(|name| !["trades_all", "trades_final", "trades_goldsky"].contains(name))
        .map(str::to_owned)
        .collect()
}

/// Nothing is lost, and nothing is left but the two tables.
fn assert_migrated(database: &Database, written: u8, what: &str) {
    assert_eq!(sorting(database), NOW, "{what}");
    assert_eq!(tables(database), ["trades", "trades_former"], "{what}");
    let all: BTreeSet<String> = (1..=written)
        .flat_map(rows)
        .map(|row| format!("{:#x}:{}", row.fill.transaction_hash, row.fill.log_index))
        .collect();
    assert_eq!(held(database, "trades"), all, "{what}");
    assert_eq!(database.number("SELECT count() FROM trades FINAL"), all.len() as u64, "{what}");
}

async fn is_migrated_on(release: &str) {
    let Some(database) = of_before(Release::named(release)).await else { return };
    let warehouse = database.warehouse();
    assert!(warehouse.has_former_trades().await.unwrap());
    // Somebody writes all the while.
    let (is_done, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU8::new(3)));
    let writing = tokio::spawn({
        let (warehouse, is_done, written) = (database.warehouse(), Arc::clone(&is_done), Arc::clone(&written));
        async move {
            while !is_done.load(Ordering::SeqCst) && written.load(Ordering::SeqCst) < u8::MAX {
                let number = written.load(Ordering::SeqCst) + 1;
                warehouse.write_rows(&rows(number)).await.unwrap();
                written.store(number, Ordering::SeqCst);
            }
        }
    });
    assert_eq!(warehouse.migrate_trades_at_once().await.unwrap(), KEPT);
    is_done.store(true, Ordering::SeqCst);
    writing.await.unwrap();
    let written = written.load(Ordering::SeqCst);
    assert!(written > 4, "the test of the test: {written}");
    assert_migrated(&database, written, release);
    assert_eq!(warehouse.check_tables().await.unwrap(), []);
    assert!(!warehouse.has_former_trades().await.unwrap());
    assert_eq!(warehouse.migrate_trades_at_once().await.unwrap(), KEPT, "nothing is left to be done");
    assert_eq!(warehouse.drop_former_trades().await.unwrap(), Migration::Dropped);
    assert_eq!(tables(&database), ["trades"]);
    assert_eq!(warehouse.migrate_trades_at_once().await.unwrap(), Migration::NotNeeded);
    assert_eq!(held(&database, "trades").len(), usize::from(written) * 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_before_is_migrated_on_25_8() {
    is_migrated_on("25.8").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_before_is_migrated_on_26_9() {
    is_migrated_on("26.9").await;
}

/// The process dies at the k-th statement that changes something, before it or behind it, for each k until none is hit; rows come in
/// between; and another process goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_dies_at_any_step_is_gone_on_with() {
    let mut allowed = 0;
    while dies_and_is_gone_on_with(allowed).await {
        allowed += 1;
    }
    // The table, the view, three months, the exchange, the view's end and the name.
    assert!(allowed >= 8, "{allowed}");
}

/// Whether there was such a statement.
async fn dies_and_is_gone_on_with(allowed: usize) -> bool {
    let mut was_hit = false;
    for is_executed in short_or_long(&[true][..], &[true, false][..]) {
        let database = of_before(Release::selected()).await.unwrap();
        let gateway = Gateway::to(&database.config().url).await;
        let dying = ClickhouseWarehouse::new(ClickhouseConfig { url: gateway.url(), ..database.config() });
        gateway.set(Gate::DiesAt { allowed, is_executed: *is_executed });
        let died = dying.migrate_trades_at_once().await;
        assert_eq!(died.is_err(), gateway.spoiled() > 0, "{died:?}");
        was_hit |= died.is_err();
        let warehouse = database.warehouse();
        warehouse.write_rows(&rows(4)).await.unwrap();
        assert_eq!(warehouse.migrate_trades_at_once().await.unwrap(), KEPT, "{allowed} {is_executed}");
        warehouse.write_rows(&rows(5)).await.unwrap();
        assert_migrated(&database, 5, &format!("dead at {allowed}, executed {is_executed}"));
    }
    was_hit
}

/// An insert that opened the former table before the exchange and looked for its views behind it.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_into_the_former_table_alone_is_brought_over() {
    let database = of_before(Release::selected()).await.unwrap();
    let gateway = Gateway::to(&database.config().url).await;
    let dying = ClickhouseWarehouse::new(ClickhouseConfig { url: gateway.url(), ..database.config() });
    // Behind the exchange.
    gateway.set(Gate::DiesAt { allowed: 5, is_executed: true });
    dying.migrate_trades_at_once().await.unwrap_err();
    assert_eq!((sorting(&database).as_str(), tables(&database).len()), (NOW, 3));
    let warehouse = database.warehouse();
    warehouse.write_rows(&rows(4)).await.unwrap();
    database.execute(
        "INSERT INTO trades_migrating SELECT * REPLACE (toUInt32(log_index + 1000) AS log_index) FROM trades_migrating",
    );
    assert_eq!(warehouse.migrate_trades_at_once().await.unwrap(), KEPT);
    assert_eq!(held(&database, "trades").len(), 2 * 4 * 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_exchange_tables_is_told_before_anything_is_made() {
    let database = Database::empty();
    database.outside(&format!("DROP DATABASE {}", database.name()));
    // As one of the engine Ordinary, which releases of today do not make any more.
    database.outside(&format!("CREATE DATABASE {} ENGINE = Memory", database.name()));
    database.script(FORMER);
    let warehouse = database.warehouse();
    warehouse.apply_schema().await.unwrap();
    let before = database.execute("SHOW TABLES");
    let Migration::Impossible(why) = warehouse.migrate_trades_at_once().await.unwrap() else {
        panic!("it is possible")
    };
    assert_eq!(why, "the database has the engine Memory, which cannot exchange tables");
    assert_eq!(database.execute("SHOW TABLES"), before);
    warehouse.write_rows(&rows(1)).await.unwrap();
    assert_eq!(held(&database, "trades").len(), 40);
}
