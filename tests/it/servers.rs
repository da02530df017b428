//! The program on Redis and ClickHouse: chosen by configuration, checked, killed, and compared with the truth.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use polytape::demo::{DemoServer, Fault, Faults, World, WorldConfig};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::clickhouse::Database;
use crate::support::process::Workplace;
use crate::support::redis::Redis;
use crate::support::tables::compare_whole;
use crate::warehouse::clickhouse::mirror;

const SOON: Duration = Duration::from_secs(60);

/// A world that goes on, and a program that reads it into servers.
struct Setting {
    world: Arc<World>,
    server: DemoServer,
    redis: Redis,
    database: Database,
    place: Workplace,
}

impl Setting {
    async fn new(seed: u64) -> Self {
        let block_time = Duration::from_millis(20);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let world = Arc::new(World::new(WorldConfig {
            seed,
            rate: 1_000.0,
            block_time,
            market_period: 50,
            genesis_ms: i64::try_from((now - block_time * 100).as_millis()).unwrap(),
            ..WorldConfig::default()
        }));
        let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let (redis, database) = (Redis::new(), Database::empty());
        let place = Workplace::new(&config(&world, &server, &redis, &database));
        Self { world, server, redis, database, place }
    }

    /// Reads to the end of the world as it is now, and compares.
    fn finish(&self) {
        let end = self.server.head();
        self.server.freeze_at(end);
        let mut faults = Faults::storm();
        faults.rates.remove(&Fault::Stale);
        self.server.faults().set(faults);
        let arguments = ["--no-tui", "--until-caught-up", "--timeout", "60s"];
        let ended = tokio::task::block_in_place(|| self.place.run(&arguments, Duration::from_secs(120)));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let blocks = self.world.config().first_block..=self.world.finalized(end);
        let truth = self.world.whole_truth(blocks.clone(), end).trades.len();
        let difference = compare_whole(&mirror(&self.database), &self.world, blocks, end);
        let [missing, altered, extra] = [&difference.missing, &difference.altered, &difference.extra].map(Vec::len);
        let first = [&difference.missing, &difference.altered, &difference.extra].map(|rows| rows.first());
        assert!(difference.is_none(), "{missing} missing, {altered} altered, {extra} extra: {first:#?}");
        assert!(truth > 500, "only {truth} rows");
        println!("{truth} rows");
    }
}

fn config(world: &World, server: &DemoServer, redis: &Redis, database: &Database) -> String {
    let (urls, url, first_block) = (server.urls(3), server.url(), world.config().first_block);
    let clickhouse = database.config();
    format!(
        r#"
        pipeline.start = "{first_block}"
        sources.polygon = {{ urls = {urls:?}, poll_interval = "10ms", timeout = "2s" }}
        sources.gamma = {{ url = "{url}", poll_interval = "20ms", scan = "all", timeout = "2s", max_rate = 10000 }}
        sources.data_api = {{ url = "{url}", timeout = "2s", max_rate = 10000 }}
        writer.linger = "10ms"
        storage.min_free = "0B"
        redis = {{ url = "{}", key_prefix = "{}" }}
        clickhouse = {{ url = "{}", database = "{}", user = "{}", password = "{}" }}
        "#,
        redis.url(),
        redis.prefix(),
        clickhouse.url,
        clickhouse.database,
        clickhouse.user,
        clickhouse.password
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_equal_the_truth_after_any_kill() {
    let kills = std::env::var("POLYTAPE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(15);
    let seed = std::env::var("POLYTAPE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(3);
    let setting = Setting::new(seed).await;
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..kills {
        setting.server.faults().set(Faults::storm());
        let running = setting.place.start(&["--no-tui"]);
        tokio::time::sleep(Duration::from_millis(dice.random_range(100..900))).await;
        running.kill();
    }
    setting.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_lost_are_read_again() {
    let setting = Setting::new(5).await;
    for _ in 0..3 {
        let running = setting.place.start(&["--no-tui"]);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        setting.redis.flush();
        tokio::time::sleep(Duration::from_millis(700)).await;
        running.kill();
    }
    setting.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_it_found_and_schema_prints_and_applies() {
    let setting = Setting::new(7).await;
    let check = |setting: &Setting| tokio::task::block_in_place(|| setting.place.run(&["check"], SOON)).stdout;
    let found = check(&setting);
    assert!(found.contains("redis     version 7") && found.contains("noeviction"), "{found}");
    assert!(found.contains("the next run makes 12 tables and views"), "{found}");
    let config =
        ["--config".to_owned(), setting.place.data_dir().parent().unwrap().join("config.toml").display().to_string()];
    let schema = |word: &str| {
        let mut command = crate::support::process::bare_command();
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
    let setting = Setting::new(9).await;
    let redis = Redis::own(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let place = Workplace::new(&config(&setting.world, &setting.server, &redis, &setting.database));
    let ended = tokio::task::block_in_place(|| place.run(&["--no-tui"], SOON));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("allkeys-lru") && ended.stderr.contains("noeviction"), "{}", ended.stderr);
}
