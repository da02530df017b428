//! Every action by its name.

use ratatui::layout::Rect;

use crate::tui::state::State;
use crate::tui::theme::Token;
use crate::tui::update::offered;
use crate::tui::widget::{Canvas, popup};

pub(crate) fn draw(state: &State, typed: &str, selected: usize, area: Rect, canvas: &mut Canvas<'_>) {
    let (label, plain, dim) = (canvas.style(Token::Label), canvas.style(Token::Text), canvas.style(Token::Dim));
    let height = area.height.saturating_sub(4).min(18);
    let inner = popup(canvas, area, (area.width.saturating_sub(4).min(90), height), "Do", "Enter does it, Esc closes");
    canvas.puts(inner, 0, 0, &[(": ", label), (typed, canvas.style(Token::Focus)), ("_", dim)]);
    let room = usize::from(inner.height.saturating_sub(1));
    let first = (selected + 1).saturating_sub(room);
    for (at, action) in offered(typed).into_iter().enumerate().skip(first).take(room) {
        let line = u16::try_from(at - first + 1).unwrap_or(u16::MAX);
        let about = action.about();
        let key = state.look.keymap.keys(action).first().copied().unwrap_or("").to_owned();
        canvas.put(inner, 0, line, &key, label);
        canvas.put(inner, 10, line, about.name, plain);
        canvas.put(inner, 26, line, about.text, dim);
        if at == selected {
            let style = canvas.style(Token::Selected);
            canvas.tint(Rect { y: inner.y + line, height: 1, ..inner }, style);
        }
    }
}
