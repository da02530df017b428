//! Feeds tui-logger, whose widget the screen draws.
//!
//! Without its own thread, which wakes every 10 ms: the screen moves events when it draws, and a burst that comes faster
//! than the screen draws moves its own.

use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Level;

use super::human::{text, time_of_day};
use super::{record::LogRecord, sink::Sink};

/// Records that may come between two moves. Above it tui-logger loses the oldest and says so.
const HOT_DEPTH: usize = 16_384;

/// Records that tui-logger keeps.
const DEPTH: usize = 10_000;

/// A burst moves its events after so many. It is far below [`HOT_DEPTH`], because others log while one moves.
const MOVE_EVERY: u64 = 4_096;

/// Hands records to tui-logger: the target is who says it, the text begins with the time.
pub struct TuiLog {
    seen: AtomicU64,
}

impl Default for TuiLog {
    /// Sets up tui-logger, of which a process has one.
    fn default() -> Self {
        // Levels are filtered before they come here.
        tui_logger::set_default_level(log::LevelFilter::Trace);
        tui_logger::set_hot_buffer_depth(HOT_DEPTH);
        tui_logger::set_buffer_depth(DEPTH);
        Self { seen: AtomicU64::new(0) }
    }
}

impl Sink for TuiLog {
    fn accept(&self, record: &LogRecord) {
        let level = level(record.level);
        let text = format!("{} {}", time_of_day(record), text(record));
        tui_logger::Drain::new()
            .log(&log::Record::builder().level(level).target(record.origin()).args(format_args!("{text}")).build());
        // The first one, too: only a move gives the buffer its depth.
        if self.seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(MOVE_EVERY) {
            tui_logger::move_events();
        }
    }
}

fn level(level: Level) -> log::Level {
    match level {
        Level::ERROR => log::Level::Error,
        Level::WARN => log::Level::Warn,
        Level::INFO => log::Level::Info,
        Level::DEBUG => log::Level::Debug,
        Level::TRACE => log::Level::Trace,
    }
}
