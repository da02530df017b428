//! This binary beside that of another revision, in turns, in one run: what is lost or won shows as a ratio.
//!
//! `scripts/compare REV` builds the other one and runs this. `POLYTAPE_BENCH_OTHER` names its binary, `POLYTAPE_BENCH_TURNS`
//! (5) and `POLYTAPE_BENCH_FILLS` (300,000) say how much is run. Printed are the fills a second of the whole program on Redis
//! and ClickHouse, and how often one node is asked at the tip of the chain in a minute, with blocks every 1.5 s and the default
//! settings.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::panic, missing_docs, dead_code)]
#![allow(unreachable_pub, unused_imports)]

mod common;
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use polytape::demo::{DemoServer, World, WorldConfig};
use serde_json::Value;
use tempfile::TempDir;

use common::{Run, from_environment, median, past_world, run_binary};
use support::clickhouse::Database;
use support::node::Node;
use support::process::Running;
use support::redis::Redis;

/// As a Redis is that shall keep what it was told.
const APPENDS: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "everysec"];

/// How long the tip is followed, after as long a time for the start.
const AT_THE_TIP: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() {
    let this = PathBuf::from(env!("CARGO_BIN_EXE_polytape"));
    let other = std::env::var_os("POLYTAPE_BENCH_OTHER").map(PathBuf::from);
    let other = other.expect("POLYTAPE_BENCH_OTHER names the other binary: see scripts/compare");
    let turns = from_environment("POLYTAPE_BENCH_TURNS", 5);
    through_servers(&this, &other, turns).await;
    at_the_tip(&this, &other).await;
}

/// The whole program, node to table, on Redis and ClickHouse.
async fn through_servers(this: &Path, other: &Path, turns: u64) {
    let fills = from_environment("POLYTAPE_BENCH_FILLS", 300_000);
    let world = Arc::new(World::new(past_world(fills)));
    let blocks = world.config().first_block..=world.last_fill_block().unwrap();
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    server.prerender(blocks.clone());
    let mut rates: [Vec<f64>; 2] = Default::default();
    for turn in 1..=turns {
        for (rates, (name, binary)) in rates.iter_mut().zip([("this", this), ("other", other)]) {
            let (redis, database, dir) = (Redis::own(&APPENDS), Database::empty(), TempDir::new().unwrap());
            let more = format!("{}\n{}", redis.section(), database.section());
            let Run { elapsed, peak, .. } =
                run_binary(binary, &server.url(), *blocks.start(), fills, dir.path(), &more);
            let rate = fills as f64 / elapsed.as_secs_f64();
            println!("turn {turn}, {name:<5} {rate:>9.0} fills/s, peak memory {:.0} MB", peak as f64 / 1024.0);
            rates.push(rate);
        }
    }
    let [this, other] = rates.map(median);
    println!("through Redis and ClickHouse, medians: {this:.0} and {other:.0} fills/s, ratio {:.2}", this / other);
}

/// What one node was asked.
#[derive(Default)]
struct Asked {
    posts: AtomicU64,
    calls: AtomicU64,
}

/// One node behind a counter, followed at the tip.
async fn at_the_tip(this: &Path, other: &Path) {
    for (name, binary) in [("this", this), ("other", other)] {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let config = WorldConfig::default();
        let genesis_ms = i64::try_from((now - config.block_time * 200).as_millis()).unwrap();
        let world = Arc::new(World::new(WorldConfig { genesis_ms, rate: 75.0, ..config }));
        let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let asked = Arc::new(Asked::default());
        let node = counted(server.url(), Arc::clone(&asked)).await;
        let dir = TempDir::new().unwrap();
        let text = format!(
            "pipeline.start = \"{}\"\nsources.polygon.urls = [\"{}\"]\nsources.gamma.url = \"{url}\"\n\
             sources.data_api.url = \"{url}\"\nstorage.min_free = \"0B\"\n",
            world.config().first_block,
            node.url(),
            url = server.url()
        );
        std::fs::write(dir.path().join("config.toml"), text).unwrap();
        let mut command = Command::new(binary);
        command.args(["--no-tui", "--config"]).arg(dir.path().join("config.toml"));
        command.arg("--data-dir").arg(dir.path().join("data"));
        let running = Running::start(command, dir.path());
        tokio::time::sleep(AT_THE_TIP / 2).await;
        let before = [&asked.posts, &asked.calls].map(|count| count.load(Ordering::Relaxed));
        tokio::time::sleep(AT_THE_TIP).await;
        let after = [&asked.posts, &asked.calls].map(|count| count.load(Ordering::Relaxed));
        println!("at the tip, {name:<5} {} posts and {} calls a minute", after[0] - before[0], after[1] - before[1]);
        running.kill();
    }
}

/// Passes everything on to the node at `url`, and counts.
async fn counted(url: String, asked: Arc<Asked>) -> Node {
    let client = reqwest::Client::new();
    let pass = async move |State(asked): State<Arc<Asked>>, body: Bytes| {
        let calls = match serde_json::from_slice::<Value>(&body).unwrap() {
            Value::Array(calls) => calls.len() as u64,
            _ => 1,
        };
        asked.posts.fetch_add(1, Ordering::Relaxed);
        asked.calls.fetch_add(calls, Ordering::Relaxed);
        let answer = client.post(&url).header(CONTENT_TYPE, "application/json").body(body).send().await.unwrap();
        ([(CONTENT_TYPE, "application/json")], answer.bytes().await.unwrap())
    };
    Node::serve(Router::new().fallback(pass).with_state(asked)).await
}
