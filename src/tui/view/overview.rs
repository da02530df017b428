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

use super::pane::{Pane, focused};
use super::{contract::View, logs, size::Size, source, stages, streams, tables, tape, title::title};
use crate::tui::widget::{Canvas, Frame, chart, log_lines, pane};
use crate::tui::{state::State, theme::Token, view_id::ViewId};
use crate::units::{count, thousands};

const PANES: &[Pane] = &[stages::PANE, streams::BRIEF, tables::BRIEF];

pub(super) const VIEW: View = View {
    layout: Some(draw),
    ..View::new(ViewId::OVERVIEW, "Overview", "Overview: is it well, and what is not", PANES)
};

fn draw(state: &State, body: Rect, size: Size, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let frame = size.frame();
    let around = if frame == Frame::Box { 2 } else { 1 };
    let lines = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
    let mut rest = body;
    let focused = focused(state, PANES).name;
    let show = |pane: &Pane, area, canvas: &mut Canvas<'_>| {
        (pane.draw)(state, area, frame, pane.name == focused, canvas);
    };
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
        show(&stages::PANE, row, canvas);
    } else {
        let side = if size == Size::Large { 72 } else { 40 };
        let [left, right] = split(row, row.width.saturating_sub(side));
        show(&stages::PANE, left, canvas);
        rates(state, right, frame, canvas);
    }
    let row = take(lines(shown.streams.len().max(shown.tables.len())) + 1 + around);
    let [left, right] = split(row, if size == Size::Small { row.width * 46 / 80 } else { row.width * 56 / 100 });
    show(&streams::BRIEF, left, canvas);
    show(&tables::BRIEF, right, canvas);

    let (log, tail) = if size == Size::Large { (rest.width * 55 / 100, true) } else { (rest.width, false) };
    let [left, right] = split(rest, log);
    log_tail(state, left, frame, canvas);
    if tail {
        show(&tape::PANE, right, canvas);
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
    canvas.put(lower, 1, 0, &format!("unread events, now {}", now(&history.unread)), label);
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
    let title = title(state, &logs::VIEW);
    let inner = pane(canvas, area, frame, &title, &note, false);
    log_lines(canvas, inner, &state.log);
}
