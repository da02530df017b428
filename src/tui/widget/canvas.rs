//! A buffer to draw on, which no drawing can leave.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::tui::{glyphs::Charset, look::UiOptions, text, theme::Token};

pub(crate) struct Canvas<'a> {
    pub(crate) buffer: &'a mut Buffer,
    pub(crate) look: &'a UiOptions,
}

impl Canvas<'_> {
    pub(crate) fn style(&self, token: Token) -> Style {
        self.look.theme.style(token)
    }

    pub(crate) const fn charset(&self) -> Charset {
        self.look.charset
    }

    /// Writes a text into a line of an area, from a column on, as far as it fits. Says how many columns it took.
    pub(crate) fn put(&mut self, area: Rect, column: u16, line: u16, text: &str, style: Style) -> u16 {
        let area = area.intersection(self.buffer.area);
        if line >= area.height || column >= area.width {
            return 0;
        }
        let room = area.width - column;
        let fitted = text::fit(text, usize::from(room), self.charset());
        let (end, _) = self.buffer.set_stringn(area.x + column, area.y + line, &fitted, usize::from(room), style);
        end.saturating_sub(area.x + column)
    }

    /// Writes texts one behind the other.
    pub(crate) fn puts(&mut self, area: Rect, column: u16, line: u16, parts: &[(&str, Style)]) -> u16 {
        let mut at = column;
        for (text, style) in parts {
            at += self.put(area, at, line, text, *style);
        }
        at - column
    }

    /// Writes a text to the end of a line.
    pub(crate) fn put_right(&mut self, area: Rect, line: u16, text: &str, style: Style) -> u16 {
        let columns = u16::try_from(text::width(text)).unwrap_or(u16::MAX).min(area.width);
        self.put(area, area.width - columns, line, text, style);
        columns
    }

    /// Fills an area with one symbol, a column wide.
    pub(crate) fn fill(&mut self, area: Rect, symbol: &str, style: Style) {
        for place in area.intersection(self.buffer.area).positions() {
            self.buffer[place].set_symbol(symbol).set_style(style);
        }
    }

    /// Lays a style over an area.
    pub(crate) fn tint(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area.intersection(self.buffer.area), style);
    }

    /// Empties an area.
    pub(crate) fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buffer[(x, y)].reset();
            }
        }
    }
}
