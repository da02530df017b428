//! This binary beside that of another revision, in turns, in one run: what is lost or won shows as a ratio.
//!
//! `scripts/compare REV` builds the other one and runs this. `POLYTAPE_BENCH_OTHER` names its binary, `POLYTAPE_BENCH_TURNS`
//! (5) and `POLYTAPE_BENCH_FILLS` (300,000) say how much is run, `POLYTAPE_BENCH_ONLY` a part of it. Of the whole program, on Redis and ClickHouse and embedded, it
//! prints fills a second, peak memory and processor time a fill; then the bytes of Redis that a queued fill takes; and the rate
//! of this program between its start and its end as a share of what its parts allow that do one thing after the other.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::panic, missing_docs, dead_code)]
#![allow(unreachable_pub, unused_imports)]

mod common;
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use polytape::demo::{DemoServer, World};
use polytape::flow::StreamId;
use tempfile::TempDir;

use common::{
    Run, broker_alone, configuration, from_environment, median, past_world, read_all, run_binary, two_binaries,
    warehouse_alone,
};
use support::clickhouse::Database;
use support::process::{Workplace, until};
use support::redis::Redis;

/// As a Redis is that shall keep what it was told.
const APPENDS: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "everysec"];

/// How long a binary may take to queue all fills.
const TO_QUEUE: Duration = Duration::from_secs(300);

/// A world that is over, and a node that serves it.
struct Chain {
    server: DemoServer,
    first: u64,
    last: u64,
    fills: u64,
}

/// What is compared.
#[derive(Clone, Copy)]
struct Figures {
    rate: f64,
    /// Peak memory in MB.
    memory: f64,
    /// Microseconds of processor time a fill, of the program and of Redis.
    own: f64,
    of_redis: f64,
}

/// A figure, by its name.
type Figure = (&'static str, fn(&Figures) -> f64);

const NAMES: [Figure; 4] = [
    ("fills/s", |it| it.rate),
    ("peak memory, MB", |it| it.memory),
    ("processor time of polytape, us a fill", |it| it.own),
    ("processor time of redis-server, us a fill", |it| it.of_redis),
];

#[tokio::main]
async fn main() {
    let turns = from_environment("POLYTAPE_BENCH_TURNS", 5);
    let fills = from_environment("POLYTAPE_BENCH_FILLS", 300_000);
    let world = Arc::new(World::new(past_world(fills)));
    let blocks = world.config().first_block..=world.last_fill_block().unwrap();
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    server.prerender(blocks.clone());
    let chain = Chain { server, first: *blocks.start(), last: *blocks.end(), fills };
    // What is named alone is measured alone: servers, embedded, queued, share.
    let only = std::env::var("POLYTAPE_BENCH_ONLY").unwrap_or_default();
    let is_wanted = |name: &str| only.is_empty() || only.split(',').any(|wanted| wanted == name);
    for (store, run) in [("servers", on_servers as fn(&Path, &Chain) -> Figures), ("embedded", embedded)] {
        if is_wanted(store) {
            in_turns(store, turns, |binary| run(binary, &chain));
        }
    }
    for (name, binary) in two_binaries().into_iter().filter(|_| is_wanted("queued")) {
        let [order_events, trades] = queued(&binary, &chain);
        println!("bytes of Redis a queued fill, {name:<5} {order_events:.1} in order_events, {trades:.1} in trades");
    }
    if !is_wanted("share") {
        return;
    }
    let mut shares = Vec::new();
    for turn in 1..=turns {
        shares.push(share(turn, &chain).await);
    }
    println!("share of what the parts allow one after the other, median: {:.2}", median(shares));
}

/// Each binary as often, and the medians and the spread of what comes of it.
fn in_turns(store: &str, turns: u64, run: impl Fn(&Path) -> Figures) {
    let binaries = two_binaries();
    let mut all: Vec<Vec<Figures>> = binaries.iter().map(|_| Vec::new()).collect();
    for turn in 1..=turns {
        for ((name, binary), all) in binaries.iter().zip(&mut all) {
            let it = run(binary);
            println!(
                "{store}, turn {turn}, {name:<5} {:>8.0} fills/s, {:.0} MB, {:.2} us a fill, of redis-server {:.2}",
                it.rate, it.memory, it.own, it.of_redis
            );
            all.push(it);
        }
    }
    for (what, of) in NAMES {
        let values: Vec<Vec<f64>> = all.iter().map(|turns| turns.iter().map(of).collect()).collect();
        let text = values.iter().map(|values| {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(0.0, f64::max);
            format!("{:.2} ({least:.2} to {most:.2})", median(values.clone()))
        });
        let text = text.collect::<Vec<_>>().join(" and ");
        let medians: Vec<f64> = values.into_iter().map(median).collect();
        match medians[..] {
            [this, other] => println!("{store}, {what}, medians: {text}, ratio {:.2}", this / other),
            _ => println!("{store}, {what}, median: {text}"),
        }
    }
}

fn figures(Run { elapsed, peak, busy }: Run, fills: u64, of_redis: f64) -> Figures {
    let fills = fills as f64;
    let [own, of_redis] = [busy, of_redis].map(|seconds| seconds * 1e6 / fills);
    Figures { rate: fills / elapsed.as_secs_f64(), memory: peak as f64 / 1024.0, own, of_redis }
}

/// The whole program, node to table, on Redis and ClickHouse.
fn on_servers(binary: &Path, chain: &Chain) -> Figures {
    let (redis, database, dir) = (Redis::own(&APPENDS), Database::empty(), TempDir::new().unwrap());
    let more = format!("{}\n{}", redis.section(), database.section());
    let before = processor_time(&redis);
    let run = run_binary(binary, &chain.server.url(), chain.first, chain.fills, dir.path(), &more);
    figures(run, chain.fills, processor_time(&redis) - before)
}

/// The same on the embedded store.
fn embedded(binary: &Path, chain: &Chain) -> Figures {
    let dir = TempDir::new().unwrap();
    let run = run_binary(binary, &chain.server.url(), chain.first, chain.fills, dir.path(), "");
    figures(run, chain.fills, 0.0)
}

/// What a Redis has taken so far, in seconds.
fn processor_time(redis: &Redis) -> f64 {
    let info: String = ::redis::cmd("INFO").arg("cpu").query(&mut redis.client()).unwrap();
    let of = |name: &str| -> f64 { info.lines().find_map(|line| line.strip_prefix(name)).unwrap().parse().unwrap() };
    of("used_cpu_user:") + of("used_cpu_sys:")
}

/// The bytes of Redis that a fill takes in each of the streams, where all of them wait.
fn queued(binary: &Path, chain: &Chain) -> [f64; 2] {
    let (redis, database) = (Redis::own(&[]), Database::empty());
    let stores = format!("{}\n{}", redis.section(), database.section());
    let url = chain.server.url();
    let place = Workplace::new(&configuration(chain.first, &url, &url, &stores)).with_binary(binary);
    [("ingest-fills", "stream:order_events"), ("process-trades", "stream:trades")].map(|(stage, stream)| {
        let running = place.start(&["--no-tui", "--only", stage]);
        until(TO_QUEUE, "all fills are queued", || redis.events(stream) >= chain.fills);
        running.kill();
        let mut client = redis.client();
        let bytes: u64 =
            ::redis::cmd("MEMORY").arg(&["USAGE", &redis.key(stream), "SAMPLES", "0"]).query(&mut client).unwrap();
        bytes as f64 / redis.events(stream) as f64
    })
}

/// The rate of the program between a tenth and nine tenths of its rows, as a share of that of its parts, one after the other.
async fn share(turn: u64, chain: &Chain) -> f64 {
    let fills = chain.fills as f64;
    let (read, source) = timed(read_all(&chain.server.url(), chain.first, chain.last)).await;
    let redis = Redis::own(&APPENDS);
    let broker = redis.broker("bench");
    let ((), hops) = timed(broker_alone(&broker, &read)).await;
    let database = Database::new();
    let ((), table) = timed(warehouse_alone(&*database.warehouse(), &read)).await;
    drop((read, redis));
    let whole = tokio::task::block_in_place(|| middle(chain));
    let share = whole * (source + hops + table) / fills;
    println!(
        "turn {turn}: source alone {:.0}, two hops alone {:.0}, table alone {:.0}, the program in its middle {whole:.0} \
         fills/s: share {share:.2}",
        fills / source,
        fills / hops,
        fills / table
    );
    share
}

/// What comes of it, and how many seconds that takes.
async fn timed<T>(part: impl Future<Output = T>) -> (T, f64) {
    let begin = Instant::now();
    (part.await, begin.elapsed().as_secs_f64())
}

/// Rows a second of this program between a tenth and nine tenths of them.
fn middle(chain: &Chain) -> f64 {
    let (redis, database, dir) = (Redis::own(&APPENDS), Database::empty(), TempDir::new().unwrap());
    let more = format!("{}\n{}", redis.section(), database.section());
    let (_, binary) = two_binaries().remove(0);
    let is_over = AtomicBool::new(false);
    let (from, to) = (chain.fills / 10, chain.fills * 9 / 10);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let (mut client, key) = (redis.client(), redis.key("tally:stream:trades"));
            let (mut first, mut last) = (None, None);
            while !is_over.load(Ordering::Relaxed) {
                let group = StreamId::Trades.group();
                let fields = [format!("done:{group}"), format!("surplus_done:{group}")];
                let counters: Vec<Option<u64>> =
                    ::redis::cmd("HMGET").arg(&key).arg(&fields).query(&mut client).unwrap();
                let rows: u64 = counters.into_iter().flatten().sum();
                let now = (Instant::now(), rows);
                if rows >= from {
                    first.get_or_insert(now);
                }
                if rows >= to {
                    last.get_or_insert(now);
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            let ((begin, first), (end, last)) = (first.expect("a tenth"), last.expect("nine tenths"));
            (last - first) as f64 / (end - begin).as_secs_f64()
        });
        run_binary(&binary, &chain.server.url(), chain.first, chain.fills, dir.path(), &more);
        is_over.store(true, Ordering::Relaxed);
        watching.join().unwrap()
    })
}
