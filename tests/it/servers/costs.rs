//! What a fill costs on Redis and ClickHouse: bytes, statements, rows and processor time. None of it is wall-clock time, which says more
//! of the machine than of the program. What is asserted is what was measured and a tenth, for processor time a third.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use polytape::demo::{DemoServer, World, WorldConfig};
use polytape::model::entry::{Entry, MAX_EVENTS, Packer};
use polytape::model::{Address, Amount, B256, Exchange, Fill, Side, TokenId, U256};
use rustix::time::{ClockId, clock_gettime};

use crate::support::clickhouse::Database;
use crate::support::process::{Workplace, until};
use crate::support::redis::Redis;

const FILLS: u64 = 30_000;

/// Bytes of Redis that a queued fill takes in each stream.
const QUEUED: [(&str, &str, f64); 2] =
    [("ingest-fills", "stream:order_events", 83.0), ("process-trades", "stream:trades", 96.0)];

/// Entries of all streams for a thousand fills, markets among them.
const ENTRIES: f64 = 11.1;

/// Processor time of the program for a fill, by that of packing one into an entry and reading it again.
const OWN: f64 = 11.0;

/// The same of redis-server, which is no debug build.
const OF_REDIS: f64 = 0.9;

/// A world that is over, and the node that serves it.
async fn chain() -> (Arc<World>, DemoServer) {
    let genesis_ms = now() - 3_600_000;
    let config = WorldConfig { fills: Some(FILLS), rate: 75.0, genesis_ms, bad_logs: false, ..WorldConfig::default() };
    let world = Arc::new(World::new(config));
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    (world, server)
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

fn configuration(world: &World, server: &DemoServer, redis: &Redis, database: &Database) -> String {
    let (first, url) = (world.config().first_block, server.url());
    format!(
        "pipeline.start = \"{first}\"\nsources.polygon.urls = [\"{url}\"]\n\
         sources.gamma = {{ url = \"{url}\", max_rate = 10000 }}\nsources.data_api = {{ url = \"{url}\", max_rate = 10000 }}\n\
         storage.min_free = \"0B\"\n{}\n{}\n",
        redis.section(),
        database.section()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_fill_takes_few_bytes() {
    let (world, server) = chain().await;
    let (redis, database) = (Redis::own(&[]), Database::empty());
    let place = Workplace::new(&configuration(&world, &server, &redis, &database));
    for (stage, stream, measured) in QUEUED {
        let running = place.start(&["--no-tui", "--only", stage]);
        until(Duration::from_secs(120), "all fills are queued", || redis.events(stream) >= FILLS);
        running.kill();
        let usage = ["USAGE", &redis.key(stream), "SAMPLES", "0"];
        let bytes: u64 = ::redis::cmd("MEMORY").arg(&usage).query(&mut redis.client()).unwrap();
        let each = bytes as f64 / redis.events(stream) as f64;
        println!("{stream}: {each:.1} bytes a fill");
        assert!(each < measured * 1.1, "{stream}: {each:.1} bytes a fill, {measured} when it was measured");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fill_takes_few_calls_one_row_and_little_time() {
    let (world, server) = chain().await;
    let (redis, database) = (Redis::own(&["--appendonly", "yes", "--appendfsync", "everysec"]), Database::empty());
    let place = Workplace::new(&configuration(&world, &server, &redis, &database));
    let mut running = place.start(&["--no-tui", "--until-caught-up", "--timeout", "60s"]);
    let (mut own, begin) = (0.0, Instant::now());
    let status = loop {
        if let Some(status) = running.ended() {
            break status;
        }
        own = processor_time(running.id()).unwrap_or(own);
        assert!(begin.elapsed() < Duration::from_secs(200), "{}", running.stderr());
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(status.success(), "{}", running.stderr());
    let reference = reference();

    let entries =
        info(&redis, "commandstats", |line| line.strip_prefix("cmdstat_xadd:calls=")?.split(',').next()?.parse().ok());
    let entries = entries * 1_000.0 / FILLS as f64;
    let time = |prefix: &str| info(&redis, "cpu", |line| line.strip_prefix(prefix)?.parse().ok());
    let of_redis = (time("used_cpu_user:") + time("used_cpu_sys:")) / FILLS as f64;
    let (own, of_redis) = (own / FILLS as f64 / reference, of_redis / reference);
    let rows = database.number("SELECT count() FROM trades");
    let distinct = database.number("SELECT count() FROM trades FINAL");
    println!(
        "{entries:.1} entries for 1,000 fills, {own:.1} and {of_redis:.2} times the reference of {:.2} us",
        reference * 1e6
    );
    assert_eq!(distinct, FILLS);
    // Those that the resolver completed are there twice until they are merged.
    assert!(rows >= distinct, "{rows} rows");
    assert!(entries < ENTRIES * 1.1, "{entries:.1} entries for 1,000 fills");
    assert!(own < OWN * 4.0 / 3.0, "{own:.1} times the reference");
    assert!(of_redis < OF_REDIS * 4.0 / 3.0, "{of_redis:.2} times the reference");
}

/// What lines of `INFO` say, added up.
fn info(redis: &Redis, section: &str, read: impl Fn(&str) -> Option<f64>) -> f64 {
    let text: String = ::redis::cmd("INFO").arg(section).query(&mut redis.client()).unwrap();
    text.lines().filter_map(read).sum()
}

/// Seconds of processor time that a process has taken.
fn processor_time(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
    Some((fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?) / 100.0)
}

/// Seconds of processor time that it takes to pack a fill into an entry and to read it again, in this build on this machine.
fn reference() -> f64 {
    let amount = |micros: u64| Amount::from_micros(micros.into()).unwrap();
    let fill = |number: u64| Fill {
        block_number: 90_840_326 + number / 100,
        log_index: u32::try_from(number % 100).unwrap(),
        timestamp: 1_784_965_486,
        transaction_hash: B256::from(U256::from(number / 3)),
        source_id: String::new(),
        order_hash: B256::from(U256::from(number * 7)),
        exchange: Some(Exchange::CtfV1),
        token_id: TokenId(U256::from(number % 50)),
        maker: Address::repeat_byte(number as u8),
        taker: Address::repeat_byte(3),
        side: Side::Buy,
        usd: amount(5_000_000 + number),
        shares: amount(9_000_000),
        fee: amount(7),
        match_log_index: None,
        outcome_slot: None,
    };
    let fills: Vec<Fill> = (0..10_000).map(fill).collect();
    let processor = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let once = || {
        let begin = processor();
        let mut packer = Packer::new(MAX_EVENTS);
        let mut entries: Vec<Vec<u8>> = fills.iter().filter_map(|fill| packer.push(fill)).collect();
        entries.extend(packer.finish());
        let read: usize = entries.iter().map(|entry| Fill::decode_all(entry).unwrap().len()).sum();
        assert_eq!(read, fills.len());
        (processor() - begin) / fills.len() as f64
    };
    // Other work can only add.
    (0..5).map(|_| once()).fold(f64::INFINITY, f64::min)
}
