//! The tape: the newest trades, the newest first.
//!
//! ```text
//!   TIME      EXCHANGE     SIDE          SHARES  PRICE             USD    WHAT
//! ▶ 12:04:28  ctf_v2       BUY       120.500000 0.5900       71.095000  T Yes of Will it rain?
//! ```

use jiff::Timestamp;
use ratatui::layout::Rect;

use crate::monitor::TapeRow;
use crate::tui::state::{Pane, State};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widget::{Canvas, Cell, Column, Frame, pane, table};
use crate::units::age;

const COLUMNS: [Column; 8] = [
    Column::text("TIME", 8, 0),
    Column::text("EXCHANGE", 11, 4),
    Column::text("SIDE", 4, 0),
    Column::number("SHARES", 14, 2),
    Column::number("PRICE", 6, 0),
    Column::number("USD", 14, 1),
    Column::text("T", 1, 5),
    Column::text("WHAT", 16, 0),
];

pub(super) fn draw(state: &State, area: Rect, frame: Frame, canvas: &mut Canvas<'_>) {
    let tape = &state.shown().tape;
    let has_keys = state.focused() == Pane::Tape;
    let note = if tape.is_stale() { format!("{} old", age(tape.age)) } else { "T: counts for volume".into() };
    let inner = pane(canvas, area, frame, "5 Tape", &note, has_keys);
    let dim = canvas.style(Token::Dim);
    let Some(rows) = tape.value.as_ref().filter(|rows| !rows.is_empty()) else {
        let text = match (&tape.missing, &tape.value) {
            (Some(reason), None) => format!("the tape cannot be read: {reason}"),
            (_, Some(_)) => "no trade yet: the first ones come when ingest-fills reaches a block that has any".into(),
            (None, None) => "reading".into(),
        };
        canvas.put(inner, 1, 0, &text, dim);
        return;
    };
    let lines: Vec<Vec<Cell>> = rows.iter().map(|row| line(row, tape.is_stale(), canvas)).collect();
    table(canvas, inner, &COLUMNS, &lines, has_keys.then(|| state.selected(Pane::Tape)));
}

fn line(row: &TapeRow, is_stale: bool, canvas: &Canvas<'_>) -> Vec<Cell> {
    let plain = canvas.style(if is_stale { Token::Dim } else { Token::Text });
    let side = match row.side.as_str() {
        _ if is_stale => plain,
        "BUY" => canvas.style(Token::Ok),
        _ => canvas.style(Token::Control),
    };
    let time =
        Timestamp::from_second(row.timestamp).map_or("--:--:--".into(), |time| time.strftime("%H:%M:%S").to_string());
    let charset = canvas.charset();
    let what = match (row.outcome.as_str(), row.question.as_str()) {
        ("", "") => format!("token {}", short(&row.token_id)),
        (outcome, "") => format!("{} of token {}", text::clean(outcome, charset), short(&row.token_id)),
        (outcome, question) => format!("{} of {}", text::clean(outcome, charset), text::clean(question, charset)),
    };
    vec![
        Cell::new(time, plain),
        Cell::new(row.exchange.clone(), plain),
        Cell::new(row.side.clone(), side),
        Cell::new(row.shares.clone(), plain),
        Cell::new(row.price.map_or("-".into(), |price| format!("{price:.4}")), plain),
        Cell::new(row.usd.clone(), plain),
        Cell::new(if row.is_taker_row { "T" } else { "" }, plain),
        Cell::new(what, plain),
    ]
}

/// Both ends of a long number.
fn short(token: &str) -> String {
    match (token.get(..6), token.len().checked_sub(6).and_then(|from| token.get(from..))) {
        (Some(first), Some(last)) if token.len() > 14 => format!("{first}..{last}"),
        _ => token.to_owned(),
    }
}
