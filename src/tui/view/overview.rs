//! The overview: is it well, and what is not.
//!
//! ```text
//! small                          medium and large
//! ── source ──────────────────   ╭─ source ─────────────────────────────╮
//! ── 1 Stages ────────────────   ╭─ 1 Stages ───────────╮╭─ trades/s ───╮
//! ── 2 Streams ─── 3 Tables ──   ╭─ 2 Streams ──╮╭─ 3 Tables ───────────╮
//! ── 4 Logs ──────────────────   ╭─ 4 Logs ─────────╮╭─ 5 Tape (large) ─╮
//! ```

use ratatui::layout::Rect;

use super::{Size, frame, size, source, stages, streams, tables, tape};
use crate::tui::state::State;
use crate::tui::theme::Token;
use crate::tui::widget::{Canvas, Frame, chart, log_lines, pane};
use crate::units::{count, thousands};

pub(super) fn draw(state: &State, body: Rect, whole: Rect, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let (size, frame) = (size(whole), frame(whole));
    let around = if frame == Frame::Box { 2 } else { 1 };
    let lines = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
    let mut rest = body;
    let mut take = |height: u16| {
        let height = height.min(rest.height);
        let taken = Rect { height, ..rest };
        rest = Rect { y: rest.y + height, height: rest.height - height, ..rest };
        taken
    };

    match size {
        Size::Small => source::draw(state, take(1), canvas),
        _ => {
            let inner = pane(canvas, take(3), frame, "Source", "", false);
            source::draw(state, inner, canvas);
        }
    }
    let rows = lines(shown.stages.len() + shown.jobs.len()) + 1 + around;
    // On a small screen replays share the room with the log; stages never give way.
    let most =
        if size == Size::Small { body.height.saturating_sub(10).max(lines(shown.stages.len()) + 2) } else { rows };
    let row = take(rows.min(most));
    if size == Size::Small {
        stages::draw(state, row, frame, canvas);
    } else {
        let side = if size == Size::Large { 72 } else { 40 };
        let [left, right] = split(row, row.width.saturating_sub(side));
        stages::draw(state, left, frame, canvas);
        rates(state, right, frame, canvas);
    }
    let row = take(lines(shown.streams.len().max(shown.tables.len())) + 1 + around);
    let [left, right] = split(row, if size == Size::Small { row.width * 46 / 80 } else { row.width * 56 / 100 });
    streams::brief(state, left, frame, canvas);
    tables::brief(state, right, frame, canvas);

    let (log, tail) = if size == Size::Large { (rest.width * 55 / 100, true) } else { (rest.width, false) };
    let [left, right] = split(rest, log);
    log_tail(state, left, frame, canvas);
    if tail {
        tape::draw(state, right, frame, canvas);
    }
}

fn split(area: Rect, left: u16) -> [Rect; 2] {
    let left = left.min(area.width);
    [Rect { width: left, ..area }, Rect { x: area.x + left, width: area.width - left, ..area }]
}

/// Trades a second, and what is unread.
fn rates(state: &State, area: Rect, frame: Frame, canvas: &mut Canvas<'_>) {
    let history = &state.shown().history;
    let now = |numbers: &[Option<u64>]| numbers.last().copied().flatten().map_or("-".into(), count);
    let inner = pane(canvas, area, frame, "trades/s", &format!("now {}, two minutes", now(&history.trades)), false);
    let upper = Rect { height: inner.height / 2, ..inner };
    let lower = Rect { y: inner.y + upper.height, height: inner.height - upper.height, ..inner };
    chart(canvas, upper, &history.trades);
    if lower.height < 2 {
        return;
    }
    let label = canvas.style(Token::Label);
    canvas.put(lower, 1, 0, &format!("unread entries, now {}", now(&history.unread)), label);
    chart(canvas, Rect { y: lower.y + 1, height: lower.height - 1, ..lower }, &history.unread);
}

fn log_tail(state: &State, area: Rect, frame: Frame, canvas: &mut Canvas<'_>) {
    if area.height < 2 {
        return;
    }
    let log = state.shown().log;
    let note = match log.dropped {
        None | Some(0) => String::new(),
        Some(dropped) => format!("{} not in the file", thousands(dropped)),
    };
    let inner = pane(canvas, area, frame, "4 Logs", &note, false);
    log_lines(canvas, inner, &state.log);
}
