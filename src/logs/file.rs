//! The log on disk: a line of JSON for every record.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

use super::daily::{Bounds, DailyFile};
use super::{record::LogRecord, sink::Sink};

/// Lines that wait for the disk, at most: some 5 MB of usual ones.
const QUEUE: usize = 16_384;

/// The directory of the log cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the log in {}: {cause}", .path.display())]
pub struct FileError {
    /// The directory.
    pub path: PathBuf,
    /// The system's word.
    pub cause: io::Error,
}

/// The log on disk. Lines that are waiting are written when it is dropped.
pub struct FileLog {
    queue: NonBlocking,
    dropped: ErrorCounter,
    failed: Arc<AtomicU64>,
    _worker: WorkerGuard,
}

impl FileLog {
    /// Opens the file of today in a directory, and keeps no more than there may be.
    pub fn open(directory: &Path, bounds: Bounds) -> Result<Self, FileError> {
        let failed = Arc::new(AtomicU64::new(0));
        let file = DailyFile::open(directory, bounds, Arc::clone(&failed))
            .map_err(|cause| FileError { path: directory.to_owned(), cause })?;
        let (queue, worker) =
            NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE).thread_name("log-file").finish(file);
        Ok(Self { dropped: queue.error_counter(), queue, failed, _worker: worker })
    }

    /// Takes records into this log, for as long as it is there.
    pub fn sink(&self) -> impl Sink + use<> {
        FileSink(self.queue.clone())
    }

    /// Lines that are not in the file: the queue was full, or the disk refused them.
    pub fn dropped(&self) -> u64 {
        self.dropped.dropped_lines() as u64 + self.failed.load(Ordering::Relaxed)
    }
}

struct FileSink(NonBlocking);

impl Sink for FileSink {
    fn accept(&self, record: &LogRecord) {
        // The queue takes it or counts it.
        let _ = self.0.clone().write_all(record.json_line().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_none_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let directory = file.path().join("logs");
        let error = FileLog::open(&directory, Bounds { days: 7, day_bytes: 1 << 30 }).err().unwrap().to_string();
        assert!(error.starts_with(&format!("cannot write the log in {}: ", directory.display())), "{error}");
    }
}
