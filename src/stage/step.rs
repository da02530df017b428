//! A stage, and what becomes of its steps.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::streams::{StageError, WaitCause};

/// What a step has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many events went on.
    Moved(u64),
    /// There is nothing to do.
    Idle,
    /// There is something to do, and no room to do it.
    Wait(WaitCause),
    /// There will never be anything to do again. Only a replay has an end.
    Done,
}

/// One stage.
#[async_trait]
pub(crate) trait Stage: Send {
    /// Does a bounded piece of work and commits it. Where there is nothing to do it waits a while, but not once
    /// `drain` is cancelled. After an error that may pass, it is called again and goes on with what it holds.
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError>;

    /// Whether it holds something that it has taken and not committed, which another step may finish.
    fn in_hand(&self) -> bool {
        false
    }

    /// What its stream holds now shall become dead letters as far as it is bad, however much of it is. Said before its first step.
    fn skip_bad(&mut self) {}
}
