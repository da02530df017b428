//! What a stage is told to do.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{flow::StageId, streams::WaitCause};

/// What is wanted of a stage. Kept in the warehouse under these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DesiredState {
    /// It shall work.
    Run,
    /// It shall hold.
    Pause,
    /// It shall not be there.
    Stop,
}

impl DesiredState {
    /// The word that is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Pause => "pause",
            Self::Stop => "stop",
        }
    }

    /// What a word that was kept means.
    fn read(word: &str) -> Option<Self> {
        [Self::Run, Self::Pause, Self::Stop].into_iter().find(|desired| desired.as_str() == word)
    }
}

/// That a replay shall end, said to the process that does it. Kept beside what is wanted of stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StopRequest;

impl StopRequest {
    /// The word that is kept.
    pub(crate) const fn as_str(self) -> &'static str {
        "stop"
    }
}

/// What is kept as wanted, of stages and of replays.
pub(crate) struct Wanted(HashMap<String, String>);

impl Wanted {
    pub(crate) const fn new(kept: HashMap<String, String>) -> Self {
        Self(kept)
    }

    /// Of a stage: to work, where nobody has asked for anything.
    pub(crate) fn of_stage(&self, stage: StageId) -> DesiredState {
        self.0.get(stage.as_str()).and_then(|word| DesiredState::read(word)).unwrap_or(DesiredState::Run)
    }

    /// Of a replay, by its name.
    pub(crate) fn of_job(&self, name: &str) -> Option<StopRequest> {
        self.0.get(name).filter(|word| *word == StopRequest.as_str()).map(|_| StopRequest)
    }
}

/// What a runner is told over its control channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StageControl {
    /// What is wanted; `None` before it is known what was asked for in the past.
    pub(crate) desired: Option<DesiredState>,
    /// Why that cannot be known, where no repetition helps.
    pub(crate) refused: Option<Arc<str>>,
    /// What that waits for, where it may come.
    pub(crate) waits_for: Option<WaitCause>,
    /// How often it was told to begin again.
    pub(crate) restarts: u64,
    /// How often it was told to leave what is bad to the dead letters, whatever its number.
    pub(crate) skips: u64,
}

impl StageControl {
    /// To work, whatever was asked for.
    pub(crate) const RUN: Self =
        Self { desired: Some(DesiredState::Run), refused: None, waits_for: None, restarts: 0, skips: 0 };
}
