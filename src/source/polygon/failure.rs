//! Why one endpoint did not answer one question.

use std::time::Duration;

use super::error_classifier::Hint;
use crate::source::error::SourceError;

pub(super) type Result<T, E = Failure> = std::result::Result<T, E>;

/// The failure of one request. Some are a reason to ask the same endpoint for less; the rest become [`SourceError`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Not reached.
    Unreachable(String),
    /// Reached, but the answer broke off.
    CutOff(String),
    /// An error of the server, or of what stands before it.
    Broken(String),
    /// It does not know the method.
    NoMethod(String),
    /// Reached, but the answer took too long: perhaps there was too much of it.
    TimedOut(String),
    /// Asked too often, or not entitled.
    RateLimited {
        cause: String,
        retry_after: Option<Duration>,
        /// Whether its words are plain: "limit exceeded" alone may mean a range.
        is_plain: bool,
    },
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
    /// It answered well, but nobody confirms what must not be believed of one alone.
    Unconfirmed(String),
    /// A header that should be there is not.
    Lagging(u64),
    /// It serves another chain than the rest.
    WrongChain { expected: u64, found: u64 },
}

impl Failure {
    /// Whether asking for fewer blocks may help: a refusal that is not understood, a server's error, an answer that took too
    /// long or broke off. Not where it is not entitled, not reached, lacks the block or limits the rate in plain words.
    pub(super) fn may_be_size(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Broken(_) | Self::CutOff(_) | Self::TimedOut(_) | Self::RangeTooLarge { .. } => {
                true
            }
            Self::RateLimited { is_plain, .. } => !is_plain,
            _ => false,
        }
    }

    /// Whether the endpoint is at fault, and is left alone for a while: not where it lags, or was only not confirmed.
    pub(super) const fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_)
                | Self::CutOff(_)
                | Self::Broken(_)
                | Self::NoMethod(_)
                | Self::TimedOut(_)
                | Self::Refused(_)
                | Self::RangeTooLarge { .. }
                | Self::BatchTooLarge { .. }
                | Self::Untrusted(_)
        )
    }

    /// The failure as the source reports it.
    pub(super) fn into_error(self, endpoint: String) -> SourceError {
        match self {
            Self::Unreachable(cause) | Self::CutOff(cause) | Self::TimedOut(cause) => {
                SourceError::unreachable(endpoint, cause)
            }
            Self::RateLimited { cause, retry_after, .. } => SourceError::RateLimited { endpoint, cause, retry_after },
            Self::RangeTooLarge { cause, .. }
            | Self::BatchTooLarge { cause, .. }
            | Self::LacksBlock(cause)
            | Self::Broken(cause)
            | Self::NoMethod(cause)
            | Self::Refused(cause) => SourceError::Refused { endpoint, cause },
            Self::Untrusted(cause) | Self::Unconfirmed(cause) => SourceError::Untrusted { endpoint, cause },
            Self::Lagging(block) => SourceError::Lagging { endpoint, block },
            Self::WrongChain { expected, found } => SourceError::WrongChain { endpoint, expected, found },
        }
    }
}
