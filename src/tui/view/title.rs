//! Titles behind the keys of their views.

use super::contract::View;
use crate::tui::{action::Action, state::State, view_id::ViewId};

/// The title of a view behind its key: `2 Streams`.
pub(super) fn title(state: &State, view: &View) -> String {
    titled(state, view.id(), view.title)
}

/// Another title behind the key of a view: `2 Streams and groups`.
pub(super) fn titled(state: &State, view: ViewId, title: &str) -> String {
    match state.look.keymap.key(Action::View(view)) {
        Some(key) => format!("{key} {title}"),
        None => title.to_owned(),
    }
}
