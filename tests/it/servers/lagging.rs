//! The program behind two replicas of ClickHouse at one address, of which the one that answers reads lags.

use std::sync::Arc;

use polytape::control::{Command, StageState};
use polytape::flow::StageId;
use polytape::model::ChainPosition;
use polytape::warehouse::{ClickhouseConfig, ClickhouseWarehouse};

use super::joining::{ask, join_with};
use super::{SOON, Setting};
use crate::pipeline::state;
use crate::support::clickhouse::Database;
use crate::support::lagging::Lagging;
use crate::support::process::until;
use crate::support::redis::Redis;

/// What the replica that lags may be behind with: all that is read to decide something of its own.
const TABLES: [&str; 4] = ["checkpoints", "desired_states", "jobs", "unresolved_scans"];

fn position(setting: &Setting) -> ChainPosition {
    serde_json::from_str(setting.watermark().trim()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watermark_moves_on_and_never_back() {
    let database = Database::empty();
    let replicas = Lagging::of(&database.config().url, &TABLES).await;
    let setting = Setting::behind(41, 1_000.0, Redis::new(), database, &replicas.url(), "").await;
    let running = setting.start();
    setting.let_it_flow();
    for _ in 0..3 {
        replicas.copy(&setting.database);
        // What is written meanwhile the replica does not know.
        setting.let_it_flow();
        let (begin, misled) = (position(&setting), replicas.misled("checkpoints"));
        replicas.lag(true);
        let mut last = begin;
        until(SOON, "the watermark moves while reads lag", || {
            let now = position(&setting);
            assert!(now >= last, "{last} was written down, and then {now}");
            last = now;
            replicas.misled("checkpoints") > misled + 10 && last.block > begin.block + 100
        });
        replicas.lag(false);
    }
    setting.lands(running);
    setting.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_was_paused_is_not_resumed() {
    let setting = Setting::new(42).await;
    let program = setting.start();
    setting.let_it_flow();
    let replicas = Lagging::of(&setting.database.config().url, &TABLES).await;
    let config = ClickhouseConfig { url: replicas.url(), ..setting.database.config() };
    replicas.copy(&setting.database);
    replicas.lag(true);
    let one = join_with(&setting, "one", Arc::new(ClickhouseWarehouse::new(config)));
    ask(&one, Command::Pause { stage: StageId::WriteTrades }).await;
    let is_paused = || state(&one, StageId::WriteTrades) == StageState::Pause;
    until(SOON, "it is paused", is_paused);
    let looks = replicas.misled("desired_states");
    until(SOON, "it has looked twice what is wanted", || {
        assert!(is_paused(), "{:?}", state(&one, StageId::WriteTrades));
        replicas.misled("desired_states") > looks + 2
    });
    setting.says(&program, "write-trades is paused, as requested in another process", 1);
    ask(&one, Command::Resume { stage: StageId::WriteTrades }).await;
    assert!(one.drain(std::time::Duration::from_secs(10)).await);
    setting.lands(program);
    setting.finish();
}
