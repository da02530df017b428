//! A source of fills as a pipeline reads it: its stage, its cursor, its checkpoint.

use std::{sync::Arc, time::Duration};

use crate::source::{FillSource, Position, Start};
use crate::{flow::StageId, streams::error::StageError};

/// A source of fills, and how it is read.
#[derive(Clone)]
pub struct Fills {
    /// Where they come from.
    pub source: Arc<dyn FillSource>,
    /// The stage that reads it.
    pub stage: StageId,
    /// Where a first run begins.
    pub start: Start,
    /// How often it is asked how far it can be read.
    pub poll_interval: Duration,
}

impl Fills {
    /// Its name, under which its cursor, its checkpoint and its progress are kept.
    pub(crate) fn name(&self) -> &'static str {
        self.source.name()
    }

    /// The key of its cursor.
    pub(crate) fn cursor_key(&self) -> String {
        self.stage.cursor_key(self.name())
    }

    /// The position that a text holds; `what` names it in the error.
    pub(crate) fn position(&self, what: &str, text: &str) -> Result<Position, StageError> {
        self.source.position(text).ok_or_else(|| StageError::Position { what: what.into(), text: text.into() })
    }
}
