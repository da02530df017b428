//! The tape: the newest trades, the newest first.
//!
//! ```text
//!   TIME      EXCHANGE     SIDE          SHARES  PRICE             USD    WHAT
//! ▶ 12:04:28  ctf_v2       BUY       120.500000 0.5900       71.095000  T Yes of Will it rain?
//! ```

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::pane::{Opens, Pane};
use super::{contract::View, title::title};
use crate::tui::widget::{Canvas, Cell, Column, Frame, pane, table};
use crate::tui::{state::State, text, theme::Token, view_id::ViewId};
use crate::{flow::StageId, units::age, warehouse::TapeLine};

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

/// Its name.
const ID: ViewId = ViewId::new("tape");

pub(super) const PANE: Pane = Pane {
    name: ID.name(),
    lines: |shown| shown.tape.value.as_ref().map_or(0, Vec::len),
    text: |state, at| serde_json::to_string(state.shown().tape.value.as_ref()?.get(at)?).ok(),
    opens: Opens::Nothing,
    draw,
};

pub(super) const VIEW: View = View::new(ID, "Tape", "Tape: the newest trades", &[PANE]);

fn draw(state: &State, area: Rect, frame: Frame, has_keys: bool, canvas: &mut Canvas<'_>) {
    let tape = &state.shown().tape;
    let note = if tape.is_stale() { format!("{} old", age(tape.age)) } else { "T: counts for volume".into() };
    let inner = pane(canvas, area, frame, &title(state, &VIEW), &note, has_keys);
    let dim = canvas.style(Token::Dim);
    let Some(rows) = tape.value.as_ref().filter(|rows| !rows.is_empty()) else {
        let text = match (&tape.missing, &tape.value) {
            (Some(reason), None) => format!("the tape cannot be read: {reason}"),
            (_, Some(_)) => {
                format!("no trade yet: the first ones come when {} reaches a block that has any", StageId::IngestFills)
            }
            (None, None) => "reading".into(),
        };
        canvas.put(inner, 1, 0, &text, dim);
        return;
    };
    let lines: Vec<Vec<Cell>> = rows.iter().map(|row| line(row, tape.is_stale(), canvas)).collect();
    table(canvas, inner, &COLUMNS, &lines, has_keys.then(|| PANE.selected(state)));
}

fn line(row: &TapeLine, is_stale: bool, canvas: &Canvas<'_>) -> Vec<Cell> {
    let plain = canvas.style(if is_stale { Token::Dim } else { Token::Text });
    let side = match row.maker_direction.as_str() {
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
        Cell::new(row.maker_direction.clone(), side),
        Cell::new(row.token_amount.clone(), plain),
        Cell::new(row.price.map_or("-".into(), |price| format!("{price:.4}")), plain),
        Cell::new(row.usd_amount.clone(), plain),
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
