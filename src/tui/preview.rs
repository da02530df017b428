//! Frames without a terminal: for pictures, measurements and tests.

use std::io::{self, Write};
use std::sync::Arc;

use super::{look::UiOptions, painter::Painter, screen, state::State};
use crate::{logs::LogRing, monitor::Snapshot};

/// A screen that is painted into a writer, one snapshot after the other.
pub struct Preview<W: Write> {
    state: State,
    painter: Painter<W>,
    size: (u16, u16),
}

impl<W: Write> Preview<W> {
    /// The overview in a size.
    pub fn new(look: UiOptions, snapshot: Arc<Snapshot>, size: (u16, u16), out: W) -> Self {
        let mut state = State::new(look, snapshot, Arc::new(LogRing::default()), super::Exits::Stop);
        (state.width, state.height) = size;
        Self { state, painter: Painter::new(out), size }
    }

    /// Shows another snapshot. Says how many bytes that took.
    pub fn show(&mut self, snapshot: Arc<Snapshot>) -> io::Result<usize> {
        self.state.snapshot = snapshot;
        let state = &self.state;
        self.painter.paint(self.size, |area, buffer| screen::draw(state, area, buffer))
    }
}
