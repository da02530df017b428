//! What is there already and is not polytape's, or not as it must be: the run ends with one line that says what and what to do,
//! and nothing was changed.

use super::Setting;
use crate::support::clickhouse::{Database, wait};
use crate::support::gateway::{Gate, Gateway};
use crate::support::process::bare_command;
use crate::support::redis::Redis;

/// What a prefix of Redis holds, but for signs of life.
fn held(redis: &Redis) -> Vec<(String, redis::Value)> {
    let keys = redis.keys().into_iter().filter(|key| !key.contains("proc:"));
    keys.map(|key| (key.clone(), redis.run(&["DUMP", &key]))).collect()
}

/// What a database holds: its tables as they were made, and how many rows each has.
fn tables(setting: &Setting) -> String {
    let sql = "SELECT name, create_table_query, total_rows FROM system.tables WHERE database = currentDatabase() ORDER BY name";
    setting.database.execute(sql)
}

/// Runs it, and gives the one line in which it says why it does not.
fn refusal(setting: &Setting) -> String {
    let ended = setting.run(&["--no-tui"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    // All else on it is the log, which is one JSON object a line.
    let said: Vec<&str> = ended.stderr.lines().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(said.len(), 1, "{}", ended.stderr);
    said[0].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_the_predecessor() {
    let setting = Setting::new(21).await;
    let redis = &setting.redis;
    let entry = ["market_id", "511", "price", "0.5", "usd_amount", "12.5", "transactionHash", "0xabc"];
    redis.run(&[&["XADD", &redis.key("stream:trades"), "*"][..], &entry].concat());
    redis.run(&["XGROUP", "CREATE", &redis.key("stream:trades"), "clickhouse_writers", "0"]);
    let before = held(redis);
    let said = refusal(&setting);
    for words in ["Redis at 127.0.0.1:", "stream:trades holds entries of another program", "choose another key_prefix"]
    {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(held(redis), before);
    assert_eq!(setting.trades(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_the_predecessor() {
    let setting = Setting::new(22).await;
    setting.database.execute(
        "CREATE TABLE trades (timestamp DateTime, market_id String, price Float64, usd_amount Float64, transactionHash String)
         ENGINE = MergeTree ORDER BY (timestamp, market_id, transactionHash)",
    );
    setting.database.execute("INSERT INTO trades VALUES ('2026-01-01 00:00:00', '511', 0.5, 12.5, '0xabc')");
    let before = tables(&setting);
    let said = refusal(&setting);
    for words in
        ["ClickHouse at http://", "trades: is a table of the Python pipeline", "RENAME TABLE trades TO trades_old"]
    {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(tables(&setting), before, "nothing was made beside it");
    assert_eq!(held(&setting.redis), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_not_as_they_must_be() {
    let setting = Setting::new(23).await;
    let key = "token_id, timestamp, transaction_hash, log_index, source_id";
    let remade = |engine: &str, key: &str| {
        let partition = "PARTITION BY toYYYYMM(timestamp)";
        format!("CREATE TABLE trades AS ours ENGINE = {engine} {partition} ORDER BY ({key})")
    };
    for (make, words) in [
        (remade("MergeTree", key), "its engine is MergeTree, which keeps rows twice: ReplacingMergeTree is needed"),
        (remade("ReplacingMergeTree", key), "its engine does not decide by version"),
        (
            remade("ReplacingMergeTree(version)", "token_id, timestamp, transaction_hash, source_id"),
            "it is sorted by (token_id, timestamp, transaction_hash, source_id), which must be",
        ),
        ("ALTER TABLE trades DROP COLUMN order_hash".into(), "it has no column order_hash String"),
    ] {
        let database = &setting.database;
        database.execute("DROP TABLE IF EXISTS trades SYNC");
        wait(database.warehouse().apply_schema()).unwrap();
        if make.starts_with("CREATE") {
            database.execute("RENAME TABLE trades TO ours");
            database.execute(&make);
            database.execute("DROP TABLE ours SYNC");
        } else {
            database.execute(&make);
        }
        let before = tables(&setting);
        let said = refusal(&setting);
        for words in [words, "trades: ", "move it away, or choose another database under [clickhouse]"] {
            assert!(said.contains(words), "{said}");
        }
        assert_eq!(tables(&setting), before, "{words}");
        assert_eq!(held(&setting.redis), [], "{words}");
    }
}

/// What `schema apply` refuses, in the words of its one line.
fn schema_refusal(setting: &Setting) -> String {
    let mut command = bare_command();
    command.args(["schema", "apply", "--config"]).arg(setting.place.config_file());
    let ended = command.output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let said = String::from_utf8(ended.stderr).unwrap();
    said.lines().rfind(|line| !line.starts_with('{')).unwrap_or_else(|| panic!("{said}")).to_owned()
}

/// `schema apply` makes nothing on a server on which no run begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_too_old() {
    let database = Database::empty();
    let gateway = Gateway::to(&database.config().url).await;
    let url = gateway.url();
    let setting = Setting::behind(24, 1_000.0, Redis::new(), database, &url, "").await;
    gateway.set(Gate::OfVersion("23.9.6.20"));
    let words = "is version 23.9.6.20, 23.10 or newer is needed";
    for said in [refusal(&setting), schema_refusal(&setting)] {
        assert!(said.contains(words), "{said}");
    }
    let found = setting.run(&["check"]).stdout;
    assert!(found.contains("FAIL  clickhouse") && found.contains("23.10 or newer is needed"), "{found}");
    assert_eq!(tables(&setting), "", "nothing was made");
    gateway.set(Gate::OfVersion("23.10.1.1"));
    wait(setting.database.warehouse().apply_schema()).unwrap();
    assert!(setting.run(&["check"]).stdout.contains("version 23.10.1.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_newer_polytape() {
    let setting = Setting::new(25).await;
    wait(setting.database.warehouse().apply_schema()).unwrap();
    setting.database.execute("INSERT INTO schema_files (number) VALUES (99)");
    let before = tables(&setting);
    for said in [refusal(&setting), schema_refusal(&setting)] {
        assert!(
            said.contains("have schema 99, this polytape knows up to") && said.contains("run the newer one"),
            "{said}"
        );
    }
    assert_eq!(tables(&setting), before);
}
