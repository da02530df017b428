//! SQLite's failures are the store's.

use crate::{broker::error::BrokerError, sqlite::StorageError};

impl From<rusqlite::Error> for BrokerError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(StorageError::from(error))
    }
}
