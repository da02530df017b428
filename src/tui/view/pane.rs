//! A pane that may have the keys.

use ratatui::layout::Rect;

use crate::tui::state::{Mode, State};
use crate::tui::widget::{Canvas, Frame};
use crate::{monitor::Snapshot, tui::view_id::ViewId};

/// A pane of a view: lines to move among, to open and to copy.
#[derive(Clone, Copy)]
pub(crate) struct Pane {
    /// By which the selected line is remembered. Panes that show the same share it.
    pub(crate) name: &'static str,
    /// How many lines there are to select from.
    pub(crate) lines: fn(&Snapshot) -> usize,
    /// A line as a text, to be copied.
    pub(crate) text: fn(&State, usize) -> Option<String>,
    /// What Enter opens.
    pub(crate) opens: Opens,
    /// Draws it; the flag says whether it has the keys.
    pub(crate) draw: fn(&State, Rect, Frame, bool, &mut Canvas<'_>),
}

impl Pane {
    /// Its selected line.
    pub(crate) fn selected(&self, state: &State) -> usize {
        state.selected(self.name, (self.lines)(state.shown()))
    }
}

/// Which of the panes of the shown view has the keys.
pub(super) fn focused(state: &State, panes: &'static [Pane]) -> &'static Pane {
    &panes[state.focus.get(&state.view).copied().unwrap_or(0).min(panes.len() - 1)]
}

/// What Enter opens.
#[derive(Clone, Copy)]
pub(crate) enum Opens {
    Nothing,
    /// All that is known of a stage or a replay.
    Detail,
    /// The view that knows more.
    View(ViewId),
}

impl Opens {
    pub(crate) fn open(self, state: &mut State) {
        match self {
            Self::Nothing => {}
            Self::Detail => state.mode = Mode::Detail,
            Self::View(view) => state.show(view),
        }
    }
}
