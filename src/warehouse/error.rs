//! What can go wrong with the warehouse.

use super::clickhouse::error::ClickhouseError;
use crate::{failure::FailureClass, sqlite::StorageError};

pub(crate) type Result<T, E = WarehouseError> = std::result::Result<T, E>;

/// Why the warehouse did not do it, or does not know whether it did.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    /// The rows themselves are refused. One row is refused alone; of more, at least one is.
    #[error("refused by the warehouse: {0}")]
    Rows(String),
    /// They were too large for the warehouse, or for something in front of it. Half of them may pass; a row that is too large alone
    /// is refused for itself.
    #[error("too large for the warehouse: {0}")]
    Size(String),
    /// The list of unresolved tokens was refused. No row is at fault.
    #[error("the list of unresolved tokens was refused: {0}")]
    List(String),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// ClickHouse failed, or was not reached.
    #[error(transparent)]
    Clickhouse(#[from] ClickhouseError),
    /// It is away and was not asked: somebody else finds out whether it is back.
    #[error("{0}")]
    Away(String),
}

impl WarehouseError {
    /// Whether it may be otherwise with half of the rows: some were refused, or they were too many at once.
    pub fn asks_for_less(&self) -> bool {
        match self {
            Self::Rows(_) | Self::Size(_) => true,
            Self::List(_) | Self::Storage(_) | Self::Away(_) => false,
            Self::Clickhouse(error) => error.asks_for_less(),
        }
    }

    /// Why a row is refused, where it was alone and the refusal is its own.
    pub fn refuses_row(&self) -> Option<&str> {
        match self {
            Self::Rows(reason) | Self::Size(reason) => Some(reason),
            Self::List(_) | Self::Storage(_) | Self::Clickhouse(_) | Self::Away(_) => None,
        }
    }

    /// What to do about it.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Rows(_) => FailureClass::Deterministic,
            Self::Size(_) | Self::List(_) => FailureClass::Retry,
            Self::Storage(error) => error.class(),
            Self::Clickhouse(error) => error.class(),
            Self::Away(_) => FailureClass::Retry,
        }
    }
}
