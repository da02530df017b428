//! The terminal that a progress bar is drawn on.

use std::io::{self, Write};

use indicatif::TermLike;
use parking_lot::Mutex;
use rustix::termios::tcgetwinsize;

/// Stderr, for a bar. What cannot be written is dropped: where writing fails indicatif panics, and a terminal may be gone.
#[derive(Debug, Default)]
pub(super) struct BarTerminal(Mutex<Vec<u8>>);

impl BarTerminal {
    /// Takes a part of what goes out with the next flush, in one piece.
    fn put(&self, text: &str) -> io::Result<()> {
        self.0.lock().extend(text.as_bytes());
        Ok(())
    }

    /// Moves the cursor, if at all: where none is written, a terminal takes it for one.
    fn move_by(&self, by: usize, direction: char) -> io::Result<()> {
        if by == 0 { Ok(()) } else { self.put(&format!("\u{1b}[{by}{direction}")) }
    }
}

impl TermLike for BarTerminal {
    fn width(&self) -> u16 {
        tcgetwinsize(io::stderr()).map_or(80, |size| size.ws_col)
    }

    fn height(&self) -> u16 {
        tcgetwinsize(io::stderr()).map_or(24, |size| size.ws_row)
    }

    fn move_cursor_up(&self, by: usize) -> io::Result<()> {
        self.move_by(by, 'A')
    }

    fn move_cursor_down(&self, by: usize) -> io::Result<()> {
        self.move_by(by, 'B')
    }

    fn move_cursor_right(&self, by: usize) -> io::Result<()> {
        self.move_by(by, 'C')
    }

    fn move_cursor_left(&self, by: usize) -> io::Result<()> {
        self.move_by(by, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.put(text)?;
        self.put("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.put(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.put("\r\u{1b}[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let bytes = std::mem::take(&mut *self.0.lock());
        if !bytes.is_empty() {
            let _ = io::stderr().write_all(&bytes);
        }
        Ok(())
    }
}
