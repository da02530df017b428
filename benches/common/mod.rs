//! What the benches share: worlds, stores, and the binary as a user runs it, with its time and memory.

#![allow(dead_code, unreachable_pub, reason = "each bench uses its part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use polytape::broker::{AckAndForward, Broker, CursorCommit, Delivery, Layout, NewEntry, Stream};
use polytape::demo::WorldConfig;
use polytape::flow::StreamId;
use polytape::model::entry::{MAX_EVENTS, Packer};
use polytape::model::{Fill, Resolution, Trade};
use polytape::source::polygon::{Polygon, PolygonConfig};
use polytape::source::{ChainProvider, Start};
use polytape::sqlite::{DataDir, Database};
use polytape::warehouse::{Warehouse, WriteRows};
use tempfile::TempDir;

/// About as many fills in a second as Polygon has.
pub const FILLS_PER_SECOND: f64 = 75.0;

/// A size from the environment.
pub fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The binary that was built with the bench, or that `POLYTAPE_BENCH_THIS` names, and the one to compare it with, if
/// `POLYTAPE_BENCH_OTHER` names one.
pub fn two_binaries() -> Vec<(&'static str, PathBuf)> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let this = named("POLYTAPE_BENCH_THIS").unwrap_or_else(|| env!("CARGO_BIN_EXE_polytape").into());
    std::iter::once(("this", this)).chain(named("POLYTAPE_BENCH_OTHER").map(|other| ("other", other))).collect()
}

/// A world of so many fills, which is surely over by now: it is random, and this is a fifth more than its mean.
pub fn past_world(fills: u64) -> WorldConfig {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let age = Duration::from_secs_f64(fills as f64 / FILLS_PER_SECOND * 1.2) + Duration::from_secs(60);
    let genesis_ms = i64::try_from((now - age).as_millis()).unwrap();
    WorldConfig { fills: Some(fills), rate: FILLS_PER_SECOND, genesis_ms, ..WorldConfig::default() }
}

/// An empty store.
pub fn store() -> (TempDir, DataDir, Database) {
    let dir = TempDir::new().unwrap();
    let data_dir = DataDir::lock(dir.path()).unwrap();
    let database = Database::open(&data_dir).unwrap();
    (dir, data_dir, database)
}

/// All fills of these blocks, as the source reads them.
pub async fn read_all(url: &str, first: u64, last: u64) -> Vec<Fill> {
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
pub async fn broker_alone(broker: &dyn Broker, fills: &[Fill]) {
    let (input, output) = (Stream::of(StreamId::OrderEvents).group("in"), Stream::of(StreamId::Trades).group("out"));
    let layout = Layout { groups: vec![input.clone(), output.clone()], cursors: vec!["cursor".into()] };
    broker.begin(&layout, &[("cursor".into(), "0".into())]).await.unwrap();
    let (mut inputs, mut outputs) = (broker.reader(&input).await.unwrap(), broker.reader(&output).await.unwrap());
    let start = Instant::now();
    for (at, fills) in fills.chunks(1_000).enumerate() {
        let (mut packer, mut bodies) = (Packer::new(MAX_EVENTS), Vec::new());
        fills.iter().for_each(|fill| bodies.extend(packer.push(fill)));
        bodies.extend(packer.finish());
        let entry = |body| NewEntry { stream: Stream::of(StreamId::OrderEvents), body };
        let entries = bodies.into_iter().map(entry).collect();
        let advance = CursorCommit { key: "cursor".into(), expected: at.to_string(), next: (at + 1).to_string() };
        broker.append(entries, advance).await.unwrap();
        let read = inputs.read(1_000, usize::MAX, Duration::ZERO).await.unwrap();
        let handover = |entry: Delivery| AckAndForward {
            id: entry.id,
            outputs: vec![NewEntry { stream: Stream::of(StreamId::Trades), body: entry.body }],
        };
        broker.forward(&input, read.into_iter().map(handover).collect()).await.unwrap();
        let read = outputs.read(1_000, usize::MAX, Duration::ZERO).await.unwrap();
        broker.acknowledge(&output, read.iter().map(|entry| entry.id).collect()).await.unwrap();
    }
    report("broker alone: two hops of encoded fills", fills.len() as u64, "fills", start.elapsed());
}

/// Rows whose market is not known, in batches as large as the writer's.
pub async fn warehouse_alone(warehouse: &dyn Warehouse, fills: &[Fill]) {
    let start = Instant::now();
    for fills in fills.chunks(50_000) {
        let trade = |fill: &Fill| Trade { resolution: Resolution::of_fill(fill), fill: fill.clone() };
        let trades: Vec<Trade> = fills.iter().map(trade).collect();
        warehouse.write_rows(&trades).await.unwrap();
    }
    report("warehouse alone: rows into the table", fills.len() as u64, "fills", start.elapsed());
}

pub fn report(what: &str, count: u64, of: &str, elapsed: Duration) {
    println!("{what:<55} {:>9.0} {of}/s  ({:.2} s)", count as f64 / elapsed.as_secs_f64(), elapsed.as_secs_f64());
}

/// One run of the binary.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// From its start to its exit.
    pub elapsed: Duration,
    /// Its peak memory in KiB.
    pub peak: u64,
    /// The CPU seconds that it took.
    pub busy: f64,
}

/// A configuration that reads a node and the APIs of a demo world from a block on, with more lines.
pub fn configuration(first: u64, node: &str, api: &str, more: &str) -> String {
    format!(
        r#"
        pipeline.start = "{first}"
        sources.polygon.urls = ["{node}"]
        sources.gamma = {{ url = "{api}", max_rate = 10000 }}
        sources.data_api = {{ url = "{api}", max_rate = 10000 }}
        storage.min_free = "0B"
        {more}
        "#
    )
}

/// Runs the binary until it has caught up with the server at `url`, into a data directory. It must end with that many trades at least.
pub fn run(url: &str, first: u64, fills: u64, data_dir: &Path) -> Run {
    run_on(url, first, fills, data_dir, "")
}

/// The same, on what these lines of a configuration name.
pub fn run_on(url: &str, first: u64, fills: u64, data_dir: &Path, more: &str) -> Run {
    run_binary(Path::new(env!("CARGO_BIN_EXE_polytape")), url, first, fills, data_dir, more)
}

/// The same with another binary.
pub fn run_binary(binary: &Path, url: &str, first: u64, fills: u64, data_dir: &Path, more: &str) -> Run {
    let dir = TempDir::new().unwrap();
    let config = dir.path().join("config.toml");
    fs::write(&config, configuration(first, url, url, more)).unwrap();
    let start = Instant::now();
    let mut child = Command::new(binary)
        .args(["--no-tui", "--until-caught-up", "--timeout", "60s", "--config"])
        .arg(&config)
        .arg("--data-dir")
        .arg(data_dir)
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
    // What was there before is counted, too.
    assert!(rows.parse().is_ok_and(|rows: u64| rows >= fills), "{stdout}");
    Run { elapsed, peak, busy }
}

/// `utime` and `stime` of `/proc/<pid>/stat`, in hundredths of a second.
fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}
