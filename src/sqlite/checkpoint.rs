//! Moves the write-ahead log into the file, beside the writing.
//!
//! A checkpoint copies pages and waits for the disk twice. Left to SQLite it does so inside a commit, and everybody
//! waits. Here most of it runs on a connection of its own while others write; only the small rest that came in
//! meanwhile is done with the writer held, which also empties the log. Where that cannot keep up, the writer waits after
//! all. A long query of somebody else keeps the log from being emptied: nobody waits for that, and the log grows. `benches/pipeline.rs` is what it is measured by.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, sync::Arc};

use bytesize::ByteSize;
use parking_lot::Mutex;
use rusqlite::Connection;

use super::StorageError;

/// A log of this size is moved into the file.
const DUE: u64 = 64 << 20;

/// A log of this size is moved before anybody writes on.
const OVERDUE: u64 = 4 * DUE;

/// How long to wait for readers to come to an end.
const READERS: Duration = Duration::from_millis(100);

/// After a reader has held the log up, it is left alone for so long.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Checkpointer {
    database: PathBuf,
    log: PathBuf,
    running: AtomicBool,
    /// Held while most of a log is being moved.
    moving: Mutex<()>,
    held_up: Mutex<Option<Instant>>,
}

impl Checkpointer {
    pub(super) fn new(database: &Path) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let (running, moving, held_up) = (AtomicBool::new(false), Mutex::new(()), Mutex::new(None));
        Self { database: database.to_owned(), log: log.into(), running, moving, held_up }
    }

    /// Called behind each commit, with the writer held: begins a checkpoint where one is due.
    pub(super) fn after_commit(self: &Arc<Self>, connection: &Connection, writer: &Arc<Mutex<Connection>>) {
        let size = fs::metadata(&self.log).map_or(0, |log| log.len());
        if size < DUE || self.held_up.lock().is_some_and(|at| at.elapsed() < PATIENCE) {
            return;
        }
        if size >= OVERDUE {
            let _moved = self.moving.lock();
            self.note(empty(connection), size);
        } else if !self.running.swap(true, Ordering::AcqRel) {
            let (this, writer) = (Arc::clone(self), Arc::clone(writer));
            let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(move || {
                this.note(this.run(&writer), size);
                this.running.store(false, Ordering::Release);
            });
            if thread.is_err() {
                self.running.store(false, Ordering::Release);
            }
        }
    }

    fn run(&self, writer: &Mutex<Connection>) -> Result<bool, StorageError> {
        {
            let _moving = self.moving.lock();
            let connection = Connection::open(&self.database)?;
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        }
        empty(&writer.lock())
    }

    /// Nothing is lost where the log could not be emptied: it grows, and later it is tried again.
    fn note(&self, emptied: Result<bool, StorageError>, size: u64) {
        let mut held_up = self.held_up.lock();
        match emptied {
            Ok(true) => *held_up = None,
            Ok(false) => {
                if size >= OVERDUE {
                    let size = ByteSize::b(size).display().iec_short();
                    tracing::warn!("a reader of polytape.db holds up its log, which grows: {size}");
                }
                *held_up = Some(Instant::now());
            }
            Err(error) => {
                tracing::warn!("the log of polytape.db could not be moved into it: {error}");
                *held_up = Some(Instant::now());
            }
        }
    }
}

/// Moves what is left of the log and empties it; false where a reader is in the middle of it for longer than our own
/// ever are.
pub(super) fn empty(connection: &Connection) -> Result<bool, StorageError> {
    connection.busy_timeout(READERS)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(super::BUSY)?;
    Ok(!busy?)
}
