//! What is said of servers before anything runs on them.

use super::Setting;
use crate::support::clickhouse::Database;
use crate::support::process::bare_command;
use crate::support::redis::Redis;

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_it_found_and_schema_prints_and_applies() {
    let setting = Setting::new(7).await;
    let check = |setting: &Setting| setting.run(&["check"]).stdout;
    let found = check(&setting);
    assert!(found.contains("redis     version 7") && found.contains("noeviction"), "{found}");
    assert!(found.contains("the next run makes 12 tables and views"), "{found}");
    let config =
        ["--config".to_owned(), setting.place.data_dir().parent().unwrap().join("config.toml").display().to_string()];
    let schema = |word: &str| {
        let mut command = bare_command();
        command.args(["schema", word]).args(&config);
        command.output().unwrap()
    };
    let printed = String::from_utf8(schema("print").stdout).unwrap();
    assert!(printed.contains("ReplacingMergeTree"), "{printed}");
    let applied = schema("apply");
    assert!(applied.status.success(), "{applied:?}");
    let found = check(&setting);
    assert!(found.contains("all tables as they should be"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_evicts_is_refused() {
    let redis = Redis::own(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let setting = Setting::on(9, 1_000.0, redis, Database::empty(), "").await;
    let ended = setting.run(&["--no-tui"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("allkeys-lru") && ended.stderr.contains("noeviction"), "{}", ended.stderr);
}
