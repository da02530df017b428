//! What is shown: a header, the worst thing, a view, and the keys.
//!
//! ```text
//!  polytape main  ● RUN 3  ○ IDLE 4                          up 3d04  embedded
//!  ▲ WARN  write-trades is behind: 188M unread in stream:trades            1/2
//!  … the view …
//!  P pause  R restart  B replay  X stop  Enter open  Tab pane   ? help  q quit
//! ```

use ratatui::{buffer::Buffer, layout::Rect};

use super::{footer, header, small};
use crate::tui::state::{Mode, State};
use crate::tui::view::{self, Size};
use crate::tui::{popup, widget::Canvas};

/// Draws everything.
pub(crate) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let mut canvas = Canvas { buffer, look: &state.look };
    let canvas = &mut canvas;
    if small::is_too_small(state) {
        small::draw(state, area, canvas);
        return;
    }
    header::draw(state, Rect { height: 2, ..area }, canvas);
    footer::draw(state, Rect { y: area.bottom() - 1, height: 1, ..area }, canvas);
    let body = Rect { y: area.y + 2, height: area.height - 3, ..area };
    let size = Size::of(area);
    match state.zoom {
        true => (view::focused(state).draw)(state, body, size.frame(), true, canvas),
        false => view::view(state.view).draw(state, body, size, canvas),
    }
    match &state.mode {
        Mode::Normal | Mode::Find(_) => {}
        Mode::Help { scroll } => popup::help(state, *scroll, area, canvas),
        Mode::Alerts => popup::alerts(state, area, canvas),
        Mode::Detail => popup::detail(state, area, canvas),
        Mode::Confirm(confirm) => popup::confirm(confirm, area, canvas),
        Mode::Replay(form) => popup::replay(form, area, canvas),
        Mode::Quit(dialog) => popup::quit(dialog, area, canvas),
        Mode::Palette { text, selected } => popup::palette(state, text, *selected, area, canvas),
    }
}
