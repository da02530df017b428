//! What a frame costs: time and bytes, at three sizes, for a healthy pipeline whose numbers change every second.
//!
//! `cargo bench --features fixtures --bench screen` prints a table and fails where a frame is over its budget. The budget is of the processor's time:
//! the time of day depends on who else runs.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use polytape::monitor::{Snapshot, sample};
use polytape::tui::{Charset, Keymap, Preview, Theme, UiOptions};
use rustix::time::{ClockId, clock_gettime};

const FRAMES: usize = 5_000;

/// The p99 of a frame, in any size.
const BUDGET: Duration = Duration::from_millis(2);

fn main() {
    println!(
        "{:>8} {:>8} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "size", "first", "bytes p50", "bytes max", "cpu p50", "cpu p99", "time p50", "time p99"
    );
    let mut is_over = false;
    for size in [(80, 24), (120, 40), (200, 60)] {
        let look = UiOptions { theme: Theme::Ansi, charset: Charset::Unicode, keymap: Keymap::defaults() };
        let mut snapshot = sample::healthy();
        let mut preview = Preview::new(look, Arc::new(snapshot.clone()), size, std::io::sink());
        let first = preview.show(Arc::new(snapshot.clone())).unwrap();
        let (mut times, mut work, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        for second in 0..FRAMES as u64 {
            snapshot = later(&snapshot, second);
            let shown = Arc::new(snapshot.clone());
            let (began, worked) = (Instant::now(), worked());
            bytes.push(preview.show(shown).unwrap());
            work.push(self::worked() - worked);
            times.push(began.elapsed());
        }
        times.sort_unstable();
        work.sort_unstable();
        bytes.sort_unstable();
        let p99 = FRAMES * 99 / 100;
        is_over |= work[p99] > BUDGET;
        println!(
            "{:>8} {:>8} {:>10} {:>10} {:>10.2?} {:>10.2?} {:>10.2?} {:>10.2?}",
            format!("{}x{}", size.0, size.1),
            format!("{first} B"),
            bytes[FRAMES / 2],
            bytes[FRAMES - 1],
            work[FRAMES / 2],
            work[p99],
            times[FRAMES / 2],
            times[p99]
        );
    }
    assert!(!is_over, "a frame takes more than {BUDGET:?}");
}

/// What this thread has worked.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

/// A second later.
fn later(snapshot: &Snapshot, second: u64) -> Snapshot {
    let mut later = snapshot.clone();
    for stage in &mut later.stages {
        stage.moved += stage.rate.unwrap_or(0);
        stage.rate = stage.rate.filter(|rate| *rate > 0).map(|_| 780 + (second * 37) % 60);
    }
    for table in &mut later.tables {
        table.rows.value = table.rows.value.map(|count| (count.rows + table.rate.unwrap_or(0)).into());
    }
    if let Some(head) = &mut later.source.head.value {
        head.block += 1;
    }
    for stream in &mut later.streams {
        stream.bytes += 140 * stream.rate.unwrap_or(0);
        stream.groups[0].lag = (second * 71) % 400;
    }
    later.history.trades.rotate_left(1);
    later.history.unread.rotate_left(1);
    later
}
