//! The form of a replay.
//!
//! ```text
//! ╭─ Replay ──────────────────────────────────────────────╮
//! │ stage  ◂ ingest-fills ▸                               │
//! │ from   15m_                                           │
//! │ to     now                                            │
//! │                                                       │
//! │ would do 451 blocks, from block … to block …          │
//! │                                                       │
//! │ Enter: what would it do?   Tab field   Esc cancel     │
//! ╰───────────────────────────────────────────────────────╯
//! ```

use ratatui::layout::Rect;

use crate::tui::dialog::{Field, ReplayForm};
use crate::tui::widget::{Canvas, popup};
use crate::tui::{text, theme::Token};

pub(crate) fn draw(form: &ReplayForm, area: Rect, canvas: &mut Canvas<'_>) {
    let width = area.width.saturating_sub(4).min(72);
    let inner = popup(canvas, area, (width, 14), "Replay", "rows that are there stay as they are");
    let (label, plain, dim) = (canvas.style(Token::Label), canvas.style(Token::Text), canvas.style(Token::Dim));
    let fields = [
        (Field::Stage, "stage", form.stage.as_str(), "Left/Right another"),
        (Field::From, "from", form.from.as_str(), "age, time or block"),
        (Field::To, "to", form.to.as_str(), "the same, or now"),
    ];
    for (line, (field, name, value, hint)) in (0..).zip(fields) {
        let is_here = form.field == field;
        canvas.put(inner, 1, line, name, label);
        let style = if is_here { canvas.style(Token::Selected) } else { plain };
        let shown = text::left(&format!(" {value}{}", if is_here { "_" } else { "" }), 34, canvas.charset());
        canvas.put(inner, 8, line, &shown, style);
        canvas.put(inner, 44, line, hint, dim);
    }
    let columns = usize::from(inner.width.saturating_sub(2)).max(1);
    let (said, style) = match &form.plan {
        _ if form.asking => (vec!["finding out what it would do".to_owned()], dim),
        None => (vec!["Nothing has changed yet. First it is shown what would be done.".to_owned()], dim),
        Some(Err(why)) => (text::wrap(&text::clean(why, canvas.charset()), columns), canvas.style(Token::Bad)),
        Some(Ok(plan)) => {
            let lines = [
                format!("would do {}", plan.amount),
                format!("from     {}", plan.from),
                format!("to       {}", plan.to),
                format!("how      {}", plan.way),
            ];
            (lines.into(), plain)
        }
    };
    for (line, text) in (4..11).zip(&said) {
        canvas.put(inner, 1, line, text, style);
    }
    let keys = match &form.plan {
        Some(Ok(_)) => "Enter do it   Esc cancel",
        _ => "Enter what would it do?   Tab field   Esc cancel",
    };
    canvas.put(inner, 1, 11, keys, label);
}
