//! What can go wrong with the file.

use rusqlite::ErrorCode;

use crate::failure::FailureClass;

/// A failure of the embedded store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// SQLite says so.
    #[error("polytape.db: {0}; if it is damaged, move it away or choose another --data-dir, and it is read again")]
    Sqlite(#[from] rusqlite::Error),
    /// The file was made by a newer polytape.
    #[error("polytape.db has schema {found}, this polytape knows up to {known}: run the newer one")]
    NewerSchema {
        /// The file's schema.
        found: usize,
        /// The newest known here.
        known: usize,
    },
    /// The runtime is going away, so nothing was begun.
    #[error("polytape.db: shutting down")]
    ShuttingDown,
}

impl StorageError {
    /// What to do about it.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::ShuttingDown => FailureClass::Retry,
            Self::NewerSchema { .. } => FailureClass::Deterministic,
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(
                    ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::OutOfMemory
                    | ErrorCode::OperationInterrupted
                    | ErrorCode::CannotOpen
                    | ErrorCode::FileLockingProtocolFailed,
                ) => FailureClass::Retry,
                _ => FailureClass::Deterministic,
            },
        }
    }
}
