//! A table: columns that give way by rank when there is little room, and a selected line.

use ratatui::{layout::Rect, style::Style};

use super::canvas::Canvas;
use crate::tui::theme::Token;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// How wide it is; the last one gets what is left, too.
    pub(crate) width: u16,
    /// Numbers stand at the right.
    pub(crate) right: bool,
    /// The one with the highest rank goes first.
    pub(crate) rank: u8,
}

impl Column {
    pub(crate) const fn text(title: &'static str, width: u16, rank: u8) -> Self {
        Self { title, width, right: false, rank }
    }

    pub(crate) const fn number(title: &'static str, width: u16, rank: u8) -> Self {
        Self { title, width, right: true, rank }
    }
}

/// What is in a column of a line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, style: Style::new() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// Draws columns and lines. The selected line is always among those that are shown.
pub(crate) fn table(
    canvas: &mut Canvas<'_>,
    area: Rect,
    columns: &[Column],
    lines: &[Vec<Cell>],
    selected: Option<usize>,
) {
    let shown = shown(columns, area.width.saturating_sub(2));
    let head = canvas.style(Token::Label);
    let titles: Vec<Cell> = columns.iter().map(|column| Cell::new(column.title, head)).collect();
    draw(canvas, area, 0, columns, &shown, &titles);
    let room = usize::from(area.height.saturating_sub(1));
    let first = selected.map_or(0, |selected| (selected + 1).saturating_sub(room));
    for (line, cells) in (1..).zip(lines.iter().skip(first).take(room)) {
        draw(canvas, area, line, columns, &shown, cells);
    }
    if let Some(at) = selected.filter(|at| *at < lines.len() && room > 0) {
        let line = u16::try_from(at - first + 1).unwrap_or(u16::MAX);
        // One look for the whole line, whatever its cells look like.
        let (cursor, style) = (canvas.charset().cursor(), Style::reset().patch(canvas.style(Token::Selected)));
        canvas.put(area, 0, line, cursor, Style::new());
        let row = Rect { y: area.y + line, height: 1, ..area };
        canvas.tint(row, style);
    }
}

fn draw(canvas: &mut Canvas<'_>, area: Rect, line: u16, columns: &[Column], shown: &[(usize, u16)], cells: &[Cell]) {
    let mut at = 1;
    for (column, width) in shown {
        let Some(cell) = cells.get(*column) else { continue };
        let whole = Rect { x: area.x + at, y: area.y + line, width: *width, height: 1 }.intersection(area);
        canvas.tint(whole, cell.style);
        match columns[*column].right {
            true => canvas.put_right(whole, 0, &cell.text, cell.style),
            false => canvas.put(whole, 0, 0, &cell.text, cell.style),
        };
        at += width + 1;
    }
}

/// Which columns there is room for, and how wide they are.
fn shown(columns: &[Column], room: u16) -> Vec<(usize, u16)> {
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    let taken = |shown: &[usize]| shown.iter().map(|at| columns[*at].width + 1).sum::<u16>().saturating_sub(1);
    while taken(&shown) > room && shown.len() > 1 {
        let Some(goes) = shown.iter().copied().max_by_key(|at| columns[*at].rank) else { break };
        shown.retain(|at| *at != goes);
    }
    let left = room.saturating_sub(taken(&shown));
    let last = shown.last().copied();
    let wider = |at: usize| if Some(at) == last && !columns[at].right { left } else { 0 };
    shown.into_iter().map(|at| (at, columns[at].width + wider(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_give_way_by_rank_and_the_last_text_grows() {
        let columns =
            [Column::text("A", 4, 0), Column::number("B", 5, 2), Column::number("C", 5, 1), Column::text("D", 3, 3)];
        assert_eq!(shown(&columns, 30), [(0, 4), (1, 5), (2, 5), (3, 13)]);
        assert_eq!(shown(&columns, 20), [(0, 4), (1, 5), (2, 5), (3, 3)]);
        assert_eq!(shown(&columns, 19), [(0, 4), (1, 5), (2, 5)]);
        assert_eq!(shown(&columns, 12), [(0, 4), (2, 5)]);
        assert_eq!(shown(&columns, 0), [(0, 4)]);
    }
}
