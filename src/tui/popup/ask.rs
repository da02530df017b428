//! Questions before something happens.

use ratatui::layout::Rect;

use crate::tui::dialog::{Confirm, QuitDialog};
use crate::tui::widget::{Canvas, popup};
use crate::tui::{text, theme::Token};

const WIDTH: u16 = 64;

pub(crate) fn confirm(confirm: &Confirm, area: Rect, canvas: &mut Canvas<'_>) {
    let lines = text::wrap(&confirm.text, usize::from(WIDTH - 6));
    let height = u16::try_from(lines.len()).unwrap_or(0) + 5;
    let inner = popup(canvas, area, (WIDTH, height), &confirm.title, "");
    for (line, text) in (0..).zip(&lines) {
        canvas.put(inner, 1, line, text, canvas.style(Token::Text));
    }
    let (plain, chosen) = (canvas.style(Token::Text), canvas.style(Token::Selected));
    let line = height - 4;
    let (yes, no) = if confirm.yes { (chosen, plain) } else { (plain, chosen) };
    canvas.puts(inner, 1, line, &[(" Yes (y) ", yes), ("   ", plain), (" No (n) ", no)]);
    let dim = canvas.style(Token::Dim);
    canvas.put_right(inner, line, &format!("{} ", confirm.command), dim);
}

pub(crate) fn quit(dialog: &QuitDialog, area: Rect, canvas: &mut Canvas<'_>) {
    let choices = dialog.choices();
    let height = u16::try_from(choices.len()).unwrap_or(0) + 4;
    let inner = popup(canvas, area, (WIDTH, height), "Leave?", "");
    let (label, plain, chosen) = (canvas.style(Token::Label), canvas.style(Token::Text), canvas.style(Token::Selected));
    for (at, (key, name, does, _)) in choices.iter().enumerate() {
        let line = u16::try_from(at).unwrap_or(0);
        canvas.puts(inner, 1, line, &[(&format!("{key} "), label), (&format!("{name:8}"), plain), (does, plain)]);
        if at == dialog.at {
            canvas.tint(Rect { y: inner.y + line, height: 1, ..inner }, chosen);
        }
    }
    let dim = canvas.style(Token::Dim);
    canvas.put(inner, 1, height - 3, "What is committed is safe in any case. Ctrl-C again: stop", dim);
}
