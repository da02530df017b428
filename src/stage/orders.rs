//! What a stage is told to do.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What is wanted of a stage. Kept in the warehouse under these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Desired {
    /// It shall work.
    Run,
    /// It shall hold.
    Pause,
    /// It shall not be there.
    Stop,
}

impl Desired {
    /// The word that is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Pause => "pause",
            Self::Stop => "stop",
        }
    }

    /// What a word that was kept means.
    pub(super) fn read(word: &str) -> Option<Self> {
        [Self::Run, Self::Pause, Self::Stop].into_iter().find(|desired| desired.as_str() == word)
    }
}

/// What a runner is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Orders {
    /// What is wanted; `None` before it is known what was asked for in the past.
    pub(super) desired: Option<Desired>,
    /// Why that cannot be known, where no repetition helps.
    pub(super) refused: Option<Arc<str>>,
    /// What that waits for, where it may come.
    pub(super) waits_for: Option<Arc<str>>,
    /// How often it was told to begin again.
    pub(super) restarts: u64,
    /// How often it was told to leave what is bad to the dead letters, whatever its number.
    pub(super) skips: u64,
}

impl Orders {
    /// To work, whatever was asked for.
    pub(super) const RUN: Self =
        Self { desired: Some(Desired::Run), refused: None, waits_for: None, restarts: 0, skips: 0 };
}
