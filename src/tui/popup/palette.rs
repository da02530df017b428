//! Every action by its name, and every command by its words.

use ratatui::layout::Rect;

use crate::control::Command;
use crate::tui::widget::{Canvas, popup};
use crate::tui::{catalogue::offered, state::State, text, theme::Token};

pub(crate) fn draw(state: &State, typed: &str, selected: usize, area: Rect, canvas: &mut Canvas<'_>) {
    let (label, plain, dim) = (canvas.style(Token::Label), canvas.style(Token::Text), canvas.style(Token::Dim));
    let height = area.height.saturating_sub(4).min(18);
    let inner = popup(canvas, area, (area.width.saturating_sub(4).min(90), height), "Do", "Enter does it, Esc closes");
    canvas.puts(inner, 0, 0, &[(": ", label), (typed, canvas.style(Token::Focus)), ("_", dim)]);
    let room = usize::from(inner.height.saturating_sub(1));
    let first = (selected + 1).saturating_sub(room);
    let offered = offered(typed);
    if offered.is_empty() {
        match typed.parse::<Command>() {
            Ok(command) => canvas.puts(inner, 0, 1, &[(typed, plain), ("    ", plain), (&command.about(), dim)]),
            Err(why) => canvas.put(inner, 0, 1, &text::clean(&why, canvas.charset()), dim),
        };
    }
    for (at, about) in offered.into_iter().enumerate().skip(first).take(room) {
        let line = u16::try_from(at - first + 1).unwrap_or(u16::MAX);
        canvas.put(inner, 0, line, state.look.keymap.key(about.action).unwrap_or_default(), label);
        canvas.put(inner, 10, line, about.name, plain);
        canvas.put(inner, 26, line, about.text, dim);
        if at == selected {
            let style = canvas.style(Token::Selected);
            canvas.tint(Rect { y: inner.y + line, height: 1, ..inner }, style);
        }
    }
}
