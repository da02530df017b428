//! Brings a buffer onto a terminal: what changed, in one write, and nothing where nothing changed.

use std::io::{self, Write};

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::{buffer::Buffer, layout::Rect};

/// Paints frames.
pub(crate) struct Painter<W: Write> {
    out: W,
    bytes: Vec<u8>,
    shown: Buffer,
    next: Buffer,
    /// The terminal may show anything: all of it is to be painted.
    is_unknown: bool,
}

impl<W: Write> Painter<W> {
    /// One that knows nothing of what the terminal shows.
    pub(crate) fn new(out: W) -> Self {
        let empty = Buffer::empty(Rect::ZERO);
        Self { out, bytes: Vec::with_capacity(64 * 1024), shown: empty.clone(), next: empty, is_unknown: true }
    }

    /// The next frame paints everything. Without asking the terminal anything: its answers would get among the keys.
    pub(crate) const fn repaint(&mut self) {
        self.is_unknown = true;
    }

    /// Paints what `draw` draws: one write where something changed, none where nothing did. Says how many bytes it took.
    pub(crate) fn paint(
        &mut self,
        (width, height): (u16, u16),
        draw: impl FnOnce(Rect, &mut Buffer),
    ) -> io::Result<usize> {
        let area = Rect::new(0, 0, width, height);
        if self.shown.area != area {
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
            self.is_unknown = true;
        }
        self.next.reset();
        draw(area, &mut self.next);
        if self.is_unknown {
            self.shown.reset();
        }
        let changes = self.shown.diff(&self.next);
        if changes.is_empty() && !self.is_unknown {
            return Ok(0);
        }
        self.bytes.clear();
        queue!(self.bytes, BeginSynchronizedUpdate)?;
        if self.is_unknown {
            queue!(self.bytes, Clear(ClearType::All))?;
        }
        CrosstermBackend::new(&mut self.bytes).draw(changes.into_iter())?;
        queue!(self.bytes, EndSynchronizedUpdate)?;
        self.out.write_all(&self.bytes)?;
        self.out.flush()?;
        self.is_unknown = false;
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(self.bytes.len())
    }

    /// Writes something that is no frame.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    /// Counts writes.
    #[derive(Default)]
    struct Counted {
        writes: usize,
        bytes: Vec<u8>,
    }

    impl Write for &mut Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes += 1;
            self.bytes.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn one_write_where_something_changed_and_none_where_nothing_did() {
        let mut counted = Counted::default();
        let mut painter = Painter::new(&mut counted);
        let text = |text: &'static str| {
            move |_: Rect, buffer: &mut Buffer| {
                buffer.set_string(1, 1, text, Style::new());
            }
        };
        assert!(painter.paint((20, 4), text("one")).unwrap() > 0);
        assert_eq!(painter.paint((20, 4), text("one")).unwrap(), 0);
        assert!(painter.paint((20, 4), text("two")).unwrap() > 0);
        painter.repaint();
        assert!(painter.paint((20, 4), text("two")).unwrap() > 0, "whatever is there is painted over");
        assert!(painter.paint((30, 4), text("two")).unwrap() > 0, "another size is another picture");
        drop(painter);
        assert_eq!(counted.writes, 4);
        assert!(
            !String::from_utf8_lossy(&counted.bytes).contains("\x1b[6n"),
            "the terminal is never asked where it is"
        );
    }
}
