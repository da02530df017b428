//! The embedded pipeline end to end, from pages that are rendered ahead, beside its ceilings in the same run.
//!
//! `cargo bench --bench pipeline` prints fills a second for each part alone and for the program as a whole, and the
//! program's peak memory. `POLYTAPE_BENCH_FILLS` sets how many fills (300,000).

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use polytape::broker::{Advance, Broker, EmbeddedBroker, Handover, Layout, NewEntry, Stream};
use polytape::demo::{DemoServer, World, WorldConfig};
use polytape::embedded::{DataDir, Database};
use polytape::model::entry::Entry;
use polytape::model::{Fill, Resolution, Trade};
use polytape::source::polygon::{Polygon, PolygonConfig};
use polytape::source::{FillSource, Start};
use polytape::warehouse::{EmbeddedWarehouse, Warehouse};
use tempfile::TempDir;

/// About as many fills in a block as Polygon has.
const FILLS_PER_SECOND: f64 = 75.0;

#[tokio::main]
async fn main() {
    let fills: u64 = std::env::var("POLYTAPE_BENCH_FILLS").map_or(300_000, |text| text.parse().unwrap());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    // The world is random: a fifth more than its mean is surely over by now.
    let age = Duration::from_secs_f64(fills as f64 / FILLS_PER_SECOND * 1.2) + Duration::from_secs(60);
    let world = Arc::new(World::new(WorldConfig {
        fills: Some(fills),
        rate: FILLS_PER_SECOND,
        genesis_ms: i64::try_from((now - age).as_millis()).unwrap(),
        ..WorldConfig::default()
    }));
    let blocks = world.config().first_block..=world.last_fill_block().unwrap();
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    server.prerender(blocks.clone());
    println!("{fills} fills in {} blocks, rendered ahead", blocks.end() - blocks.start() + 1);

    let start = Instant::now();
    let bytes = drain(&server.url(), *blocks.start(), *blocks.end()).await;
    report("generator alone: pages over loopback, unread", fills, start.elapsed());
    println!("    {:.0} MB of JSON", bytes as f64 / 1e6);

    let start = Instant::now();
    let read = read_all(&server.url(), *blocks.start(), *blocks.end()).await;
    report("source alone: fetch, check, decode", fills, start.elapsed());
    assert_eq!(read.len() as u64, fills);

    broker_alone(&read).await;
    warehouse_alone(&read).await;
    drop(read);

    let (elapsed, peak, busy) = whole(&server.url(), *blocks.start(), fills);
    report("the program: node to table, --until-caught-up", fills, elapsed);
    println!("    peak memory {:.0} MB, {:.2} cores busy", peak as f64 / 1024.0, busy / elapsed.as_secs_f64());
}

fn report(what: &str, fills: u64, elapsed: Duration) {
    println!("{what:<55} {:>9.0} fills/s  ({:.2} s)", fills as f64 / elapsed.as_secs_f64(), elapsed.as_secs_f64());
}

/// Asks for all pages, forty blocks at a time, and throws them away.
async fn drain(url: &str, first: u64, last: u64) -> usize {
    let client = reqwest::Client::new();
    let mut bytes = 0;
    for from in (first..=last).step_by(40) {
        let to = last.min(from + 39);
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{{"fromBlock":"{from:#x}","toBlock":"{to:#x}"}}]}}"#
        );
        bytes += client.post(url).body(body).send().await.unwrap().bytes().await.unwrap().len();
    }
    bytes
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

fn store() -> (TempDir, DataDir, Database) {
    let dir = TempDir::new().unwrap();
    let data_dir = DataDir::lock(dir.path()).unwrap();
    let database = Database::open(&data_dir).unwrap();
    (dir, data_dir, database)
}

/// Two hops: append, read, forward, read, acknowledge.
async fn broker_alone(fills: &[Fill]) {
    let (_dir, _lock, database) = store();
    let broker = EmbeddedBroker::new(database);
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
        let handover = |entry: polytape::broker::Delivery| Handover {
            id: entry.id,
            outputs: vec![NewEntry { stream: Stream::trades(), body: entry.body }],
        };
        broker.forward(&input, read.into_iter().map(handover).collect()).await.unwrap();
        let read = outputs.read(1_000, usize::MAX, Duration::ZERO).await.unwrap();
        broker.acknowledge(&output, read.iter().map(|entry| entry.id).collect()).await.unwrap();
    }
    report("broker alone: two hops of encoded fills", fills.len() as u64, start.elapsed());
}

async fn warehouse_alone(fills: &[Fill]) {
    let (_dir, _lock, database) = store();
    let warehouse = EmbeddedWarehouse::new(database);
    let start = Instant::now();
    for fills in fills.chunks(50_000) {
        let trade = |fill: &Fill| Trade { resolution: Resolution::of_fill(fill), fill: fill.clone() };
        let trades: Vec<Trade> = fills.iter().map(trade).collect();
        warehouse.write_trades(&trades).await.unwrap();
    }
    report("warehouse alone: rows into the table", fills.len() as u64, start.elapsed());
}

/// The binary as a user runs it, from its start to its exit; its peak memory in KiB, and the CPU seconds that it took.
fn whole(url: &str, first: u64, fills: u64) -> (Duration, u64, f64) {
    let dir = TempDir::new().unwrap();
    let config = dir.path().join("config.toml");
    let text = format!("pipeline.start = \"{first}\"\nsources.polygon.urls = [\"{url}\"]\nstorage.min_free = \"0B\"\n");
    fs::write(&config, text).unwrap();
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_polytape"))
        .args(["--no-tui", "--until-caught-up", "--timeout", "60s", "--config"])
        .arg(&config)
        .arg("--data-dir")
        .arg(dir.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut peak, mut busy) = (0, 0.0);
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let high = high.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = high.unwrap_or(peak).max(peak);
        busy = cpu_seconds(child.id()).unwrap_or(busy);
        std::thread::sleep(Duration::from_millis(5));
    }
    let elapsed = start.elapsed();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    let rows: String = stdout.split(" trades").next().unwrap().chars().rev().take_while(|c| *c != ' ').collect();
    let rows: String = rows.chars().rev().filter(char::is_ascii_digit).collect();
    assert_eq!(rows, fills.to_string(), "{stdout}");
    (elapsed, peak, busy)
}

/// `utime` and `stime` of `/proc/<pid>/stat`, in hundredths of a second.
fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}
