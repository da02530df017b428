//! A pane: a title, a note, and what is inside.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::tui::{text, theme::Token};

/// What is around a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A line above it: all that there is room for.
    Rule,
    /// A box.
    Box,
}

/// Draws the frame of a pane and says what is inside.
///
/// ```text
/// ╭─ 1 Stages ──────────────── note ─╮
/// │                                  │
/// ╰──────────────────────────────────╯
/// ```
pub(crate) fn pane(canvas: &mut Canvas<'_>, area: Rect, frame: Frame, title: &str, note: &str, has_keys: bool) -> Rect {
    if area.is_empty() {
        return area;
    }
    let [horizontal, vertical, top_left, top_right, bottom_right, bottom_left] = canvas.charset().frame();
    let line = canvas.style(if has_keys { Token::Text } else { Token::Dim });
    let title_style = canvas.style(if has_keys { Token::Focus } else { Token::Label });
    canvas.fill(Rect { height: 1, ..area }, horizontal, line);
    let is_box = frame == Frame::Box && area.width > 3 && area.height > 2;
    if is_box {
        canvas.fill(Rect { width: 1, ..area }, vertical, line);
        canvas.fill(Rect { x: area.right() - 1, width: 1, ..area }, vertical, line);
        canvas.fill(Rect { y: area.bottom() - 1, height: 1, ..area }, horizontal, line);
        for (x, y, corner) in [
            (0, 0, top_left),
            (area.width - 1, 0, top_right),
            (area.width - 1, area.height - 1, bottom_right),
            (0, area.height - 1, bottom_left),
        ] {
            canvas.put(area, x, y, corner, line);
        }
    }
    let head = Rect { x: area.x + 1, width: area.width.saturating_sub(3), height: 1, ..area };
    let taken = canvas.put(head, 1, 0, &format!(" {title} "), title_style);
    let note_width = u16::try_from(text::width(note)).unwrap_or(u16::MAX).saturating_add(2);
    if !note.is_empty() && taken + note_width + 2 <= head.width {
        let dim = canvas.style(Token::Dim);
        canvas.put_right(head, 0, &format!(" {note} "), dim);
    }
    if is_box {
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    } else {
        Rect { y: area.y + 1, height: area.height - 1, ..area }
    }
}

/// Draws a box in the middle of an area, over whatever is there, and says what is inside.
pub(crate) fn popup(canvas: &mut Canvas<'_>, area: Rect, size: (u16, u16), title: &str, note: &str) -> Rect {
    let (width, height) = (size.0.min(area.width), size.1.min(area.height));
    let centred = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    canvas.clear(centred);
    let inner = pane(canvas, centred, Frame::Box, title, note, true);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}
