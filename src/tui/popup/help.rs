//! Every action and its keys, from the table of actions.

use ratatui::layout::Rect;

use crate::tui::widget::{Canvas, popup};
use crate::tui::{catalogue::chapters, state::State, theme::Token};

pub(crate) fn draw(state: &State, scroll: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let (focus, label, plain) = (canvas.style(Token::Focus), canvas.style(Token::Label), canvas.style(Token::Text));
    let mut lines = Vec::new();
    for (title, actions) in chapters() {
        if !lines.is_empty() {
            lines.push((String::new(), String::new(), plain));
        }
        lines.push((title.to_owned(), String::new(), focus));
        for about in actions {
            let keys = state.look.keymap.keys(about.action).join(" ");
            lines.push((keys, about.text.to_owned(), label));
        }
    }
    let all = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let height = (all + 2).min(area.height.saturating_sub(2));
    let inner =
        popup(canvas, area, (area.width.saturating_sub(4).min(96), height), "Help", "j/k scroll, any other key closes");
    let first = scroll.min(all.saturating_sub(inner.height));
    for (line, (left, right, style)) in (0..).zip(lines.iter().skip(usize::from(first))) {
        if right.is_empty() {
            canvas.put(inner, 0, line, left, *style);
        } else {
            canvas.put(Rect { width: inner.width.min(17), ..inner }, 1, line, left, *style);
            canvas.put(inner, 18, line, right, plain);
        }
    }
}
