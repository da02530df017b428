//! What a program holds of its log.

use std::sync::Arc;

use tracing_appender::non_blocking::WorkerGuard;

use super::{file::FileLog, ring::LogRing, stderr::StderrGate};

/// The log of a running program. What waits to be written is written when it is dropped.
pub struct Logs {
    /// The newest records.
    pub ring: Arc<LogRing>,
    /// Whether lines go to stderr.
    pub gate: StderrGate,
    file: Option<FileLog>,
    _stderr: WorkerGuard,
}

impl Logs {
    /// A log whose lines go to stderr for as long as `stderr` is there, and to a file, if there is one.
    pub fn new(ring: Arc<LogRing>, gate: StderrGate, file: Option<FileLog>, stderr: WorkerGuard) -> Self {
        Self { ring, gate, file, _stderr: stderr }
    }

    /// Lines that are not in the file; nothing where there is no file.
    pub fn file_dropped(&self) -> Option<u64> {
        self.file.as_ref().map(FileLog::dropped)
    }
}
