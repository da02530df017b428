//! The tables: is the data there, and how old is it.
//!
//! ```text
//!   TABLE               ROWS   +/S BEHIND INSERT PARTS
//! ▶ trades       812,412,345   812   <30s   38ms    14 complete to 97,812,344
//! ```

use ratatui::{layout::Rect, style::Style};

use super::pane::{Opens, Pane};
use super::{contract::View, title::title};
use crate::flow::TableId;
use crate::monitor::{Severity, Snapshot, TableView};
use crate::tui::widget::{Canvas, Cell, Column, Frame, chart, pane, table};
use crate::tui::{state::State, text, theme::Token, view_id::ViewId};
use crate::units::{self, about, age, count, latency, thousands};

const BRIEF_COLUMNS: [Column; 4] = [
    Column::text("TABLE", 12, 0),
    Column::number("ROWS", 6, 0),
    Column::number("+/S", 5, 1),
    Column::number("BEHIND", 6, 1),
];

const COLUMNS: [Column; 6] = [
    Column::text("TABLE", 12, 0),
    Column::number("ROWS", 15, 0),
    Column::number("+/S", 5, 1),
    Column::number("BEHIND", 6, 1),
    Column::number("INSERT", 6, 1),
    Column::text("", 20, 2),
];

/// Where tables are made of parts.
const PARTS: Column = Column::number("PARTS", 5, 1);

/// Its name.
const ID: ViewId = ViewId::new("tables");

/// The pane of the overview.
pub(super) const BRIEF: Pane =
    Pane { name: ID.name(), lines: |shown| shown.tables.len(), text: copied, opens: Opens::View(ID), draw: brief };

pub(super) const VIEW: View = View::new(
    ID,
    "Tables",
    "Tables: is the data there, and how old is it",
    &[Pane { opens: Opens::Nothing, draw, ..BRIEF }],
);

/// A line as a text.
fn copied(state: &State, at: usize) -> Option<String> {
    let table = state.shown().tables.get(at)?;
    let rows =
        table.rows.value.map_or("unknown".to_owned(), |count| units::rows(count.rows, count.is_estimate, thousands));
    Some(format!("{}: {rows} rows", table.name))
}

fn brief(state: &State, area: Rect, frame: Frame, has_keys: bool, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let inner = pane(canvas, area, frame, &title(state, &VIEW), &old(&shown.tables), has_keys);
    let lines: Vec<Vec<Cell>> = shown.tables.iter().map(|table| line(table, count, canvas)).collect();
    table(canvas, inner, &BRIEF_COLUMNS, &lines, has_keys.then(|| BRIEF.selected(state)));
}

/// The view: rows to the last digit, what they mean, and the last two minutes.
fn draw(state: &State, area: Rect, frame: Frame, _: bool, canvas: &mut Canvas<'_>) {
    let shown = state.shown();
    let inner = pane(canvas, area, frame, &title(state, &VIEW), &old(&shown.tables), true);
    let has_parts = shown.tables.iter().any(|table| table.parts.is_some());
    let mut columns = COLUMNS.to_vec();
    if has_parts {
        columns.insert(COLUMNS.len() - 1, PARTS);
    }
    let lines: Vec<Vec<Cell>> = shown
        .tables
        .iter()
        .map(|table| {
            let mut cells = line(table, thousands, canvas);
            cells.push(insert(table, canvas));
            if has_parts {
                cells.push(parts(table, canvas));
            }
            cells.push(Cell::new(note(table, shown), canvas.style(Token::Dim)));
            cells
        })
        .collect();
    let top = Rect { height: inner.height.min(2 + u16::try_from(lines.len()).unwrap_or(0)), ..inner };
    table(canvas, top, &columns, &lines, Some(BRIEF.selected(state)));
    let rest = Rect { y: top.bottom(), height: inner.height - top.height, ..inner };
    if rest.height < 4 {
        return;
    }
    let label = canvas.style(Token::Label);
    let most = shown.history.trades.iter().flatten().max().copied().unwrap_or(0);
    canvas.put(rest, 1, 0, &format!("trades written a second, two minutes, up to {}", count(most)), label);
    let bars =
        Rect { x: rest.x + 1, y: rest.y + 1, width: rest.width.saturating_sub(2), height: (rest.height - 1).min(16) };
    chart(canvas, bars, &shown.history.trades);
}

fn line(table: &TableView, rows: fn(u64) -> String, canvas: &Canvas<'_>) -> Vec<Cell> {
    let style = canvas.style(if table.rows.is_stale() { Token::Dim } else { Token::Text });
    let behind = table.behind.filter(|_| table.name != TableId::Markets.as_str());
    let behind = behind.map_or_else(|| table.behind.map_or("-".into(), about), short);
    let late = table.name == TableId::Trades.as_str() && table.behind.is_some_and(|behind| behind > 60_000);
    vec![
        Cell::new(text::clean(&table.name, canvas.charset()), style),
        Cell::new(table.rows.value.map_or("-".into(), |count| units::rows(count.rows, count.is_estimate, rows)), style),
        Cell::new(table.rate.map_or("-".into(), count), style),
        Cell::new(behind, if late { canvas.style(Token::Warn) } else { style }),
    ]
}

/// What an insert takes: the middle one of the last minute, or the one that is under way where that takes longer already.
fn insert(table: &TableView, canvas: &Canvas<'_>) -> Cell {
    let took = table.inserts.now().map_or("-".into(), latency);
    Cell::new(took, style_of(table.inserts.severity(), canvas))
}

fn parts(table: &TableView, canvas: &Canvas<'_>) -> Cell {
    let Some(seen) = &table.parts else { return Cell::new("-", canvas.style(Token::Text)) };
    let style = if seen.is_stale() { canvas.style(Token::Dim) } else { style_of(table.parts_severity(), canvas) };
    Cell::new(seen.value.map_or("-".into(), count), style)
}

fn style_of(severity: Option<Severity>, canvas: &Canvas<'_>) -> Style {
    severity.map_or(canvas.style(Token::Text), |severity| canvas.look.theme.severity(severity))
}

/// Below half a minute the age is that of the newest block and says nothing.
fn short(behind: u64) -> String {
    if behind < 30_000 { "<30s".into() } else { age(behind) }
}

fn note(table: &TableView, shown: &Snapshot) -> String {
    if let Some(reason) = &table.rows.missing {
        return format!("not seen for {}: {reason}", age(table.rows.age));
    }
    match TableId::named(&table.name) {
        Some(TableId::Trades) => match shown.source.watermark {
            Some(watermark) => format!("complete to {}", thousands(watermark.block.saturating_sub(1))),
            None => "nothing complete yet".into(),
        },
        Some(TableId::Markets) => match shown.markets.as_ref().and_then(|markets| markets.behind) {
            Some(0) => "all that was read".into(),
            Some(behind) => format!("{behind} moves on their way"),
            None => String::new(),
        },
        Some(TableId::DeadLetters) => "what was refused".into(),
        Some(TableId::TradesGoldsky) => "of the subgraph".into(),
        _ => String::new(),
    }
}

fn old(tables: &[TableView]) -> String {
    let oldest = tables.iter().filter(|table| table.rows.is_stale()).map(|table| table.rows.age).max();
    oldest.map_or_else(String::new, |oldest| format!("{} old", age(oldest)))
}
