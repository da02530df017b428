//! Which lines are shown.

use tracing::Level;

use super::line::Line;

/// Lines of a stage, from a level on.
pub(super) struct Selection {
    stage: Option<String>,
    level: Option<Level>,
}

impl Selection {
    /// Nothing stands for all.
    pub(super) fn new(stage: Option<String>, level: Option<&str>) -> Self {
        Self { stage, level: level.and_then(|level| level.parse().ok()) }
    }

    /// Whether a line is shown. One that is no record has no stage and no level, and is shown where all are; one that is
    /// empty never is.
    pub(super) fn has(&self, line: &Line) -> bool {
        let Some(record) = &line.record else {
            return self.stage.is_none() && self.level.is_none() && !line.raw.is_empty();
        };
        let of_stage = self.stage.is_none() || self.stage == record.stage;
        // A level is less than those that say more.
        of_stage && self.level.is_none_or(|level| record.level <= level)
    }
}
