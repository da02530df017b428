//! Whose fault it is that SQLite fails.

use rusqlite::ErrorCode;

use crate::{sqlite::StorageError, warehouse::error::WarehouseError};

/// What a row may be refused for is the row's fault; all else is the store's.
impl From<rusqlite::Error> for WarehouseError {
    fn from(error: rusqlite::Error) -> Self {
        let refused = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig)
        ) || matches!(error, rusqlite::Error::ToSqlConversionFailure(_));
        if refused { Self::Rows(error.to_string()) } else { Self::Storage(StorageError::from(error)) }
    }
}
