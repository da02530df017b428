//! What a run with `--until-caught-up` spends on its two ends: from the start of the process to the first append, and from the last
//! row that is confirmed to the exit. What lies between is the bench `pipeline`'s.
//!
//! `POLYTAPE_BENCH_OTHER` names another binary that takes turns with this one, `POLYTAPE_BENCH_TURNS` (5) says how many,
//! `POLYTAPE_BENCH_FILLS` (30,000) how much there is to read, beside 500 markets.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::panic, missing_docs, dead_code)]
#![allow(unreachable_pub, unused_imports)]

mod common;
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use parking_lot::Mutex;
use polytape::demo::{Clock, DemoServer, World, WorldConfig};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use common::{configuration, from_environment, median, past_world, two_binaries};
use support::clickhouse::Database;
use support::node::Node;
use support::process::Workplace;
use support::redis::Redis;

/// As a Redis is that shall keep what it was told.
const APPENDS: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "everysec"];

/// How often to look.
const LOOK: Duration = Duration::from_millis(3);

/// The cursor that the first append moves.
const CURSOR: &str = "state:ingest-fills:polygon";

/// What the two ends took, in seconds.
#[derive(Clone, Copy)]
struct Ends {
    start: f64,
    exit: f64,
}

#[tokio::main]
async fn main() {
    let turns = from_environment("POLYTAPE_BENCH_TURNS", 5);
    let config = past_world(from_environment("POLYTAPE_BENCH_FILLS", 30_000));
    let (bad_logs, bad_markets) = (false, false);
    let world = Arc::new(World::new(WorldConfig { market_period: 1, bad_logs, bad_markets, ..config }));
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    server.prerender(world.config().first_block..=world.last_fill_block().unwrap());
    let binaries = two_binaries();
    for store in ["embedded", "servers"] {
        let mut sums: Vec<Vec<f64>> = binaries.iter().map(|_| Vec::new()).collect();
        for turn in 1..=turns {
            for ((name, binary), sums) in binaries.iter().zip(&mut sums) {
                // A chain that stands lets nothing come behind the last row.
                server.set_clock(Clock::Wall);
                server.freeze_at(server.head());
                let Ends { start, exit } = match store {
                    "embedded" => embedded(binary, &server),
                    _ => servers(binary, &server).await,
                };
                println!("{store}, turn {turn}, {name:<5} start {start:.3} s, exit {exit:.3} s");
                sums.push(start + exit);
            }
        }
        let medians: Vec<f64> = sums.into_iter().map(median).collect();
        match medians[..] {
            [this, other] => println!("{store}, medians: {this:.3} and {other:.3} s, ratio {:.2}", this / other),
            _ => println!("{store}, median: {:.3} s", medians[0]),
        }
    }
}

/// A place where a run reads the server, with these stores.
fn place(binary: &Path, server: &DemoServer, stores: &str) -> Workplace {
    let url = server.url();
    let config = configuration(server.world().config().first_block, &url, &url, stores);
    Workplace::new(&config).with_binary(binary)
}

/// Runs to the end, and looks in between when the cursor moves and when rows come.
fn run(place: &Workplace, mut cursor: impl FnMut() -> Option<String>, mut last_row: impl FnMut() -> Instant) -> Ends {
    let begin = Instant::now();
    let mut running = place.start(&["--no-tui", "--until-caught-up", "--timeout", "60s"]);
    let (mut first, mut moved, mut last) = (None, None, begin);
    let status = loop {
        if let Some(status) = running.ended() {
            break status;
        }
        if moved.is_none()
            && let Some(now) = cursor()
            && *first.get_or_insert_with(|| now.clone()) != now
        {
            moved = Some(begin.elapsed());
        }
        last = last_row().max(last);
        std::thread::sleep(LOOK);
    };
    let end = Instant::now();
    assert!(status.success(), "{}", running.stderr());
    println!("    {}", running.stdout().trim());
    Ends { start: moved.expect("an append").as_secs_f64(), exit: (end - last).as_secs_f64() }
}

fn embedded(binary: &Path, server: &DemoServer) -> Ends {
    let place = place(binary, server, "");
    let file = place.data_dir().join("polytape.db");
    let open = || {
        let store = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
        store.query_row("SELECT count(*) FROM cursors", [], |_| Ok(())).ok()?;
        Some(store)
    };
    let (mut reader, mut counter) = (None, None);
    let cursor = || {
        reader = reader.take().or_else(open);
        let text = "SELECT value FROM cursors WHERE key = ?1";
        reader.as_ref()?.query_row(text, [CURSOR], |row| row.get(0)).ok()
    };
    let (mut before, mut last) = (None, Instant::now());
    let last_row = || {
        counter = counter.take().or_else(open);
        let text = "SELECT (SELECT count(*) FROM trades) + (SELECT count(*) FROM markets)";
        let count = |store: &Connection| store.query_row(text, [], |row| row.get::<_, u64>(0)).ok();
        let now = counter.as_ref().and_then(count);
        if now.is_some() && now != before {
            (before, last) = (now, Instant::now());
        }
        last
    };
    run(&place, cursor, last_row)
}

async fn servers(binary: &Path, server: &DemoServer) -> Ends {
    let (redis, database) = (Redis::own(&APPENDS), Database::empty());
    let last = Arc::new(Mutex::new(Instant::now()));
    let front = noting(database.config().url, Arc::clone(&last)).await;
    let place = place(binary, server, &format!("{}\n{}", redis.section(), database.section_at(&front.url())));
    let (mut client, key) = (redis.client(), redis.key(CURSOR));
    let cursor = || -> Option<String> { ::redis::cmd("GET").arg(&key).query(&mut client).ok() };
    tokio::task::block_in_place(|| run(&place, cursor, || *last.lock()))
}

/// Passes everything on to the ClickHouse at `url`, and notes when it last confirmed rows of trades or markets.
async fn noting(url: String, last: Arc<Mutex<Instant>>) -> Node {
    let client = support::gateway::client();
    let pass = async move |State(last): State<Arc<Mutex<Instant>>>, uri: Uri, headers: HeaderMap, body: Bytes| {
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let is_insert = |text: &str| {
            let text = text.replace("%20", " ").replace('+', " ").replace("%28", "(");
            ["trades", "markets"].iter().any(|table| text.contains(&format!("INSERT INTO {table} (")))
        };
        let begins = String::from_utf8_lossy(&body[..body.len().min(400)]).into_owned();
        let notes = is_insert(&path) || is_insert(&begins);
        let answer: Response = support::gateway::pass(&client, &format!("{url}{path}"), &headers, body).await;
        if notes {
            *last.lock() = Instant::now();
        }
        answer
    };
    Node::serve(Router::new().fallback(pass).with_state(last)).await
}
