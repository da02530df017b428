//! Puts the log together: who takes its records, and from which level on.

use std::io::{self, IsTerminal};
use std::{env, path::Path, sync::Arc};

use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::logs::{
    Bounds, FileLog, LogRing, Logs, RecordLayer, Sink, StderrGate, StderrLog, StderrStyle, TuiLog, log_panics,
};
use crate::{config::LogConfig, headless::Progress};

/// Logs to memory, to files in a directory and to stderr, until what is returned is dropped: ours from the configured
/// level on, and what libraries say from `warn` on. Panics are logged, too.
///
/// A directory that cannot be used is told in the log, which goes on without files.
pub(super) fn init(config: &LogConfig, directory: &Path, progress: &Progress) -> Logs {
    let (ring, gate) = (Arc::new(LogRing::default()), StderrGate::default());
    let (stderr, stderr_guard) = StderrLog::new(progress.beside(), gate.clone(), style());
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(stderr), Box::new(TuiLog::default())];
    let (file, no_file) =
        match FileLog::open(directory, Bounds { days: config.keep_files, day_bytes: config.max_bytes.as_u64() }) {
            Ok(file) => (Some(file), None),
            Err(error) => (None, Some(error)),
        };
    if let Some(file) = &file {
        sinks.push(Box::new(file.sink()));
    }
    let filter = EnvFilter::new(format!("warn,polytape={}", config.level.as_str().to_lowercase()));
    let layer = RecordLayer::new(Arc::clone(&ring), sinks);
    // There is one program and one log; a second attempt, in a test, changes nothing.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    log_panics();
    if let Some(error) = no_file {
        tracing::warn!("{error}; continuing without log files: choose another directory with log.dir");
    }
    Logs::new(ring, gate, file, stderr_guard)
}

/// Lines for people on a terminal, JSON lines otherwise.
fn style() -> StderrStyle {
    if !io::stderr().is_terminal() {
        return StderrStyle::Json;
    }
    StderrStyle::Human { colour: env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) }
}
