//! Why a process cannot be put together.

use crate::sqlite::{DataDirError, StorageError};

/// One line: what, on what, why.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A setting, by its name, and what is wrong with it.
    #[error("{0}: {1}")]
    Setting(&'static str, String),
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The store in it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What the system refuses.
    #[error("cannot start: {0}")]
    Start(std::io::Error),
}
