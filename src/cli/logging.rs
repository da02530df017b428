//! The log: lines for people on a terminal, JSON lines otherwise.

use std::io::IsTerminal;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// Sends log lines to stderr, ours from `level` on and those of libraries from `warn` on, until the guard is dropped.
///
/// A terminal that is held or gone never holds up the pipeline: lines go through a bounded queue and are dropped where
/// that is full.
pub(super) fn init(level: tracing::Level) -> WorkerGuard {
    let filter = EnvFilter::new(format!("warn,polytape={}", level.as_str().to_lowercase()));
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).log_internal_errors(false);
    // There is one program and one log; a second attempt, in a test, changes nothing.
    let _ = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.with_ansi(false).json().flatten_event(true).try_init()
    };
    guard
}
