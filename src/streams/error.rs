//! Why a stage could not do its step.

use std::time::Duration;

use crate::{
    broker::BrokerError, failure::FailureClass, flow::StageId, source::SourceError, warehouse::WarehouseError,
};

/// What a stage says that waits for the first one to begin.
pub(crate) fn not_begun() -> String {
    format!("{} has not begun yet", StageId::IngestFills)
}

/// What a failure is about, of what is outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Concern {
    /// The broker.
    Broker,
    /// The warehouse.
    Warehouse,
    /// Who serves a source, by the name of its breaker.
    Source(String),
    /// None of it.
    #[default]
    Nothing,
}

/// A failure of a stage. Its text is what the screen shows behind `WAIT` or `FAIL`.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The broker.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The warehouse.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// There are no streams yet, since it is not known where to begin.
    #[error("{}", not_begun())]
    NotBegun,
    /// The store belongs to another world.
    #[error(
        "this store holds {stored}, but {source_name} serves {served}: nothing was written; choose another --data-dir, or with \
         Redis and ClickHouse another key_prefix and database"
    )]
    OtherWorld {
        /// The source.
        source_name: &'static str,
        /// The world of the rows in the store.
        stored: String,
        /// The world of the source.
        served: String,
    },
    /// It could not be found out whether source and store are of one world. Nobody writes before that.
    #[error("nothing is written before source and store are known to be of one chain: {cause}")]
    WorldUnknown {
        /// Why not.
        cause: String,
        /// What that is about.
        concern: Concern,
    },
    /// The streams belong to another pipeline.
    #[error(
        "the streams of this store belong to another pipeline than {name:?}: set pipeline.name, or choose another --data-dir"
    )]
    OtherPipeline {
        /// The pipeline that was to begin.
        name: String,
    },
    /// Entries of a newer polytape.
    #[error("{stream} holds entries of a newer polytape (version {version}): run that one")]
    NewerEntries {
        /// The stream.
        stream: String,
        /// Their version.
        version: u8,
    },
    /// A stored position is not one.
    #[error("{what} is not a position: {text:?}; choose another --data-dir, and it is read again")]
    Position {
        /// The cursor or checkpoint.
        what: String,
        /// What it holds.
        text: String,
    },
    /// Row after row is refused, so the fault is not the rows'.
    #[error("{count} rows in a row were refused, so nothing more is given up; the last one: {reason}")]
    AllRefused {
        /// How many.
        count: usize,
        /// Why the last one was.
        reason: String,
    },
    /// A replay cannot be done.
    #[error("{0}")]
    Replay(String),
    /// It panicked.
    #[error("panicked: {0}")]
    Panicked(String),
}

impl StageError {
    /// What to do about it.
    pub(crate) fn class(&self) -> FailureClass {
        match self {
            Self::Source(error) => error.class(),
            Self::Broker(error) => error.class(),
            Self::Warehouse(error) => error.class(),
            Self::NotBegun | Self::WorldUnknown { .. } => FailureClass::Retry,
            Self::Panicked(_) => FailureClass::Reconnect,
            Self::OtherWorld { .. }
            | Self::OtherPipeline { .. }
            | Self::NewerEntries { .. }
            | Self::Position { .. }
            | Self::Replay(_)
            | Self::AllRefused { .. } => FailureClass::Deterministic,
        }
    }

    /// What it is about.
    pub(crate) fn concern(&self) -> Concern {
        match self {
            Self::Broker(_) => Concern::Broker,
            Self::Warehouse(_) => Concern::Warehouse,
            // One that answers, if only with a refusal, is there.
            Self::Source(SourceError::Unreachable { dependency, .. }) => Concern::Source(dependency.clone()),
            Self::WorldUnknown { concern, .. } => concern.clone(),
            _ => Concern::Nothing,
        }
    }

    /// Whether what is refused may be left to the dead letters, where somebody says so.
    pub(crate) const fn can_skip(&self) -> bool {
        matches!(self, Self::AllRefused { .. })
    }

    /// How long to wait at least.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Source(error) => error.retry_after(),
            _ => None,
        }
    }
}
