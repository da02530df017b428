//! A proxy in front of ClickHouse loses its route for a while.

use std::time::{Duration, Instant};

use crate::servers::{SOON, Setting};
use crate::support::clickhouse::Database;
use crate::support::gateway::{Gate, Gateway};
use crate::support::process::until;
use crate::support::redis::Redis;

/// Row 15: a 404 that is not ClickHouse's is asked again, by every stage.
#[tokio::test(flavor = "multi_thread")]
async fn a_404_of_a_proxy_ends_no_stage() {
    let database = Database::empty();
    let gateway = Gateway::to(&database.config().url).await;
    let setting = Setting::behind(151, 1_000.0, Redis::new(), database, &gateway.url(), "").await;
    let mut running = setting.start();
    setting.let_it_flow();
    gateway.set(Gate::NotFound);
    let began = Instant::now();
    until(SOON, "everything is answered by 404", || {
        let is_over = gateway.spoiled() >= 10 && began.elapsed() >= Duration::from_secs(3);
        is_over || running.ended().is_some()
    });
    gateway.set(Gate::Open);
    let ended = running.ended();
    let failed = running.stderr().lines().find(|line| line.contains(r#""to":"FAIL""#)).map(str::to_owned);
    assert!(ended.is_none() && failed.is_none(), "a 404 ended the program ({ended:?}) or a stage: {failed:?}");
    let ended = setting.lands(running);
    assert!(ended.stderr.contains("something else answered in its place"), "{}", ended.stderr);
}
