//! Why one endpoint did not answer one question.

use std::time::Duration;

use super::vocabulary::Hint;
use crate::source::SourceError;

/// The failure of one request. Some are a reason to ask the same endpoint for less; the rest become [`SourceError`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Not reached, or the answer was cut off.
    Unreachable(String),
    /// Reached, but the answer took too long: perhaps there was too much of it.
    TimedOut(String),
    /// Asked too often, or not entitled.
    RateLimited { cause: String, retry_after: Option<Duration> },
    /// Asked for too many blocks or rows.
    RangeTooLarge { hint: Hint, cause: String },
    /// Asked too much in one batch, or in a batch at all.
    BatchTooLarge { limit: Option<usize>, cause: String },
    /// It says that it does not have the block, or not any more.
    LacksBlock(String),
    /// An error of its own.
    Refused(String),
    /// An answer that cannot be true or cannot be read.
    Untrusted(String),
    /// A header that should be there is not.
    Lagging(u64),
    /// It serves another chain than the rest.
    WrongChain { expected: u64, found: u64 },
}

impl Failure {
    /// The failure as the source reports it.
    pub(super) fn into_error(self, endpoint: String) -> SourceError {
        match self {
            Self::Unreachable(cause) | Self::TimedOut(cause) => SourceError::Unreachable { endpoint, cause },
            Self::RateLimited { cause, retry_after } => SourceError::RateLimited { endpoint, cause, retry_after },
            Self::RangeTooLarge { cause, .. }
            | Self::BatchTooLarge { cause, .. }
            | Self::LacksBlock(cause)
            | Self::Refused(cause) => SourceError::Refused { endpoint, cause },
            Self::Untrusted(cause) => SourceError::Untrusted { endpoint, cause },
            Self::Lagging(block) => SourceError::Lagging { endpoint, block },
            Self::WrongChain { expected, found } => SourceError::WrongChain { endpoint, expected, found },
        }
    }
}
