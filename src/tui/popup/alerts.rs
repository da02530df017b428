//! All alerts, the worst first.

use ratatui::layout::Rect;

use crate::tui::widget::{Canvas, popup};
use crate::tui::{alert, state::State, text, theme::Token};
use crate::{monitor::Severity, units::about};

pub(crate) fn draw(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let alerts = &state.shown().alerts;
    let width = area.width.saturating_sub(4).min(110);
    let columns = usize::from(width.saturating_sub(14)).max(1);
    let mut lines = Vec::new();
    for alert in alerts {
        let word = match alert.severity {
            Severity::Bad => "BAD ",
            Severity::Warn => "WARN",
            Severity::Info => "NOTE",
        };
        let style = canvas.look.theme.severity(alert.severity);
        let said = text::clean(&alert::said(alert, &state.look.keymap), canvas.charset());
        for (at, part) in text::wrap(&said, columns).into_iter().enumerate() {
            let head = if at == 0 { format!("{word} {:>4} ", about(alert.since)) } else { " ".repeat(10) };
            lines.push((head, part, style));
        }
    }
    let height = u16::try_from(lines.len().max(1)).unwrap_or(u16::MAX).saturating_add(2);
    let inner = popup(canvas, area, (width, height.min(area.height.saturating_sub(2))), "Alerts", "any key closes");
    let (dim, plain) = (canvas.style(Token::Dim), canvas.style(Token::Text));
    if lines.is_empty() {
        canvas.put(inner, 0, 0, "nothing: all is well", dim);
    }
    for (line, (head, said, style)) in (0..).zip(&lines) {
        canvas.puts(inner, 0, line, &[(head, *style), (said, plain)]);
    }
}
