//! What a table costs that has grown: what is asked of it again and again, questions about a time, and the program beside it.
//!
//! `POLYTAPE_BENCH_ROWS` names the sizes of `trades` (1000000,5000000,20000000), of rows over three months, merged. For each are printed
//! the rows that every periodic query reads; at the largest also what questions read of the layout of 7f898ea and of this one;
//! then, in turns (`POLYTAPE_BENCH_TURNS`, 5), the program's rate and peak memory for `POLYTAPE_BENCH_FILLS` (300,000) fills
//! into a table of the smallest and of the largest size.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::panic, missing_docs, dead_code)]
#![allow(unreachable_pub, unused_imports)]

mod common;
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use polytape::demo::{DemoServer, World};
use polytape::model::{Fill, NonUsdcSide, Resolution, Trade};
use polytape::warehouse::{
    ClickhouseWarehouse, Control, Inspection, ListScan, ListState, PeriodicCost, Scanned, Tables, TokenIndex, WriteRows,
};
use tempfile::TempDir;

use common::{Run, from_environment, median, past_world, read_all, run_on};
use support::clickhouse::Database;
use support::periodic;
use support::redis::Redis;

const ROWS: &str = include_str!("../tests/it/warehouse/layout_rows.sql");
const FORMER: &str = include_str!("../schema/clickhouse/0001_tables.sql");
const COLUMNS: &str = include_str!("../schema/clickhouse/0005_trades_columns.sql");
const NEWEST: &str = include_str!("../schema/clickhouse/queries/newest_trades.sql");

/// As a Redis is that shall keep what it was told.
const APPENDS: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "everysec"];

/// Rows of one insert.
const AT_ONCE: u64 = 1_000_000;

/// Fills of the world whose tokens are unknown when periodic queries are asked.
const UNKNOWN: u64 = 20_000;

#[tokio::main]
async fn main() {
    let sizes = std::env::var("POLYTAPE_BENCH_ROWS").unwrap_or_else(|_| "1000000,5000000,20000000".into());
    let sizes: Vec<u64> = sizes.split(',').map(|size| size.parse().unwrap()).collect();
    let fills = from_environment("POLYTAPE_BENCH_FILLS", 300_000);
    let world = Arc::new(World::new(past_world(fills)));
    let blocks = world.config().first_block..=world.last_fill_block().unwrap();
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    server.prerender(blocks.clone());
    let few = blocks.start() + (blocks.end() - blocks.start()) * UNKNOWN.min(fills) / fills;
    let unknown = read_all(&server.url(), *blocks.start(), few).await;

    let tables: Vec<Database> = sizes.iter().map(|rows| with_rows(*rows)).collect();
    let mut costs: BTreeMap<&str, Vec<Option<u64>>> = BTreeMap::new();
    for database in &tables {
        for PeriodicCost { query, read_rows } in ask(&database.warehouse(), &unknown).await {
            costs.entry(query).or_default().push(read_rows);
        }
    }
    println!("rows read by what is asked again and again, at {sizes:?} rows:");
    for (query, rows) in costs {
        println!("    {query:<45} {}", rows.into_iter().map(told).collect::<Vec<_>>().join("  "));
    }
    let (smallest, largest) = (tables.first().unwrap(), tables.last().unwrap());
    beside_the_former(largest);

    let mut rates: [Vec<f64>; 2] = Default::default();
    for turn in 1..=from_environment("POLYTAPE_BENCH_TURNS", 5) {
        for ((rates, database), size) in
            rates.iter_mut().zip([smallest, largest]).zip([sizes[0], *sizes.last().unwrap()])
        {
            database.execute(&format!(
                "ALTER TABLE trades DELETE WHERE block_number BETWEEN {} AND {} SETTINGS mutations_sync = 2",
                blocks.start(),
                blocks.end()
            ));
            let (redis, dir) = (Redis::own(&APPENDS), TempDir::new().unwrap());
            let more = format!("{}\n{}", redis.section(), database.section());
            let Run { elapsed, peak, .. } = run_on(&server.url(), *blocks.start(), fills, dir.path(), &more);
            let rate = fills as f64 / elapsed.as_secs_f64();
            println!("turn {turn}, into {size} rows: {rate:.0} fills/s, peak memory {:.0} MB", peak as f64 / 1024.0);
            rates.push(rate);
        }
    }
    let [small, large] = rates.map(median);
    println!("medians: {small:.0} and {large:.0} fills/s, ratio {:.2}", large / small);
}

fn told(rows: Option<u64>) -> String {
    rows.map_or_else(|| "unknown".to_owned(), |rows| rows.to_string())
}

/// A database with so many merged rows in `trades`.
fn with_rows(rows: u64) -> Database {
    let (database, begin) = (Database::new(), Instant::now());
    let names = "timestamp, block_number, log_index, transaction_hash, order_hash, source_id, exchange, token_id, \
                 condition_id, market_id, outcome, nonusdc_side, maker, taker, maker_direction, taker_direction, price, \
                 usd_amount, token_amount, fee_amount, fee_unit, is_taker_row, version, ingested_at, match_log_index, outcome_slot";
    let insert = ROWS.replace("{table}", &format!("trades ({names})")).replace("{all}", &rows.to_string());
    for first in (0..rows).step_by(AT_ONCE as usize) {
        let count = AT_ONCE.min(rows - first).to_string();
        database.execute(&insert.replace("{begin}", &first.to_string()).replace("{count}", &count));
    }
    database.execute("OPTIMIZE TABLE trades FINAL");
    let bytes = database.execute(
        "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE database = currentDatabase() AND table = 'trades' AND active",
    );
    println!("{rows} rows, {} bytes each, in {:.0} s", bytes.trim(), begin.elapsed().as_secs_f64());
    database
}

/// Asks what a pipeline asks again and again, with tokens that are not known yet, and says what each question read.
async fn ask(warehouse: &ClickhouseWarehouse, unknown: &[Fill]) -> Vec<PeriodicCost> {
    let trade = |fill: &Fill| Trade { resolution: Resolution::of_fill(fill), fill: fill.clone() };
    let trades: Vec<Trade> = unknown.iter().map(trade).collect();
    warehouse.write_rows(&trades).await.unwrap();
    scan(warehouse).await;
    let known = Resolution::Market {
        condition_id: "0xc0".into(),
        outcome: "Up".into(),
        market_id: "7".into(),
        side: NonUsdcSide(1),
    };
    periodic::ask_all(warehouse, known).await
}

/// Compares everything that is due with the list of what is unresolved, as the resolver does each day.
async fn scan(warehouse: &ClickhouseWarehouse) {
    loop {
        let ListState { is_filled, due } = warehouse.list_state().await.unwrap();
        for partition in &due {
            let mut rest = vec![ListScan::of(partition.clone(), !is_filled)];
            while let Some(part) = rest.pop() {
                if let Scanned::TooLarge = warehouse.scan_list(&part).await.unwrap() {
                    rest.extend(part.parts().unwrap());
                }
            }
            warehouse.note_scan(Some(partition), 0).await.unwrap();
        }
        match (due.is_empty(), is_filled) {
            (true, true) => return,
            (true, false) => warehouse.note_scan(None, 0).await.unwrap(),
            _ => {}
        }
    }
}

/// What questions about a time read of the rows as they lie now, and of the same rows as 7f898ea laid them.
fn beside_the_former(database: &Database) {
    let (_, columns) = FORMER.split_once("CREATE TABLE IF NOT EXISTS trades (").unwrap();
    let (columns, _) = columns.split_once(";\n").unwrap();
    database.execute(&format!("CREATE TABLE former ({columns}"));
    database.script(&COLUMNS.replace("TABLE trades", "TABLE former"));
    for month in [202_607, 202_608, 202_609] {
        database.execute(&format!("INSERT INTO former SELECT * FROM trades WHERE toYYYYMM(timestamp) = {month}"));
    }
    database.execute("OPTIMIZE TABLE former FINAL");
    let newest = NEWEST.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let newest = newest.replacen('?', "3600", 1).replacen('?', "100", 1);
    let sums = "SELECT count(), sum(usd_amount) FROM trades FINAL WHERE";
    let (begin, end) = ("toDateTime('2026-08-14 10:00:00', 'UTC')", "toDateTime('2026-08-14 10:26:00', 'UTC')");
    let of_token = |text: &str| {
        let token = format!("reinterpretAsUInt256(SHA256('{text}'))");
        format!("{sums} token_id = {token} AND timestamp >= '2026-07-01 00:00:00'")
    };
    for (what, question) in [
        ("a day", format!("{sums} toDate(timestamp) = '2026-08-14'")),
        ("26 minutes", format!("{sums} timestamp >= {begin} AND timestamp < {end}")),
        ("the newest 100", newest),
        ("90 days of a hot market", of_token("0")),
        ("90 days of a cold market", of_token("9999")),
    ] {
        let with = "SETTINGS use_skip_indexes_if_final = 1, do_not_merge_across_partitions_select_final = 1";
        let [former, now] = ["former", "trades"]
            .map(|table| database.read_rows(&format!("{} {with}", question.replace("trades", table))));
        println!(
            "{what}: {former} rows read of the former layout, {now} of this: {:.3} times",
            now as f64 / former as f64
        );
    }
    database.execute("DROP TABLE former SYNC");
}
