//! What is shown: a header, the worst thing, a view, and the keys.
//!
//! ```text
//!  polytape main  ● RUN 3  ○ IDLE 4                          up 3d04  embedded
//!  ▲ WARN  write-trades is behind: 188M unread in stream:trades            1/2
//!  … the view …
//!  P pause  R restart  B replay  X stop  Enter open  Tab pane   ? help  q quit
//! ```

mod footer;
mod header;
mod logs;
mod overview;
mod small;
mod source;
mod stages;
mod streams;
mod tables;
mod tape;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::popup;
use super::state::{Mode, Pane, State, View};
use super::widget::{Canvas, Frame};

/// Whether the terminal is too small for anything but the worst thing.
pub(crate) const fn is_too_small(state: &State) -> bool {
    state.width < small::LEAST.0 || state.height < small::LEAST.1
}

/// Draws everything.
pub(crate) fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let mut canvas = Canvas { buffer, look: &state.look };
    let canvas = &mut canvas;
    if is_too_small(state) {
        small::draw(state, area, canvas);
        return;
    }
    header::draw(state, Rect { height: 2, ..area }, canvas);
    footer::draw(state, Rect { y: area.bottom() - 1, height: 1, ..area }, canvas);
    let body = Rect { y: area.y + 2, height: area.height - 3, ..area };
    let frame = frame(area);
    match (state.view, state.zoom.then(|| state.focused())) {
        (_, Some(Pane::Stages)) => stages::draw(state, body, frame, canvas),
        (View::Overview, Some(Pane::Streams)) => streams::brief(state, body, frame, canvas),
        (View::Overview, Some(Pane::Tables)) => tables::brief(state, body, frame, canvas),
        (View::Overview, _) => overview::draw(state, body, area, canvas),
        (View::Streams, _) => streams::draw(state, body, frame, canvas),
        (View::Tables, _) => tables::draw(state, body, frame, canvas),
        (View::Logs, _) => logs::draw(state, body, frame, canvas),
        (View::Tape, _) => tape::draw(state, body, frame, canvas),
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

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Size {
    Small,
    Medium,
    Large,
}

const fn size(area: Rect) -> Size {
    if area.width < 100 || area.height < 30 {
        Size::Small
    } else if area.width < 160 || area.height < 50 {
        Size::Medium
    } else {
        Size::Large
    }
}

/// Boxes where there is room for them.
fn frame(area: Rect) -> Frame {
    if size(area) == Size::Small { Frame::Rule } else { Frame::Box }
}
