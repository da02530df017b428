//! Bars over time. What was not known is a gap, never a zero.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::tui::theme::Token;

/// Draws a number for each column, the newest at the right, as high as the area.
pub(crate) fn chart(canvas: &mut Canvas<'_>, area: Rect, numbers: &[Option<u64>]) {
    if area.is_empty() {
        return;
    }
    let width = usize::from(area.width);
    let shown = &numbers[numbers.len().saturating_sub(width)..];
    let most = shown.iter().flatten().copied().max().unwrap_or(0).max(1);
    let first = area.width - u16::try_from(shown.len()).unwrap_or(area.width);
    let (bars, gap) = (canvas.charset().bars(), canvas.charset().gap());
    let (bar, dim) = (canvas.style(Token::Ok), canvas.style(Token::Dim));
    for (column, number) in (first..).zip(shown) {
        let Some(number) = number else {
            canvas.put(area, column, area.height - 1, gap, dim);
            continue;
        };
        // Something that is there is seen, however small it is.
        let eighths = u128::from(*number) * u128::from(area.height) * 8 / u128::from(most);
        let eighths = u16::try_from(eighths).unwrap_or(u16::MAX).max(u16::from(*number > 0));
        for row in 0..area.height {
            let filled = eighths.saturating_sub(row * 8).min(8);
            if filled > 0 {
                canvas.put(area, column, area.height - 1 - row, bars[usize::from(filled) - 1], bar);
            }
        }
    }
}
