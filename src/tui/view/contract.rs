//! What a view is.

use std::ops::ControlFlow;

use ratatui::layout::Rect;

use super::{pane::Pane, size::Size};
use crate::tui::action::{About, Action};
use crate::tui::{effect::Effect, state::State, view_id::ViewId, widget::Canvas};

/// A view: a file of its own, a line in the list of views, a key in `assets/keymap.toml`. Footer, help and palette follow.
pub(crate) struct View {
    pub(super) id: ViewId,
    /// What stands above it, behind its key: `Streams`.
    pub(crate) title: &'static str,
    /// What help says of it: `Streams: who is behind, and by how much`.
    pub(crate) text: &'static str,
    /// The panes that may have the keys, one at least; the first one has them at first.
    pub(crate) panes: &'static [Pane],
    /// Draws it, where it is more than its first pane.
    pub(super) layout: Option<fn(&State, Rect, Size, &mut Canvas<'_>)>,
    /// The actions that it alone offers. Their keys are in the section of its name.
    pub(crate) actions: &'static [About],
    /// Does what an action means here. Goes on where that is what it means everywhere.
    pub(crate) act: fn(&mut State, Action) -> ControlFlow<Option<Effect>>,
}

impl View {
    /// A view that is its first pane, and where actions mean what they mean everywhere.
    pub(super) const fn new(id: ViewId, title: &'static str, text: &'static str, panes: &'static [Pane]) -> Self {
        Self { id, title, text, panes, layout: None, actions: &[], act: |_, _| ControlFlow::Continue(()) }
    }

    /// By which key map and palette know it: `streams`.
    pub(crate) const fn id(&self) -> ViewId {
        self.id
    }

    pub(crate) fn draw(&self, state: &State, area: Rect, size: Size, canvas: &mut Canvas<'_>) {
        match self.layout {
            Some(layout) => layout(state, area, size, canvas),
            None => (self.panes[0].draw)(state, area, size.frame(), true, canvas),
        }
    }
}
