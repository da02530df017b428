//! The streams: who is behind, and by how much.
//!
//! ```text
//!   STREAM       LEN  +/S BYTES   LAG PEND   OLD
//! ▶ order_events 412k 812 68.0M     0   12    0s
//!
//!   redis 412M of 1.00G, 40%
//! ```

use ratatui::{layout::Rect, style::Style};

use super::pane::{Opens, Pane};
use super::{contract::View, title::titled};
use crate::monitor::{GroupView, MemoryView, Seen, Snapshot, StreamView};
use crate::tui::widget::{Canvas, Cell, Column, Frame, pane, table};
use crate::tui::{state::State, text, theme::Token, view_id::ViewId};
use crate::units::{about, age, bytes, count, percent, thousands};

const BRIEF_COLUMNS: [Column; 7] = [
    Column::text("STREAM", 12, 0),
    Column::number("LEN", 5, 1),
    Column::number("+/S", 5, 6),
    Column::number("BYTES", 5, 2),
    Column::number("LAG", 5, 0),
    Column::number("PEND", 5, 1),
    Column::number("OLD", 5, 3),
];

const COLUMNS: [Column; 9] = [
    Column::text("STREAM / GROUP", 24, 0),
    Column::number("LEN", 5, 1),
    Column::number("+/S", 5, 4),
    Column::number("BYTES", 5, 2),
    Column::number("FULL", 5, 5),
    Column::number("LAG", 5, 0),
    Column::number("PEND", 5, 1),
    Column::number("OLDEST", 6, 3),
    Column::text("", 1, 6),
];

/// Its name.
const ID: ViewId = ViewId::new("streams");

/// The pane of the overview.
pub(super) const BRIEF: Pane =
    Pane { name: ID.name(), lines: |shown| shown.streams.len(), text: line, opens: Opens::View(ID), draw: brief };

pub(super) const VIEW: View = View::new(
    ID,
    "Streams",
    "Streams: who is behind, and by how much",
    &[Pane { opens: Opens::Nothing, draw, ..BRIEF }],
);

fn title(state: &State, title: &str) -> String {
    titled(state, ID, title)
}

/// A line as a text.
fn line(state: &State, at: usize) -> Option<String> {
    let stream = state.shown().streams.get(at)?;
    let entries = stream.entries.value.map_or("unknown".to_owned(), thousands);
    let group = stream.live().cloned().unwrap_or_default();
    Some(format!("{}: {entries} events, lag {}, pending {}", stream.name, group.lag, group.pending))
}

fn brief(state: &State, area: Rect, frame: Frame, has_keys: bool, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let inner = pane(canvas, area, frame, &title(state, "Streams"), &note(shown), has_keys);
    let lines: Vec<Vec<Cell>> = shown
        .streams
        .iter()
        .map(|stream| {
            let group = stream.live().cloned().unwrap_or_default();
            let is_known = stream.entries.value.is_some();
            let style = canvas.style(if stream.entries.is_stale() { Token::Dim } else { Token::Text });
            let cell = |text: String| Cell::new(if is_known { text } else { "-".into() }, style);
            vec![
                Cell::new(name(stream, canvas), style),
                cell(count(stream.entries.value.unwrap_or(0))),
                number(stream.rate, style),
                cell(bytes(stream.bytes)),
                cell(count(group.lag)),
                cell(count(group.pending)),
                cell(group.oldest.map_or("-".into(), age)),
            ]
        })
        .collect();
    table(canvas, inner, &BRIEF_COLUMNS, &lines, has_keys.then(|| BRIEF.selected(state)));
}

/// The view: every group of every stream, and a word on the selected one.
fn draw(state: &State, area: Rect, frame: Frame, _: bool, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let inner = pane(canvas, area, frame, &title(state, "Streams and groups"), &old(&shown.streams), true);
    let most = shown.about.max_stream_bytes;
    let (mut lines, mut selected) = (Vec::new(), 0);
    for (at, stream) in shown.streams.iter().enumerate() {
        if at == BRIEF.selected(state) {
            selected = lines.len();
        }
        let style = canvas.style(if stream.entries.is_stale() { Token::Dim } else { Token::Focus });
        let known = |text: String| Cell::new(if stream.entries.value.is_some() { text } else { "-".into() }, style);
        lines.push(vec![
            Cell::new(text::clean(&stream.name, canvas.charset()), style),
            known(count(stream.entries.value.unwrap_or(0))),
            number(stream.rate, style),
            known(bytes(stream.bytes)),
            known(percent(stream.bytes, most)),
            Cell::default(),
            Cell::default(),
            known(stream.oldest.map_or("-".into(), about)),
        ]);
        let style = canvas.style(if stream.entries.is_stale() { Token::Dim } else { Token::Text });
        lines.extend(stream.groups.iter().map(|group| group_line(group, most, style, canvas)));
    }
    let room = inner.height.saturating_sub(if shown.memory.is_some() { 5 } else { 4 });
    let top = Rect { height: room, ..inner };
    table(canvas, top, &COLUMNS, &lines, Some(selected));
    let mut bottom = Rect { y: inner.y + room, height: inner.height - room, ..inner };
    if let Some(memory) = shown.memory.as_ref().filter(|_| bottom.height > 2) {
        canvas.put(bottom, 1, 1, &memory_text(memory), memory_style(memory, canvas));
        (bottom.y, bottom.height) = (bottom.y + 1, bottom.height - 1);
    }
    let about = shown.streams.get(BRIEF.selected(state)).map(|stream| explain(stream, most));
    let dim = canvas.style(Token::Dim);
    for (line, text) in
        (1..).zip(text::wrap(&about.unwrap_or_default(), usize::from(inner.width.saturating_sub(2)).max(1)))
    {
        canvas.put(bottom, 1, line, &text, dim);
    }
}

fn group_line(group: &GroupView, most: u64, style: Style, canvas: &Canvas<'_>) -> Vec<Cell> {
    let is_full = group.unread_bytes >= most / 8 && most > 0;
    let unread = if is_full { canvas.style(Token::Warn) } else { style };
    vec![
        Cell::new(format!("  {}", text::clean(&group.name, canvas.charset())), style),
        Cell::default(),
        Cell::default(),
        Cell::new(bytes(group.unread_bytes), unread),
        Cell::new(percent(group.unread_bytes, most / 2), unread),
        Cell::new(count(group.lag), unread),
        Cell::new(count(group.pending), style),
        Cell::new(group.oldest.map_or("-".into(), age), unread),
    ]
}

/// What the numbers of a stream mean.
fn explain(stream: &StreamView, most: u64) -> String {
    if let Some(reason) = &stream.entries.missing {
        return format!("{} cannot be observed: {reason}", stream.name);
    }
    let ceiling = bytes(most / 2);
    format!(
        "{} holds what was written to it in the last minutes. Its ceiling is {ceiling} unread: there the stage before it \
         waits. LAG was not given out yet, PEND was and is not done, OLDEST of a group is the oldest of both.",
        stream.name
    )
}

fn number(rate: Option<u64>, style: Style) -> Cell {
    Cell::new(rate.map_or("-".into(), count), style)
}

fn name(stream: &StreamView, canvas: &Canvas<'_>) -> String {
    text::clean(stream.name.trim_start_matches("stream:"), canvas.charset())
}

/// The memory of Redis. What is not known says why, and what is old how old.
fn memory_text(seen: &Seen<MemoryView>) -> String {
    let Some(MemoryView { server, used, limit, percent }) = seen.value else {
        return format!("redis unknown: {}", seen.missing.as_deref().unwrap_or("not seen yet"));
    };
    let name = server.label();
    let mut text = match (limit, percent) {
        (Some(limit), Some(percent)) => format!("{name} {} of {}, {percent}%", bytes(used), bytes(limit)),
        _ => format!("{name} {}, no limit", bytes(used)),
    };
    if seen.is_stale() {
        text.push_str(&format!(", {} old", age(seen.age)));
    }
    text
}

fn memory_style(seen: &Seen<MemoryView>, canvas: &Canvas<'_>) -> Style {
    match seen.value.filter(|_| !seen.is_stale()).map(|memory| memory.severity()) {
        None => canvas.style(Token::Dim),
        Some(None) => canvas.style(Token::Text),
        Some(Some(severity)) => canvas.look.theme.severity(severity),
    }
}

/// Beside the title of the pane: how old the numbers are, where they are old, or else how full Redis is.
fn note(shown: &Snapshot) -> String {
    let old = old(&shown.streams);
    let memory = shown.memory.as_ref().filter(|seen| old.is_empty() && !seen.is_stale());
    match memory.map(|seen| seen.value) {
        Some(Some(MemoryView { server, percent: Some(percent), .. })) => format!("{} {percent}%", server.label()),
        Some(Some(MemoryView { server, used, .. })) => format!("{} {}", server.label(), bytes(used)),
        Some(None) => "redis unknown".into(),
        None => old,
    }
}

/// How old the numbers are, where they are old.
fn old(streams: &[StreamView]) -> String {
    let oldest = streams.iter().filter(|stream| stream.entries.is_stale()).map(|stream| stream.entries.age).max();
    oldest.map_or_else(String::new, |oldest| format!("{} old", age(oldest)))
}
