//! The directory that a pipeline lives in, and the lock that keeps it to one process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use bytesize::ByteSize;

use super::private;
use super::usable::{self, not_made};
use crate::io_words::why;

/// A data directory, locked for this process until dropped. The kernel lets go of the lock when the process ends,
/// however it ends.
pub struct DataDir {
    path: PathBuf,
    opened: Vec<String>,
    _lock: File,
}

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be made or written.
    #[error("cannot use the data directory {}: {why}; choose another with --data-dir", .path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Another polytape runs in it.
    #[error("polytape already runs in {0} (pid {pid}): `polytape attach --data-dir {0}` shows it, `polytape stop --data-dir {0}` ends it; or choose another directory", .path.display())]
    Taken {
        /// The directory.
        path: PathBuf,
        /// The process that holds it.
        pid: String,
    },
}

impl DataDirError {
    /// That of a directory in which something failed.
    pub(crate) fn of(path: &Path, cause: &io::Error) -> Self {
        Self::Unusable { path: path.to_owned(), why: why(cause) }
    }
}

impl DataDir {
    /// Whether the directory can be used, or made where there is none. Leaves nothing behind.
    pub fn check(path: &Path) -> Result<(), DataDirError> {
        usable::check(path).map_err(|why| DataDirError::Unusable { path: path.to_owned(), why })
    }

    /// Makes the directory where there is none, locks it, and closes it to other users.
    pub fn lock(path: &Path) -> Result<Self, DataDirError> {
        let refused = |why| DataDirError::Unusable { path: path.to_owned(), why };
        let unusable = |cause| DataDirError::of(path, &cause);
        usable::obstacle(path).map_or(Ok(()), |why| Err(refused(why)))?;
        let there = usable::nearest_there(path);
        private::make(path).map_err(|cause| refused(not_made(&there, &cause)))?;
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path.join("polytape.lock"))
            .map_err(|cause| refused(not_made(path, &cause)))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirError::Taken { path: path.to_owned(), pid: pid_in(&mut lock) });
            }
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(unusable)?;
        Ok(Self { path: path.to_owned(), opened: private::close(path), _lock: lock })
    }

    /// What in it was open to other users when it was locked, in words.
    pub fn was_open(&self) -> &[String] {
        &self.opened
    }

    /// The process that runs in a directory, if one does. Changes nothing there.
    pub fn holder(path: &Path) -> io::Result<Option<String>> {
        let mut lock = match File::open(path.join("polytape.lock")) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            lock => lock?,
        };
        match lock.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(pid_in(&mut lock))),
            Err(TryLockError::Error(cause)) => Err(cause),
        }
    }

    /// The store's file in a directory.
    pub fn database_in(path: &Path) -> PathBuf {
        path.join("polytape.db")
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store's file.
    pub fn database(&self) -> PathBuf {
        Self::database_in(&self.path)
    }

    /// Removes the store, for a world that begins anew. Touches nothing else in the directory.
    pub fn wipe(&self) -> Result<(), DataDirError> {
        for suffix in ["", "-wal", "-shm"] {
            let mut file = self.database().into_os_string();
            file.push(suffix);
            match fs::remove_file(&file) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    return Err(DataDirError::of(&self.path, &cause));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn pid_in(lock: &mut File) -> String {
    let mut pid = String::new();
    let _ = lock.read_to_string(&mut pid);
    if pid.trim().is_empty() { "unknown".to_owned() } else { pid.trim().to_owned() }
}

/// Bytes that are free on the disk of a path.
pub fn free_space(path: &Path) -> io::Result<ByteSize> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(ByteSize::b(disk.f_bavail.saturating_mul(disk.f_frsize)))
}
