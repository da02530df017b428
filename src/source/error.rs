//! Why a source did not answer, and what to do about it.

use std::time::Duration;

use crate::failure::FailureClass;

/// Why a source did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not reached, timed out, or cut off.
    #[error("{endpoint}: {cause}")]
    Unreachable {
        /// Host and port.
        endpoint: String,
        /// In words.
        cause: String,
        /// By which name its outages go, which is that of its breaker.
        dependency: String,
    },
    /// Asked too often, or not entitled.
    #[error("{endpoint} turns requests away: {cause}")]
    RateLimited {
        /// Host and port.
        endpoint: String,
        /// In its own words.
        cause: String,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// It answered with an error of its own.
    #[error("{endpoint} answered: {cause}")]
    Refused {
        /// Host and port.
        endpoint: String,
        /// In its own words.
        cause: String,
    },
    /// It failed on what was asked for, or on anything: a smaller request tells.
    #[error("{endpoint} answered: {cause}")]
    Failed {
        /// Host and port.
        endpoint: String,
        /// In its own words.
        cause: String,
    },
    /// It was reached, and broke off or timed out: likewise.
    #[error("{endpoint}: {cause}")]
    Broken {
        /// Host and port.
        endpoint: String,
        /// In words.
        cause: String,
    },
    /// It answered what cannot be true or cannot be read.
    #[error("{endpoint} cannot be trusted: {cause}")]
    Untrusted {
        /// Host and port.
        endpoint: String,
        /// What is wrong with the answer.
        cause: String,
    },
    /// It does not have the block yet, whatever it answered.
    #[error("{endpoint} lags: it does not have block {block}")]
    Lagging {
        /// Host and port.
        endpoint: String,
        /// The block that it lacks.
        block: u64,
    },
    /// It does not know the place in a listing that it gave out: the listing is to be read from its beginning.
    #[error("{endpoint} does not know its own cursor any more: {cause}")]
    Cursor {
        /// Host and port.
        endpoint: String,
        /// In its own words.
        cause: String,
    },
    /// It has no blocks, so that no start can be found by one.
    #[error(
        "{source_name} knows no blocks: pipeline.start = \"{block}\" cannot be found there; give sources.{source_name}.start a time, \"genesis\" or \"latest\""
    )]
    NoBlocks {
        /// The source.
        source_name: &'static str,
        /// The block.
        block: u64,
    },
    /// It serves another chain than the rest.
    #[error("{endpoint} serves chain {found}, not {expected}")]
    WrongChain {
        /// Host and port.
        endpoint: String,
        /// The chain of the others.
        expected: u64,
        /// Its chain.
        found: u64,
    },
}

impl SourceError {
    /// An endpoint that is not reached. Its outages go by its own name, unless somebody guards it together with others.
    pub fn unreachable(endpoint: impl Into<String>, cause: impl Into<String>) -> Self {
        let endpoint = endpoint.into();
        Self::Unreachable { dependency: endpoint.clone(), endpoint, cause: cause.into() }
    }

    /// What to do about it.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::WrongChain { .. } | Self::NoBlocks { .. } => FailureClass::Deterministic,
            _ => FailureClass::Retry,
        }
    }

    /// Whether a part of what was asked for may be to blame, so that the rest is worth asking for.
    pub const fn may_be_of_a_part(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Broken { .. } | Self::Untrusted { .. })
    }

    /// How long the source asked to be left alone.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
