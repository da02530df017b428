//! The last line: what was just said, what is being typed, or the keys.

use ratatui::layout::Rect;

use crate::monitor::Severity;
use crate::tui::action::{ACTIONS, Place};
use crate::tui::state::{Mode, State, View};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widget::Canvas;

pub(super) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let (label, dim) = (canvas.style(Token::Label), canvas.style(Token::Dim));
    if let Mode::Find(typed) = &state.mode {
        canvas.puts(area, 1, 0, &[("find ", label), (typed, canvas.style(Token::Focus)), ("_", dim)]);
        canvas.put_right(area, 0, "Enter find  Esc cancel ", dim);
        return;
    }
    if let Some(toast) = &state.toast {
        let style = match toast.severity {
            Severity::Info => canvas.style(Token::Focus),
            severity => canvas.look.theme.severity(severity),
        };
        canvas.put(area, 1, 0, &text::clean(&toast.text, canvas.charset()), style);
        return;
    }
    if state.asked > 0 {
        canvas.put(area, 1, 0, "asked, not answered yet", dim);
        return;
    }
    hints(state, area, canvas);
}

/// The views, then as many keys as there is room for; help and quit always.
fn hints(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let (label, dim) = (canvas.style(Token::Label), canvas.style(Token::Dim));
    let place = if state.view == View::Logs { Place::Logs } else { Place::Everywhere };
    let keymap = &state.look.keymap;
    let mut hints: Vec<(u8, String, &str)> = ACTIONS
        .iter()
        .filter(|about| {
            about.place == place || (about.place == Place::Everywhere && about.hint.is_some_and(|hint| hint.0 == 0))
        })
        .filter_map(|about| {
            let (rank, text) = about.hint?;
            Some((rank, (*keymap.keys(about.action).first()?).to_owned(), text))
        })
        .collect();
    hints.sort_by_key(|hint| hint.0);
    let width =
        |(_, key, text): &(u8, String, &str)| u16::try_from(text::width(key) + text::width(text) + 3).unwrap_or(0);
    let mut room = area.width.saturating_sub(2);
    let mut shown = vec![(9, "1-5".to_owned(), "view")];
    room = room.saturating_sub(width(&shown[0]));
    for hint in hints {
        if width(&hint) <= room {
            room -= width(&hint);
            shown.push(hint);
        }
    }
    // Help and quit stand at the end, where they are looked for.
    shown.sort_by_key(|hint| if hint.0 == 0 { 100 } else { hint.0 });
    let mut at = 1;
    for (_, key, text) in &shown {
        at += canvas.puts(area, at, 0, &[(key, label), (" ", dim), (text, dim), ("  ", dim)]);
    }
}
