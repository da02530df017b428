//! The tables: is the data there, and how old is it.
//!
//! ```text
//!   TABLE         ROWS   +/S BEHIND
//! ▶ trades        812M   812     5s
//! ```

use ratatui::layout::Rect;

use crate::monitor::{Snapshot, TableView};
use crate::tui::state::{Pane, State};
use crate::tui::text;
use crate::tui::theme::Token;
use crate::tui::widget::{Canvas, Cell, Column, Frame, chart, pane, table};
use crate::units::{about, age, count, thousands};

const BRIEF: [Column; 4] = [
    Column::text("TABLE", 12, 0),
    Column::number("ROWS", 6, 0),
    Column::number("+/S", 5, 1),
    Column::number("BEHIND", 6, 1),
];

const WHOLE: [Column; 5] = [
    Column::text("TABLE", 14, 0),
    Column::number("ROWS", 16, 0),
    Column::number("+/S", 6, 1),
    Column::number("BEHIND", 6, 1),
    Column::text("", 20, 2),
];

/// The pane of the overview.
pub(super) fn brief(state: &State, area: Rect, frame: Frame, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let has_keys = state.focused() == Pane::Tables;
    let inner = pane(canvas, area, frame, "3 Tables", &old(&shown.tables), has_keys);
    let lines: Vec<Vec<Cell>> = shown.tables.iter().map(|table| line(table, count, canvas)).collect();
    table(canvas, inner, &BRIEF, &lines, has_keys.then(|| state.selected(Pane::Tables)));
}

/// The view: rows to the last digit, what they mean, and the last two minutes.
pub(super) fn draw(state: &State, area: Rect, frame: Frame, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let inner = pane(canvas, area, frame, "3 Tables", &old(&shown.tables), true);
    let lines: Vec<Vec<Cell>> = shown
        .tables
        .iter()
        .map(|table| {
            let mut cells = line(table, thousands, canvas);
            cells.push(Cell::new(note(table, shown), canvas.style(Token::Dim)));
            cells
        })
        .collect();
    let top = Rect { height: inner.height.min(2 + u16::try_from(lines.len()).unwrap_or(0)), ..inner };
    table(canvas, top, &WHOLE, &lines, Some(state.selected(Pane::Tables)));
    let rest = Rect { y: top.bottom(), height: inner.height - top.height, ..inner };
    if rest.height < 4 {
        return;
    }
    let label = canvas.style(Token::Label);
    let most = shown.history.trades.iter().flatten().max().copied().unwrap_or(0);
    canvas.put(rest, 1, 0, &format!("new trades a second, two minutes, up to {}", count(most)), label);
    let bars =
        Rect { x: rest.x + 1, y: rest.y + 1, width: rest.width.saturating_sub(2), height: (rest.height - 1).min(16) };
    chart(canvas, bars, &shown.history.trades);
}

fn line(table: &TableView, rows: fn(u64) -> String, canvas: &Canvas<'_>) -> Vec<Cell> {
    let style = canvas.style(if table.rows.is_stale() { Token::Dim } else { Token::Text });
    let behind = table.behind.filter(|_| table.name != "markets");
    let behind = behind.map_or_else(|| table.behind.map_or("-".into(), about), short);
    let late = table.name == "trades" && table.behind.is_some_and(|behind| behind > 60_000);
    vec![
        Cell::new(text::clean(&table.name, canvas.charset()), style),
        Cell::new(table.rows.value.map_or("-".into(), rows), style),
        Cell::new(table.rate.map_or("-".into(), count), style),
        Cell::new(behind, if late { canvas.style(Token::Warn) } else { style }),
    ]
}

/// Below half a minute the age is that of the newest block and says nothing.
fn short(behind: u64) -> String {
    if behind < 30_000 { "<30s".into() } else { age(behind) }
}

fn note(table: &TableView, shown: &Snapshot) -> String {
    if let Some(reason) = &table.rows.missing {
        return format!("not seen for {}: {reason}", age(table.rows.age));
    }
    match table.name.as_str() {
        "trades" => match shown.source.watermark {
            Some(watermark) => format!("complete up to block {}", thousands(watermark.block.saturating_sub(1))),
            None => "nothing is known to be complete yet".into(),
        },
        "markets" => match shown.markets.as_ref().and_then(|markets| markets.behind) {
            Some(0) => "all that was read is there".into(),
            Some(behind) => format!("{behind} moves on their way"),
            None => String::new(),
        },
        _ => "what was refused, with its bytes and the reason".into(),
    }
}

fn old(tables: &[TableView]) -> String {
    let oldest = tables.iter().filter(|table| table.rows.is_stale()).map(|table| table.rows.age).max();
    oldest.map_or_else(String::new, |oldest| format!("{} old", age(oldest)))
}
