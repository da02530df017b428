//! A terminal that is too small for anything but the worst thing.

use ratatui::layout::Rect;

use super::header;
use crate::tui::state::{Mode, State};
use crate::tui::{text, theme::Token, widget::Canvas};

/// Columns and lines that a view needs.
const LEAST: (u16, u16) = (60, 14);

/// Whether a terminal is that small.
pub(crate) const fn is_too_small(state: &State) -> bool {
    state.width < LEAST.0 || state.height < LEAST.1
}

pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let (worst, style) = header::worst(state, canvas);
    let mut line = 0;
    for text in text::wrap(&worst, usize::from(area.width).max(1)) {
        canvas.put(area, 0, line, &text, style);
        line += 1;
    }
    let need = format!("need {}x{}, have {}x{}", LEAST.0, LEAST.1, area.width, area.height);
    let dim = canvas.style(Token::Dim);
    canvas.put(area, 0, line, &need, dim);
    let leave =
        if matches!(state.mode, Mode::Quit(_)) { "Ctrl-C again stops the pipeline" } else { "Ctrl-C twice quits" };
    canvas.put(area, 0, line + 1, leave, dim);
}
