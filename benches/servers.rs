//! The pipeline on Redis and ClickHouse end to end, beside its ceilings in the same run, and how long a fill takes.
//!
//! `cargo bench --bench servers` starts a redis-server that appends to disk once a second, and ClickHouse's engine as the
//! tests do, and prints fills a second for each part alone and for the program as a whole; then how long it takes from
//! when a block is final until a reader sees a row of it. `POLYTAPE_BENCH_FILLS` sets how many fills (300,000).

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::panic, missing_docs, dead_code)]
#![allow(unreachable_pub, unused_imports)]

mod common;
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use polytape::demo::{DemoServer, World, WorldConfig};
use tempfile::TempDir;

use common::{Run, broker_alone, from_environment, past_world, read_all, report, run_on, warehouse_alone};
use support::clickhouse::Database;
use support::process::Workplace;
use support::redis::Redis;

/// As a Redis is that shall keep what it was told.
const APPENDS: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "everysec"];

#[tokio::main]
async fn main() {
    let fills = from_environment("POLYTAPE_BENCH_FILLS", 300_000);
    let world = Arc::new(World::new(past_world(fills)));
    let blocks = world.config().first_block..=world.last_fill_block().unwrap();
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    server.prerender(blocks.clone());
    println!("{fills} fills in {} blocks, rendered ahead", blocks.end() - blocks.start() + 1);

    let read = read_all(&server.url(), *blocks.start(), *blocks.end()).await;
    let redis = Redis::own(&APPENDS);
    broker_alone(&redis.broker("bench"), &read).await;
    let memory = format!("{:?}", redis.run(&["MEMORY", "USAGE", &redis.key("stream:trades"), "SAMPLES", "0"]));
    println!("    stream:trades in Redis: {memory} bytes for {fills} entries");
    drop(redis);
    warehouse_alone(&*Database::new().warehouse(), &read).await;
    drop(read);

    let (redis, database, dir) = (Redis::own(&APPENDS), Database::empty(), TempDir::new().unwrap());
    let Run { elapsed, peak, busy } =
        run_on(&server.url(), *blocks.start(), fills, dir.path(), &servers(&redis, &database));
    report("the program: node to table, --until-caught-up", fills, "fills", elapsed);
    println!("    peak memory {:.0} MB, {:.2} cores busy", peak as f64 / 1024.0, busy / elapsed.as_secs_f64());

    for poll in ["1s", "200ms"] {
        let mut waits = latency(poll).await;
        waits.sort_unstable();
        let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_millis();
        println!(
            "from final to seen, 1,000 fills/s, poll_interval {poll}: p50 {} ms, p99 {} ms, {} blocks",
            at(0.5),
            at(0.99),
            waits.len()
        );
    }
}

fn servers(redis: &Redis, database: &Database) -> String {
    let clickhouse = database.config();
    format!(
        "redis = {{ url = \"{}\", key_prefix = \"{}\" }}\nclickhouse = {{ url = \"{}\", database = \"{}\" }}\n",
        redis.url(),
        redis.prefix(),
        clickhouse.url,
        clickhouse.database
    )
}

/// How long it took from when blocks were final until a reader saw a row of them or of a later one, for half a minute.
async fn latency(poll: &str) -> Vec<Duration> {
    let block_time = Duration::from_millis(500);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let world = Arc::new(World::new(WorldConfig {
        rate: 1_000.0,
        block_time,
        genesis_ms: i64::try_from((now - block_time * 20).as_millis()).unwrap(),
        ..WorldConfig::default()
    }));
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let (redis, database, url) = (Redis::own(&APPENDS), Database::empty(), server.url());
    let place = Workplace::new(&format!(
        r#"
        pipeline.start = "{}"
        sources.polygon = {{ urls = ["{url}"], poll_interval = "{poll}" }}
        sources.gamma = {{ url = "{url}", max_rate = 10000 }}
        sources.data_api = {{ url = "{url}", max_rate = 10000 }}
        storage.min_free = "0B"
        {}
        "#,
        world.config().first_block,
        servers(&redis, &database)
    ));
    let running = place.start(&["--no-tui"]);
    // What it begins with is no news any more.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let seen = || -> u64 { database.number("SELECT max(block_number) FROM trades") };
    let mut waiting: Vec<(u64, Instant)> = Vec::new();
    let (mut waits, mut last) = (Vec::new(), world.finalized(server.head()));
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(30) {
        let now_final = world.finalized(server.head());
        waiting.extend((last + 1..=now_final).map(|block| (block, Instant::now())));
        last = last.max(now_final);
        let seen = tokio::task::block_in_place(seen);
        waiting.retain(|(block, since)| {
            let is_seen = *block <= seen;
            if is_seen {
                waits.push(since.elapsed());
            }
            !is_seen
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.kill();
    waits
}
