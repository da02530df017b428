//! The last line: what was just said, what is being typed, or the keys.

use ratatui::layout::Rect;

use crate::monitor::Severity;
use crate::tui::action::{About, Action};
use crate::tui::state::{Mode, State};
use crate::tui::view::{self, View};
use crate::tui::{catalogue, text, theme::Token, widget::Canvas};

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
    let keymap = &state.look.keymap;
    let own = view::view(state.view).actions;
    // Where a view has actions of its own there is no room for others.
    let has_room = |about: &About| about.hint.is_some_and(|hint| own.is_empty() || hint.0 == 0);
    let everywhere = catalogue::all().into_iter().filter(has_room);
    let everywhere = everywhere.filter(|about| catalogue::owner(about.action).is_none());
    let mut hints: Vec<(u8, String, &str)> = everywhere
        .chain(own.iter().copied())
        .filter_map(|about| {
            let (rank, text) = about.hint?;
            Some((rank, keymap.key(about.action)?.to_owned(), text))
        })
        .collect();
    hints.sort_by_key(|hint| hint.0);
    let width =
        |(_, key, text): &(u8, String, &str)| u16::try_from(text::width(key) + text::width(text) + 3).unwrap_or(0);
    let mut room = area.width.saturating_sub(2);
    let of_view = |view: Option<&View>| keymap.key(Action::View(view?.id()));
    let ends = [of_view(view::all().next()), of_view(view::all().next_back())].map(Option::unwrap_or_default);
    let mut shown = vec![(9, ends.join("-"), "view")];
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
