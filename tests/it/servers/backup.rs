//! Redis comes back as it was some time ago, as after a restored backup.

use super::Setting;
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
