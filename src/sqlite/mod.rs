//! The embedded store: one SQLite file, `<data-dir>/polytape.db`, that is both broker and warehouse.
//!
//! One process writes it (see [`DataDir`]); anybody may read it while that runs. All writes go through one connection,
//! each as one `BEGIN IMMEDIATE` transaction.
//!
//! The file is in WAL mode with `synchronous=NORMAL`. A commit survives a kill of the process; a power cut may take
//! the last commits with it, but always a suffix of them, of streams, cursors and tables together. So what is left is
//! a state that once was, and the sources are read again from its cursor: nothing is lost.

mod checkpoint;
mod data_dir;
mod error;
mod private;
mod schema;
mod usable;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use checkpoint::Checkpointer;
pub use data_dir::{DataDir, DataDirError, free_space};
pub use error::StorageError;
pub(crate) use private::create_privately;
pub(crate) use schema::FILES;

/// How long to wait for somebody else's lock on the file.
const BUSY: Duration = Duration::from_secs(10);

/// How long the end of a run waits for readers, so that nothing is left in the log.
const CLOSING: Duration = Duration::from_secs(5);

/// The `application_id` of a store that was made by `--demo`: `demo` in ASCII.
pub(crate) const DEMO: i32 = 0x6465_6d6f;

/// The writer's page cache, in KiB. Inserts are appends, so it needs the ends of the tables and little more.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// A reader's page cache, in KiB: readers stream, they do not come back.
const READER_CACHE_KIB: i64 = 2 * 1024;

/// The open store. Clones share the one writing connection.
#[derive(Clone)]
pub struct Database {
    path: PathBuf,
    writer: Arc<Mutex<Connection>>,
    /// Nothing is written any more. Read and written while the writer is held.
    closed: Arc<AtomicBool>,
    checkpointer: Arc<Checkpointer>,
}

impl Database {
    /// Opens the store in a data directory that is locked for this process, and brings its schema up to date.
    pub fn open(data_dir: &DataDir) -> Result<Self, StorageError> {
        Self::open_file(&data_dir.database())
    }

    fn open_file(path: &Path) -> Result<Self, StorageError> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::apply(&mut connection)?;
        let checkpointer = Arc::new(Checkpointer::new(path));
        let (writer, closed) = (Arc::new(Mutex::new(connection)), Arc::default());
        Ok(Self { path: path.to_owned(), writer, closed, checkpointer })
    }

    /// Notes that what it holds is of the demo world and of nothing that anybody needs.
    pub fn mark_as_demo(&self) -> Result<(), StorageError> {
        Ok(self.writer.lock().pragma_update(None, "application_id", DEMO)?)
    }

    /// Ends the writing: the log is moved into the file and emptied, so that a copy of the one file is the whole store.
    /// False where somebody who reads held that up for longer than a while: then the log is part of the store still.
    pub async fn close(&self) -> Result<bool, StorageError> {
        let (writer, closed) = (Arc::clone(&self.writer), Arc::clone(&self.closed));
        off_thread(move || {
            let connection = writer.lock();
            closed.store(true, Ordering::Relaxed);
            let begun = Instant::now();
            loop {
                if checkpoint::empty(&connection)? {
                    return Ok(true);
                }
                if begun.elapsed() > CLOSING {
                    return Ok(false);
                }
            }
        })
        .await
    }

    /// Runs `work` in one transaction and commits it, off the async threads. An error rolls everything back.
    ///
    /// Once begun it runs to its end, also when the caller stops waiting.
    pub(crate) async fn write<T, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        self.write_then(work, |value| value).await
    }

    /// Like [`write`](Self::write), and runs `then` on its result behind the commit, before anybody else can write: so
    /// that what is kept in memory follows the file, and never runs ahead of it.
    pub(crate) async fn write_then<W, T, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<W, E> + Send + 'static,
        then: impl FnOnce(W) -> T + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let (writer, checkpointer) = (Arc::clone(&self.writer), Arc::clone(&self.checkpointer));
        let closed = Arc::clone(&self.closed);
        off_thread(move || {
            let mut connection = writer.lock();
            if closed.load(Ordering::Relaxed) {
                return Err(StorageError::ShuttingDown.into());
            }
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StorageError::from)?;
            let value = work(&transaction)?;
            transaction.commit().map_err(StorageError::from)?;
            let value = then(value);
            checkpointer.after_commit(&connection, &writer);
            Ok(value)
        })
        .await
    }

    /// A connection of its own for reading, which never waits for the writer.
    pub(crate) fn reader(&self) -> Result<Connection, StorageError> {
        open_reader(&self.path)
    }
}

/// A connection for reading a store, whoever writes it.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StorageError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

/// Runs blocking work on a thread where blocking is fine.
pub(crate) async fn off_thread<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StorageError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StorageError::ShuttingDown.into()),
        },
    }
}
