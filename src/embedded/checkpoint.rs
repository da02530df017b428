//! Moves the write-ahead log into the file, beside the writing.
//!
//! A checkpoint copies pages and waits for the disk twice. Left to SQLite it does so inside a commit, and everybody
//! waits. Here most of it runs on a connection of its own while others write; only the small rest that came in
//! meanwhile is done with the writer held, which also empties the log. Where that cannot keep up, the writer waits after
//! all: the log is bounded. `benches/pipeline.rs` is what it is measured by.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension};

use super::StorageError;

/// A log of this size is moved into the file.
const DUE: u64 = 64 << 20;

/// A log of this size is moved before anybody writes on.
const OVERDUE: u64 = 4 * DUE;

pub(super) struct Checkpointer {
    database: PathBuf,
    log: PathBuf,
    running: AtomicBool,
}

impl Checkpointer {
    pub(super) fn new(database: &Path) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Self { database: database.to_owned(), log: log.into(), running: AtomicBool::new(false) }
    }

    /// Called behind each commit, with the writer held: begins a checkpoint where one is due.
    pub(super) fn after_commit(self: &Arc<Self>, connection: &Connection, writer: &Arc<Mutex<Connection>>) {
        let size = fs::metadata(&self.log).map_or(0, |log| log.len());
        if size >= OVERDUE {
            log_failure(empty(connection));
        } else if size >= DUE && !self.running.swap(true, Ordering::AcqRel) {
            let (this, writer) = (Arc::clone(self), Arc::clone(writer));
            std::thread::spawn(move || {
                log_failure(this.run(&writer));
                this.running.store(false, Ordering::Release);
            });
        }
    }

    fn run(&self, writer: &Mutex<Connection>) -> Result<(), StorageError> {
        let connection = Connection::open(&self.database)?;
        connection.busy_timeout(Duration::from_secs(1))?;
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).optional()?;
        empty(&writer.lock())
    }
}

/// Moves what is left of the log and empties it. A reader in the middle of it may hold that up: then it is due again.
fn empty(connection: &Connection) -> Result<(), StorageError> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).optional()?;
    Ok(())
}

/// Nothing is lost by a checkpoint that fails, and the next commit asks for it again.
fn log_failure(result: Result<(), StorageError>) {
    if let Err(error) = result {
        tracing::warn!("the write-ahead log could not be moved into the file: {error}");
    }
}
