//! The log: targets with their levels at the left, lines at the right; or the lines that have what was looked for.
//!
//! ```text
//! ── 4 Logs ─────────────────────────────────────── 42,004 lines, 10,000 in memory ─
//!  EWIDT ingest-fills   │ 12:04:31 INFO  write-trades       RUN
//!  EWIDT write-trades   │ 12:04:32 WARN  ingest-fills       WAIT node: refused
//! ```

use std::{ops::ControlFlow, sync::Arc};

use ratatui::layout::Rect;
use tui_logger::TuiWidgetEvent;

use super::pane::{Opens, Pane};
use super::{contract::View, title::title};
use crate::logs::{LogRecord, time_of_day};
use crate::tui::action::{About, Action, about};
use crate::tui::state::{Found, Mode, State};
use crate::tui::widget::{Canvas, Frame, log_lines, log_targets, pane};
use crate::tui::{effect::Effect, text, theme::Token, view_id::ViewId};
use crate::units::thousands;

/// Columns of the targets.
const TARGETS: u16 = 28;

/// Its name.
const ID: ViewId = ViewId::new("logs");

/// Its lines are selected by the widget, and by what is looked for.
const PANE: Pane = Pane { name: ID.name(), lines: |_| 0, text: copied, opens: Opens::Nothing, draw };

const ACTIONS: &[About] = &[
    about(Action::Find, "find", "find a text in the log").hint(1, "find"),
    about(Action::FindNext, "find-next", "the next line that has it").hint(2, "next"),
    about(Action::FindPrevious, "find-previous", "the line before that has it"),
    about(Action::LogMore, "log-more", "record more of the selected target"),
    about(Action::LogLess, "log-less", "record less of the selected target").hint(4, "level"),
    about(Action::LogFocus, "log-focus", "show the selected target only").hint(3, "focus"),
    about(Action::LogTargets, "log-targets", "hide or show the targets"),
    about(Action::LogSave, "log-save", "save the lines in memory to a file").hint(5, "save"),
];

pub(super) const VIEW: View = View { actions: ACTIONS, act, ..View::new(ID, "Logs", "Logs: what happened", &[PANE]) };

fn act(state: &mut State, action: Action) -> ControlFlow<Option<Effect>> {
    let has_found = state.found.is_some();
    let event = match action {
        Action::Find => {
            state.mode = Mode::Find(String::new());
            return ControlFlow::Break(None);
        }
        // Lines that were found are counted from the newest, which is below.
        Action::FindNext => return seek(state, |at| at + 1),
        Action::FindPrevious => return seek(state, |at| at.saturating_sub(1)),
        Action::Up if has_found => return seek(state, |at| at + 1),
        Action::Down | Action::PageUp | Action::PageDown | Action::Top | Action::Bottom if has_found => {
            return seek(state, |at| at.saturating_sub(1));
        }
        Action::LogTargets => {
            // What is wanted is the other thing: on a small screen they are hidden at first.
            state.targets = Some(!state.shows_targets(state.width));
            return ControlFlow::Break(None);
        }
        Action::LogSave => return ControlFlow::Break(Some(Effect::SaveLog)),
        Action::Up => TuiWidgetEvent::UpKey,
        Action::Down => TuiWidgetEvent::DownKey,
        Action::Left => TuiWidgetEvent::LeftKey,
        Action::Right => TuiWidgetEvent::RightKey,
        Action::PageUp | Action::Top => TuiWidgetEvent::PrevPageKey,
        Action::PageDown => TuiWidgetEvent::NextPageKey,
        Action::Bottom => TuiWidgetEvent::EscapeKey,
        Action::Back if !has_found && !state.zoom => TuiWidgetEvent::EscapeKey,
        Action::LogMore => TuiWidgetEvent::PlusKey,
        Action::LogLess => TuiWidgetEvent::MinusKey,
        Action::LogFocus => TuiWidgetEvent::FocusKey,
        _ => return ControlFlow::Continue(()),
    };
    state.log.transition(event);
    ControlFlow::Break(None)
}

/// Goes to another of the lines that were found.
fn seek(state: &mut State, to: impl Fn(usize) -> usize) -> ControlFlow<Option<Effect>> {
    if let Some(mut found) = state.found.take() {
        let last = state.find(&found.text).len().saturating_sub(1);
        found.at = to(found.at).min(last);
        state.found = Some(found);
    }
    ControlFlow::Break(None)
}

/// The line that was found, or else the newest one.
fn copied(state: &State, _: usize) -> Option<String> {
    let record = match &state.found {
        Some(found) => Arc::clone(&state.find(&found.text).iter().rev().nth(found.at)?.1),
        None => state.ring.newest(1).pop()?.1,
    };
    Some(crate::logs::line(&record))
}

fn draw(state: &State, area: Rect, frame: Frame, _: bool, canvas: &mut Canvas<'_>) {
    let log = state.shown().log;
    let mut note = format!("{} lines, {} in memory", thousands(log.seen), thousands(log.kept));
    match log.dropped {
        Some(0) => {}
        Some(dropped) => note.push_str(&format!(", {} not in the file", thousands(dropped))),
        None => note.push_str(", no file"),
    }
    let title = title(state, &VIEW);
    let typed = match &state.mode {
        Mode::Find(typed) if !typed.is_empty() => Some(Found { text: typed.clone(), at: 0 }),
        _ => None,
    };
    if let Some(found) = typed.as_ref().or(state.found.as_ref()) {
        let lines = state.find(&found.text);
        let which = if lines.is_empty() { 0 } else { lines.len() - found.at.min(lines.len() - 1) };
        let title = format!("{title}: {:?}, {which} of {}", found.text, lines.len());
        let inner = pane(canvas, area, frame, &title, &note, true);
        matches(canvas, inner, found, lines.iter().map(|(_, record)| &**record));
        return;
    }
    let inner = pane(canvas, area, frame, &title, &note, true);
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
