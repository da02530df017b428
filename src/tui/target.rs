//! What verbs are about: the lines of the pane of the stages.

use crate::monitor::{JobView, Snapshot, StageView};
use crate::warehouse::JobState;

/// A stage or a replay.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    Stage(&'a StageView),
    Job(&'a JobView),
}

impl<'a> Target<'a> {
    /// By which the selected one is remembered.
    pub(crate) const PANE: &'static str = "stages";

    /// How many there are.
    pub(crate) fn count(shown: &Snapshot) -> usize {
        shown.stages.len() + shown.jobs.len()
    }

    /// The one in a line: the stages, and behind them the replays.
    pub(crate) fn at(shown: &'a Snapshot, line: usize) -> Option<Self> {
        match shown.stages.get(line) {
            Some(stage) => Some(Self::Stage(stage)),
            None => shown.jobs.get(line - shown.stages.len()).map(Self::Job),
        }
    }
}

/// Whether a replay goes on.
pub(crate) fn goes_on(job: &JobView) -> bool {
    job.state == JobState::Running
}
