//! At the tip: how long it takes from when a block is final until all of its rows can be read, and what that costs the node.
//!
//! Blocks come every 1.5 s with 1,000 fills a second, and finality moves by `POLYTAPE_BENCH_STEP` blocks (2) at once. The
//! settings are the default ones, the stores Redis and ClickHouse. `POLYTAPE_BENCH_OTHER` names another binary that takes
//! turns with this one, as many as `POLYTAPE_BENCH_TURNS` says (5), each of `POLYTAPE_BENCH_SECONDS` (60) behind as long a time
//! to begin.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::panic, missing_docs, dead_code)]
#![allow(unreachable_pub, unused_imports)]

mod common;
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use polytape::demo::{DemoServer, Faults, World, WorldConfig};

use common::{configuration, from_environment, median, two_binaries};
use support::clickhouse::Database;
use support::process::Workplace;
use support::redis::Redis;

/// As a Redis is that shall keep what it was told.
const APPENDS: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "everysec"];

/// How often to look what can be read.
const LOOK: Duration = Duration::from_millis(10);

/// What came of following the head for a while.
struct Followed {
    /// From when a block was final until all of its rows could be read, sorted, in milliseconds.
    waits: Vec<f64>,
    posts: f64,
    calls: f64,
}

impl Followed {
    fn at(&self, share: f64) -> f64 {
        self.waits[((self.waits.len() - 1) as f64 * share) as usize]
    }
}

#[tokio::main]
async fn main() {
    let (turns, step) = (from_environment("POLYTAPE_BENCH_TURNS", 5), from_environment("POLYTAPE_BENCH_STEP", 2));
    let time = Duration::from_secs(from_environment("POLYTAPE_BENCH_SECONDS", 60));
    let binaries = two_binaries();
    let mut all: Vec<Vec<Followed>> = binaries.iter().map(|_| Vec::new()).collect();
    for turn in 1..=turns {
        for ((name, binary), all) in binaries.iter().zip(&mut all) {
            let it = follow(binary, step, time).await;
            let (p50, p99, blocks) = (it.at(0.5), it.at(0.99), it.waits.len());
            println!(
                "turn {turn}, {name:<5} from final to readable: p50 {p50:.0} ms, p99 {p99:.0} ms, {blocks} blocks; \
                 {:.0} posts and {:.0} calls a minute",
                it.posts, it.calls
            );
            all.push(it);
        }
    }
    let medians: Vec<[f64; 4]> = all
        .iter()
        .map(|turns| {
            let of = |figure: fn(&Followed) -> f64| median(turns.iter().map(figure).collect());
            [of(|it| it.at(0.5)), of(|it| it.at(0.99)), of(|it| it.posts), of(|it| it.calls)]
        })
        .collect();
    for (at, what) in ["p50 ms", "p99 ms", "posts a minute", "calls a minute"].into_iter().enumerate() {
        let values: Vec<f64> = medians.iter().map(|of| of[at]).collect();
        match values[..] {
            [this, other] => println!("{what}, medians: {this:.0} and {other:.0}, ratio {:.2}", this / other),
            _ => println!("{what}, median: {:.0}", values[0]),
        }
    }
}

/// Follows the head for a while, and counts what the node is asked.
async fn follow(binary: &Path, step: u64, time: Duration) -> Followed {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let config = WorldConfig::default();
    let genesis_ms = i64::try_from((now - config.block_time * 20).as_millis()).unwrap();
    let blocks = (2 * time).div_duration_f64(config.block_time) as u64 + 60;
    let world = Arc::new(World::new(WorldConfig { genesis_ms, rate: 1_000.0, bad_logs: false, ..config }));
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    server.faults().set(Faults { finality_step: step, ..Faults::default() });
    // Rendering them is no part of what is measured.
    let first = world.config().first_block;
    server.prerender(first..=first + blocks);
    let (redis, database, url) = (Redis::own(&APPENDS), Database::empty(), server.url());
    let stores = format!("{}\n{}", redis.section(), database.section());
    let config = configuration(server.finalized(), &server.urls(1)[0], &url, &stores);
    let place = Workplace::new(&config).with_binary(binary);
    let running = place.start(&["--no-tui"]);
    tokio::time::sleep(time).await;
    let mut last = server.finalized();
    let mut waiting: VecDeque<(u64, Instant)> = VecDeque::new();
    let (mut waits, (posts, calls), begin) = (Vec::new(), server.traffic(0), Instant::now());
    while begin.elapsed() < time {
        let now_final = server.finalized();
        waiting.extend((last + 1..=now_final).map(|block| (block, Instant::now())));
        last = last.max(now_final);
        if let Some((first, _)) = waiting.front() {
            let sql = format!("SELECT count() FROM trades FINAL WHERE block_number >= {first}");
            let mut rows = tokio::task::block_in_place(|| database.number(&sql));
            while let Some((block, since)) = waiting.front() {
                let fills = world.block(*block).fills() as u64;
                let Some(rest) = rows.checked_sub(fills) else { break };
                rows = rest;
                waits.push(since.elapsed().as_secs_f64() * 1e3);
                waiting.pop_front();
            }
        }
        tokio::time::sleep(LOOK).await;
    }
    let (posts_then, calls_then) = server.traffic(0);
    let a_minute = |before: u64, after: u64| (after - before) as f64 * 60.0 / begin.elapsed().as_secs_f64();
    let (posts, calls) = (a_minute(posts, posts_then), a_minute(calls, calls_then));
    running.kill();
    assert!(!waits.is_empty(), "nothing was readable");
    waits.sort_unstable_by(f64::total_cmp);
    Followed { waits, posts, calls }
}
