//! What can go wrong with the broker.

use super::{redis::failure::RedisFailure, stream::Group};
use crate::{failure::FailureClass, sqlite::StorageError};

pub(crate) type Result<T, E = BrokerError> = std::result::Result<T, E>;

/// Why the broker did not do it. Nothing was done then, unless it is ambiguous, and then it may be repeated.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The streams were lost, in part or as a whole, or somebody began a new session of them.
    #[error("the streams were lost: {0}")]
    Lost(String),
    /// Another reader of the group has taken over.
    #[error("another reader took over {0}")]
    Superseded(Group),
    /// More than one call may carry.
    #[error("{entries} entries of {bytes} bytes are too many for one call")]
    TooLarge {
        /// How many.
        entries: usize,
        /// How large together.
        bytes: usize,
    },
    /// Entries with a cursor that does not move: a repetition could not be told from the first call.
    #[error("{entries} entries, but {key} does not move")]
    NoMove {
        /// The cursor.
        key: String,
        /// How many entries.
        entries: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Redis failed, or the way to it.
    #[error(transparent)]
    Redis(#[from] RedisFailure),
}

impl BrokerError {
    /// What to do about it.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Lost(_) => FailureClass::Repair,
            Self::Superseded(_) => FailureClass::Reconnect,
            Self::TooLarge { .. } | Self::NoMove { .. } => FailureClass::Deterministic,
            Self::Storage(error) => error.class(),
            Self::Redis(failure) => failure.class(),
        }
    }
}
