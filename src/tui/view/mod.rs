//! The views: a file each, which begins with its drawing, and their list.

mod contract;
mod logs;
mod overview;
mod pane;
mod size;
mod source;
mod stages;
mod streams;
mod tables;
mod tape;
mod title;

use super::{state::State, view_id::ViewId};

pub(crate) use contract::View;
pub(crate) use pane::Pane;
pub(crate) use size::Size;
#[cfg(test)]
pub(crate) use stages::PANE as STAGES;

/// The views, in the order of their keys.
const VIEWS: &[&View] = &[&overview::VIEW, &streams::VIEW, &tables::VIEW, &logs::VIEW, &tape::VIEW];

/// All views, in the order of their keys.
pub(crate) fn all() -> impl DoubleEndedIterator<Item = &'static View> {
    VIEWS.iter().copied()
}

/// The view that the key map names so.
pub(crate) fn named(name: &str) -> Option<&'static View> {
    all().find(|view| view.id().name() == name)
}

/// The view of an id.
pub(crate) fn view(id: ViewId) -> &'static View {
    all().find(|view| view.id() == id).unwrap_or(VIEWS[0])
}

/// The pane that has the keys.
pub(crate) fn focused(state: &State) -> &'static Pane {
    pane::focused(state, view(state.view).panes)
}
