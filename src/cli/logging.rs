//! The log: lines for people on a terminal, JSON lines otherwise.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

/// Sends log lines to stderr, ours from `level` on and those of libraries from `warn` on.
pub(super) fn init(level: tracing::Level) {
    let filter = EnvFilter::new(format!("warn,polytape={}", level.as_str().to_lowercase()));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_timer(SystemTime);
    // There is one program and one log; a second attempt, in a test, changes nothing.
    let _ = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
}
