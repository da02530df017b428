//! Tables so large that their rows are not counted.

use crate::servers::{SOON, Setting};
use crate::support::clickhouse::Database;
use crate::support::process::until;
use crate::support::redis::Redis;

/// Rows that are there twice, in two parts that nobody merges.
const ROWS: u64 = 1_050_000;

/// Row 11: what is not counted is shown as an estimate.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_counted_is_not_shown_as_if_it_were() {
    let database = Database::new();
    database.execute("SYSTEM STOP MERGES trades");
    for _ in 0..2 {
        database.execute(&format!(
            "INSERT INTO trades (timestamp, block_number, log_index, transaction_hash, token_id, version)
             SELECT toDateTime('2026-01-01 00:00:00', 'UTC') + number % 86400, number, 0, toString(number), number % 100, 2
             FROM numbers({ROWS}) SETTINGS max_insert_block_size = 2000000, min_insert_block_size_rows = 2000000,
                                           min_insert_block_size_bytes = 0, max_block_size = 2000000"
        ));
    }
    let (raw, real) =
        (database.number("SELECT count() FROM trades"), database.number("SELECT count() FROM trades FINAL"));
    assert_eq!((raw, real), (2 * ROWS, ROWS));
    let setting = Setting::on(111, 100.0, Redis::new(), database, "").await;
    let running = setting.start();
    let heartbeat = || {
        let stderr = running.stderr();
        stderr.lines().rev().find(|line| line.contains(" trades, ") && line.contains("| head ")).map(str::to_owned)
    };
    until(SOON, "a heartbeat says how many trades there are", || heartbeat().is_some());
    let said = heartbeat().unwrap();
    assert!(said.contains("~2.1M trades"), "{real} trades and a few more are shown as if they were counted: {said}");
    running.terminate();
    assert_eq!(running.wait(SOON).code, Some(0));
}
