//! What is said of servers before anything runs on them.

use super::Setting;
use crate::support::cells;
use crate::support::clickhouse::Database;
use crate::support::gateway::{Gate, Gateway};
use crate::support::process::bare_command;
use crate::support::redis::Redis;
use crate::support::redis_release::Kind;

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_it_found_and_schema_prints_and_applies() {
    let setting = Setting::new(7).await;
    let check = |setting: &Setting| setting.run(&["check"]).stdout;
    let found = check(&setting);
    // Version, latency, memory, policy, persistence and clock of the one; version, latency, clock and tables of the other.
    let redis = found.lines().find(|line| line.contains(" redis ")).unwrap();
    for word in ["Redis 7.", " ms, ", "of no limit", "noeviction", "does not append to disk", "clock "] {
        assert!(redis.contains(word), "{word}: {redis}");
    }
    let clickhouse = found.lines().find(|line| line.contains(" clickhouse ")).unwrap();
    for word in ["version 2", " ms, ", "clock ", "database polytape_test"] {
        assert!(clickhouse.contains(word), "{word}: {clickhouse}");
    }
    assert!(found.contains("the next run makes 17 tables and views"), "{found}");
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

/// A gateway that takes the query id out of the answers costs a read a batch, and that is said.
#[tokio::test(flavor = "multi_thread")]
async fn check_names_the_price_of_inserts_that_are_read_back() {
    let database = Database::new();
    let gateway = Gateway::to(&database.config().url).await;
    let url = format!("{}/hidden123/", gateway.url());
    let setting = Setting::behind(9, 1_000.0, Redis::new(), database, &url, "").await;
    let line = |gate| {
        gateway.set(gate);
        let found = setting.run(&["check"]);
        assert!(!format!("{found:?}").contains("hidden"), "{found:?}");
        found.stdout.lines().find(|line| line.contains(" clickhouse ")).unwrap().to_owned()
    };
    let price = "every batch is read back before it counts as written: one more query a batch";
    assert!(!line(Gate::Open).contains(price));
    let said = line(Gate::StripId);
    assert!(said.starts_with("warn ") && said.contains(price), "{said}");
    // Where what stands between lets no trade be read either, nothing can be believed.
    let said = line(Gate::StripIdAndNoReadBack);
    assert!(said.starts_with("FAIL ") && said.contains("inserts cannot be confirmed"), "{said}");
}

/// Beside a pipeline that runs, and nothing of it stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_probe_goes_through_both_hops_and_is_removed() {
    whole_run(8, Redis::new(), &Kind::of_tests()).await;
}

/// A run that is checked meanwhile, by a probe, too, and ends with what is true in the tables.
pub async fn whole_run(seed: u64, redis: Redis, kind: &Kind) {
    let setting = Setting::on(seed, 1_000.0, redis, Database::empty(), "").await;
    let running = setting.start();
    setting.let_it_flow();
    for _ in 0..2 {
        let found = setting.run(&["check", "--flow"]).stdout;
        let flow = found.lines().last().unwrap();
        assert!(flow.starts_with("ok    flow      one probe through Redis and ClickHouse"), "{found}");
        assert!(flow.contains("seen by a reader in ") && flow.ends_with("; removed"), "{flow}");
    }
    let left: Vec<String> = setting.redis.keys().into_iter().filter(|key| key.contains("check-")).collect();
    assert!(left.is_empty(), "{left:?}");
    for (table, which) in [("trades", "source_id LIKE 'check%'"), ("checkpoints", "pipeline LIKE 'check%'")] {
        assert_eq!(setting.database.number(&format!("SELECT count() FROM {table} WHERE {which}")), 0, "{table}");
    }
    setting.lands(running);
    setting.finish();
    cells::ran(&kind.name());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_does_not_arrive_says_where_it_hangs_and_is_removed_all_the_same() {
    let setting = Setting::new(10).await;
    assert!(setting.run(&["check", "--flow"]).stdout.contains("; removed"));
    // Nothing is taken of any source that is a check.
    setting.database.execute("ALTER TABLE trades ADD CONSTRAINT no_checks CHECK source_id = ''");
    let ended = setting.run(&["check", "--flow"]);
    assert_eq!(ended.code, Some(1));
    let flow = ended.stdout.lines().last().unwrap();
    assert!(flow.starts_with("FAIL  flow      the probe did not arrive: it became a dead letter"), "{flow}");
    assert!(flow.contains("no_checks") && flow.ends_with("; removed"), "{flow}");
    assert_eq!(setting.database.number("SELECT count() FROM dead_letters"), 0);
    let left: Vec<String> = setting.redis.keys().into_iter().filter(|key| key.contains("check-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_evicts_is_refused() {
    let redis = Redis::own(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let setting = Setting::on(9, 1_000.0, redis, Database::empty(), "").await;
    let ended = setting.run(&["--no-tui"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("allkeys-lru") && ended.stderr.contains("noeviction"), "{}", ended.stderr);
}
