//! The log: targets with their levels at the left, lines at the right; or the lines that have what was looked for.
//!
//! ```text
//! ── 4 Logs ─────────────────────────────────────── 42,004 lines, 10,000 in memory ─
//!  EWIDT ingest-fills   │ 12:04:31 INFO  write-trades       RUN
//!  EWIDT write-trades   │ 12:04:32 WARN  ingest-fills       WAIT node: refused
//! ```

use ratatui::layout::Rect;

use crate::logs::{LogRecord, time_of_day};
use crate::tui::state::{Found, Mode, State};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widget::{Canvas, Frame, log_lines, log_targets, pane};
use crate::units::thousands;

/// Columns of the targets.
const TARGETS: u16 = 28;

pub(super) fn draw(state: &State, area: Rect, frame: Frame, canvas: &mut Canvas<'_>) {
    let log = state.shown().log;
    let mut note = format!("{} lines, {} in memory", thousands(log.seen), thousands(log.kept));
    match log.dropped {
        Some(0) => {}
        Some(dropped) => note.push_str(&format!(", {} not in the file", thousands(dropped))),
        None => note.push_str(", no file"),
    }
    let typed = match &state.mode {
        Mode::Find(typed) if !typed.is_empty() => Some(Found { text: typed.clone(), at: 0 }),
        _ => None,
    };
    if let Some(found) = typed.as_ref().or(state.found.as_ref()) {
        let lines = state.find(&found.text);
        let which = if lines.is_empty() { 0 } else { lines.len() - found.at.min(lines.len() - 1) };
        let title = format!("4 Logs: {:?}, {which} of {}", found.text, lines.len());
        let inner = pane(canvas, area, frame, &title, &note, true);
        matches(canvas, inner, found, lines.iter().map(|(_, record)| &**record));
        return;
    }
    let inner = pane(canvas, area, frame, "4 Logs", &note, true);
    if !state.shows_targets(inner.width) {
        log_lines(canvas, inner, &state.log);
        return;
    }
    log_targets(canvas, Rect { width: TARGETS, ..inner }, &state.log);
    let vertical = canvas.charset().frame()[1];
    let dim = canvas.style(Token::Dim);
    for line in 0..inner.height {
        canvas.put(inner, TARGETS, line, vertical, dim);
    }
    let lines = Rect { x: inner.x + TARGETS + 2, width: inner.width - TARGETS - 2, ..inner };
    log_lines(canvas, lines, &state.log);
}

/// Lines that have what was looked for; the chosen one among them.
fn matches<'a>(
    canvas: &mut Canvas<'_>,
    area: Rect,
    found: &Found,
    records: impl DoubleEndedIterator<Item = &'a LogRecord>,
) {
    let newest_first: Vec<&LogRecord> = records.rev().collect();
    if newest_first.is_empty() {
        let dim = canvas.style(Token::Dim);
        canvas.put(area, 1, 0, "no line in memory has it; `polytape logs` reads the files", dim);
        return;
    }
    let room = usize::from(area.height);
    let at = found.at.min(newest_first.len() - 1);
    // The newest is below, as in the log itself.
    let first = (at + 1).saturating_sub(room);
    let shown = newest_first.len().saturating_sub(first).min(room);
    for (up, record) in newest_first.iter().skip(first).take(room).enumerate() {
        let line = u16::try_from(shown - 1 - up).unwrap_or(u16::MAX);
        let token = match record.level {
            tracing::Level::ERROR => Token::Bad,
            tracing::Level::WARN => Token::Warn,
            _ => Token::Text,
        };
        let (style, dim, label) = (canvas.style(token), canvas.style(Token::Dim), canvas.style(Token::Label));
        let charset = canvas.charset();
        let time = time_of_day(record);
        let origin = text::left(&text::clean(record.origin(), charset), 18, charset);
        let said = text::clean(&crate::logs::text(record), charset);
        canvas.puts(
            area,
            1,
            line,
            &[
                (&time, dim),
                (" ", dim),
                (&format!("{:5} ", record.level), style),
                (&origin, label),
                (" ", dim),
                (&said, style),
            ],
        );
        if first + up == at {
            let selected = canvas.style(Token::Match);
            canvas.tint(Rect { y: area.y + line, height: 1, ..area }, selected);
        }
    }
}
