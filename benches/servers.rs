//! The pipeline on Redis and ClickHouse end to end, beside its ceilings in the same run, and how long a fill takes.
//!
//! `cargo bench --bench servers` starts a redis-server that appends to disk once a second, and ClickHouse's engine as the
//! tests do, and prints fills a second for each part alone and for the program as a whole; then how long it takes from
//! when a block is final until a reader sees its last row. `POLYTAPE_BENCH_FILLS` sets how many fills (300,000).

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::panic, missing_docs, dead_code)]
#![allow(unreachable_pub, unused_imports)]

mod common;
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use polytape::broker::{Advance, Broker, Delivery, Handover, Layout, NewEntry, Stream};
use polytape::demo::{DemoServer, World, WorldConfig};
use polytape::model::entry::Entry;
use polytape::model::{Fill, Resolution, Trade};
use polytape::source::FillSource;
use polytape::source::Start;
use polytape::source::polygon::{Polygon, PolygonConfig};
use polytape::warehouse::Warehouse;
use tempfile::TempDir;

use common::{Run, from_environment, past_world, report, run_on};
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
    broker_alone(&read).await;
    warehouse_alone(&read).await;
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

async fn read_all(url: &str, first: u64, last: u64) -> Vec<Fill> {
    let source = Polygon::new(PolygonConfig { urls: vec![url.to_owned()], ..PolygonConfig::default() }).unwrap();
    source.world().await.unwrap();
    let mut position = source.resolve(&Start::Block(first)).await.unwrap();
    let mut fills = Vec::new();
    while position.block <= last {
        let page = source.page(position, last).await.unwrap();
        position = page.next;
        fills.extend(page.events.into_iter().filter_map(|event| event.fill.ok()));
    }
    fills
}

/// Two hops: append, read, forward, read, acknowledge.
async fn broker_alone(fills: &[Fill]) {
    let redis = Redis::own(&APPENDS);
    let broker = redis.broker("bench");
    let (input, output) = (Stream::order_events().group("in"), Stream::trades().group("out"));
    let layout = Layout { groups: vec![input.clone(), output.clone()], cursors: vec!["cursor".into()] };
    broker.begin(&layout, &[("cursor".into(), "0".into())]).await.unwrap();
    let (mut inputs, mut outputs) = (broker.reader(&input).await.unwrap(), broker.reader(&output).await.unwrap());
    let start = Instant::now();
    for (at, fills) in fills.chunks(1_000).enumerate() {
        let entries =
            fills.iter().map(|fill| NewEntry { stream: Stream::order_events(), body: fill.encode() }).collect();
        let advance = Advance { key: "cursor".into(), expected: at.to_string(), next: (at + 1).to_string() };
        broker.append(entries, advance).await.unwrap();
        let read = inputs.read(1_000, usize::MAX, Duration::ZERO).await.unwrap();
        let handover = |entry: Delivery| Handover {
            id: entry.id,
            outputs: vec![NewEntry { stream: Stream::trades(), body: entry.body }],
        };
        broker.forward(&input, read.into_iter().map(handover).collect()).await.unwrap();
        let read = outputs.read(1_000, usize::MAX, Duration::ZERO).await.unwrap();
        broker.acknowledge(&output, read.iter().map(|entry| entry.id).collect()).await.unwrap();
    }
    report("broker alone: two hops of encoded fills", fills.len() as u64, "fills", start.elapsed());
    let memory = format!("{:?}", redis.run(&["MEMORY", "USAGE", &redis.key("stream:trades"), "SAMPLES", "0"]));
    println!("    stream:trades in Redis: {memory} bytes for {} entries", fills.len());
}

async fn warehouse_alone(fills: &[Fill]) {
    let database = Database::new();
    let warehouse = database.warehouse();
    let start = Instant::now();
    for fills in fills.chunks(50_000) {
        let trade = |fill: &Fill| Trade { resolution: Resolution::of_fill(fill), fill: fill.clone() };
        let trades: Vec<Trade> = fills.iter().map(trade).collect();
        warehouse.write_trades(&trades).await.unwrap();
    }
    report("warehouse alone: rows into the table", fills.len() as u64, "fills", start.elapsed());
}

/// How long it took from when blocks were final until a reader saw all of their rows, for half a minute.
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
        // A block is whole once a later one is seen, or it is the last of its batch: a batch ends with its block.
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
