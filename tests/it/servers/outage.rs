//! ClickHouse is away for a while: whoever holds rows keeps them, nothing grows, and all of it lands afterwards.
//!
//! `POLYTAPE_OUTAGE=300 cargo nextest run --features planted-bugs -E 'test(outage::)'` keeps it away for five minutes.

use std::fs;
use std::time::{Duration, Instant};

use super::{SOON, Setting, assert_none};
use crate::support::clickhouse::Database;
use crate::support::process::until;
use crate::support::redis::Redis;

/// Fills that happen while it is away: more than the streams have room for.
const FILLS: f64 = 25_000.0;

/// What the streams have room for, in the configuration and in bytes; an append and what it is trimmed after may come on
/// top of it.
const ROOM: &str = r#"streams.max_bytes = "1MiB""#;
const MOST_BYTES: u64 = (1 << 20) + (512 << 10);

/// How much more memory the program may need than when it began to wait.
const MORE_MEMORY: u64 = 48 << 20;

/// Id, owner, milliseconds since it was given out, times that it was given out.
type Pending = (String, String, u64, u64);

impl Setting {
    fn pending(&self) -> Vec<Pending> {
        let key = self.redis.key("stream:trades");
        let mut command = redis::cmd("XPENDING");
        command.arg(&key).arg(&["trade_writers", "-", "+", "1000000"]).query(&mut self.redis.client()).unwrap()
    }

    /// A number that is counted for a stream.
    fn counted(&self, stream: &str, what: &str) -> u64 {
        let key = self.redis.key(&format!("tally:{stream}"));
        redis::cmd("HGET").arg(&[key, what.to_owned()]).query(&mut self.redis.client()).unwrap()
    }

    /// No stream holds more than it may, or has lost what was not acknowledged.
    fn check_streams(&self) {
        for (stream, group) in [("stream:order_events", "trade_processors"), ("stream:trades", "trade_writers")] {
            // In this order, since both only grow.
            let removed = self.counted(stream, "removed");
            let done = self.counted(stream, &format!("done:{group}"));
            assert!(removed <= done, "{stream}: {removed} entries were trimmed, {done} were acknowledged");
            let bytes = self.counted(stream, "added_bytes") - self.counted(stream, "removed_bytes");
            assert!(bytes < MOST_BYTES, "{stream}: {bytes} bytes");
        }
    }
}

/// Bytes of memory of a process, where that can be told.
fn memory(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_keeps_its_batch_while_clickhouse_is_away() {
    let outage = std::env::var("POLYTAPE_OUTAGE").map_or(20, |seconds| seconds.parse().unwrap());
    let rate = FILLS / outage as f64;
    let setting = Setting::on(17, rate, Redis::new(), Database::own(), ROOM).await;
    let running = setting.start();
    setting.let_it_flow();

    let began = Instant::now();
    setting.database.engine().kill();
    let waits = |stage: &str, cause: &str| {
        let [stage, cause] = [format!(r#""stage":"{stage}""#), format!(r#""to":"WAIT","cause":"{cause}"#)];
        running.stderr().lines().any(|line| line.contains(&stage) && line.contains(&cause))
    };
    let away = format!("ClickHouse at {} cannot be reached", setting.database.config().url);
    until(SOON, "the writer waits for ClickHouse", || waits("write-trades", &away));
    let held = setting.pending();
    assert!(!held.is_empty(), "it holds nothing");
    let ids_and_owners = |pending: &[Pending]| -> Vec<(String, String)> {
        pending.iter().map(|(id, owner, ..)| (id.clone(), owner.clone())).collect()
    };
    let mut memory_before = None;
    while began.elapsed() < Duration::from_secs(outage) {
        let pending = setting.pending();
        assert_eq!(ids_and_owners(&pending), ids_and_owners(&held), "it keeps what it holds, and takes no more");
        assert!(pending.iter().all(|(.., times)| *times == 1), "nothing was given out again: {pending:?}");
        setting.check_streams();
        if memory_before.is_none() && waits("ingest-fills", "backpressure: stream:order_events ") {
            println!("the ingester waits after {:?}", began.elapsed());
            memory_before = Some(memory(running.id()));
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    assert!(waits("process-trades", "backpressure: stream:trades "), "{}", running.stderr());
    let before = memory_before.expect("the ingester waits for room");
    if let (Some(before), Some(after)) = (before, memory(running.id())) {
        println!("{before} bytes of memory, and {after} at the end");
        assert!(after < before + MORE_MEMORY, "{before} bytes of memory have become {after}");
    }
    let waiting: u64 = ["stream:order_events", "stream:trades"]
        .map(|stream| setting.counted(stream, "added") - setting.counted(stream, "removed"))
        .iter()
        .sum();
    println!("{} entries were held by the writer, {waiting} in the streams", held.len());

    setting.database.engine().begin();
    let begun = Instant::now();
    let oldest = held[0].0.clone();
    until(SOON, "what was held is written", || setting.pending().iter().all(|(id, ..)| *id != oldest));
    println!("the first batch was written after {:?}", begun.elapsed());
    setting.lands(running);
    println!("all had landed after {:?}", begun.elapsed());
    // A long time makes a catalogue that nobody reads to its end on a bad day.
    assert_none(&setting.difference_as_it_is());
}
