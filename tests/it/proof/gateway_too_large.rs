//! A proxy in front of ClickHouse takes bodies of a certain length only, as nginx does: 1 MB unless it is told otherwise.

use crate::servers::{SOON, Setting};
use crate::support::clickhouse::Database;
use crate::support::gateway::{Gate, Gateway};
use crate::support::length::short_or_long;
use crate::support::process::until;
use crate::support::redis::Redis;

/// What it takes: less than a batch, more than a row.
const LIMIT: usize = 24 << 10;

async fn lands_behind(gate: Gate, seed: u64) -> usize {
    let database = Database::empty();
    let gateway = Gateway::to(&database.config().url).await;
    gateway.set(gate);
    let linger = r#"writer.linger = "700ms""#;
    let rate = short_or_long(200.0, 1_000.0);
    let setting = Setting::behind(seed, rate, Redis::new(), database, &gateway.url(), linger).await;
    let running = setting.start();
    until(SOON, "a batch is too large", || gateway.spoiled() > 0);
    setting.lands(running);
    gateway.spoiled()
}

/// Row 14: a batch that is refused by HTTP 413 is halved until it passes.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_larger_than_a_proxy_takes_is_halved() {
    assert!(lands_behind(Gate::NoLongerThan(LIMIT), 141).await > 0, "no batch was too large: the test shows nothing");
}

/// Row 14: the same where the proxy breaks the connection instead of answering.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_a_proxy_cuts_is_halved() {
    assert!(lands_behind(Gate::CutsAt(LIMIT), 142).await > 0, "no batch was too large: the test shows nothing");
}
