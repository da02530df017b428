//! Redis comes back as it was some time ago, as after a restored backup.

use std::sync::atomic::Ordering;
use std::time::Duration;

use polytape::model::ChainPosition;
use polytape::warehouse::Control;

use super::Setting;
use crate::pipeline::{self, Stores, eventually};
use crate::support::clickhouse::Database;
use crate::support::redis::Redis;

#[tokio::test(flavor = "multi_thread")]
async fn an_older_backup_is_gone_on_with() {
    let mut setting = Setting::on(13, 1_000.0, Redis::own(&[]), Database::empty(), "").await;
    let running = setting.start();
    setting.let_it_flow();
    let generation = setting.redis.run(&["GET", &setting.redis.key("state:generation")]);
    let cursor = setting.redis.text("state:ingest-fills:polygon");
    setting.redis.run(&["SAVE"]);
    setting.let_it_flow();
    setting.let_it_flow();
    // What it saved is all that it finds when it starts.
    setting.redis.kill();
    setting.says(&running, "Redis at 127.0.0.1:", 1);
    setting.redis.start();
    assert_eq!(setting.redis.run(&["GET", &setting.redis.key("state:generation")]), generation);
    setting.let_it_flow();
    assert_ne!(setting.redis.text("state:ingest-fills:polygon"), cursor);
    let ended = setting.lands(running);
    assert!(!ended.stderr.contains("the streams were lost"), "it went on: {}", ended.stderr);
    assert!(!ended.stderr.contains("FAIL"), "nothing failed for good: {}", ended.stderr);
    setting.finish();
}

/// What the watermark waited for is gone then, and what comes in its place may pass the same ids long before it holds the same
/// events.
#[tokio::test(flavor = "multi_thread")]
async fn the_watermark_does_not_wait_beyond_a_backup() {
    let stores = Stores::Servers { redis: Redis::own(&[]), database: Database::empty() };
    let mut setting = pipeline::Setting::on(8_000, stores).await;
    setting.max_rows = 100;
    let cursor = |setting: &pipeline::Setting| -> ChainPosition {
        serde_json::from_str(&redis_of(setting).text("state:ingest-fills:polygon")).unwrap()
    };
    let (first, last) = (setting.first_block(), setting.end().block - 1);
    // The first quarter of the world lands.
    let quarter = first + (last - first) / 4;
    let end = setting.server.head();
    setting.server.freeze_at(quarter);
    let pipeline = setting.start();
    let observer = pipeline.observer();
    let landed = ChainPosition::start_of(setting.world.finalized(quarter));
    eventually("a quarter has landed", || observer.chain().watermark >= Some(landed.into())).await;
    redis_of(&setting).run(&["SAVE"]);
    let saved = cursor(&setting);

    // All the rest goes no further than into the streams, and the barrier waits for it.
    setting.warehouse.away.store(true, Ordering::Relaxed);
    setting.server.freeze_at(end);
    eventually("the cursor is at the end", || cursor(&setting) >= setting.end()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = observer.chain().watermark;

    if let Stores::Servers { redis, .. } = &mut setting.stores {
        redis.kill();
        redis.start();
    }
    // The next block shows where the cursor is now. What is read again is written slowly.
    setting.server.freeze_at(end + 10);
    setting.warehouse.slow_down(Duration::from_millis(150));
    setting.warehouse.away.store(false, Ordering::Relaxed);
    eventually("the watermark moves", || observer.chain().watermark > before).await;
    let checkpoint = setting.warehouse.checkpoint("main", "polygon").await.unwrap().unwrap();
    let watermark: ChainPosition = serde_json::from_str(&checkpoint.watermark).unwrap();
    let expected = setting.world.truth(first..=watermark.block - 1).trades.len() as u64;
    let sql = "SELECT count(*) FROM trades WHERE block_number < ?";
    let found: u64 = setting.file().query_row(sql, [watermark.block], |row| row.get(0)).unwrap();
    println!("saved at {saved}, the watermark was {before:?}, and is {watermark}: {found} of {expected} rows");
    assert_eq!(found, expected, "all that is before the watermark is in the tables");
    setting.warehouse.slow_down(Duration::ZERO);
    setting.finish(pipeline).await;
}

fn redis_of(setting: &pipeline::Setting) -> &Redis {
    match &setting.stores {
        Stores::Servers { redis, .. } => redis,
        Stores::Embedded(_) => panic!("there is no Redis"),
    }
}
