//! The terminal, taken and given back. It may die at any time, and that must cost nothing.
//!
//! Nothing that ratatui or crossterm offer for the whole of a program is used here: they restore the terminal when any
//! thread panics, and print to it when it is gone.

use std::io::{self, Write};
use std::{fs::File, os::fd::AsFd};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size as terminal_size,
};
use rustix::process::{Signal, getpgid, getpgrp, getpid, getsid, kill_current_process_group};

use crate::tty::OnTerminal;

/// The size of a terminal that does not tell its own.
const USUAL: (u16, u16) = (80, 24);

/// A terminal that is ours, until dropped.
pub(super) struct Terminal {
    out: File,
    streams: OnTerminal,
    is_ours: bool,
}

impl Terminal {
    /// Takes it: raw mode, the alternate screen, no cursor.
    pub(super) fn take() -> io::Result<Self> {
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let mut terminal = Self { out, streams: OnTerminal::now(), is_ours: false };
        terminal.enter()?;
        Ok(terminal)
    }

    /// To write to it: what is written at once goes out in one piece.
    pub(super) fn writer(&self) -> io::Result<File> {
        self.out.try_clone()
    }

    /// Takes it, or takes it again.
    pub(super) fn enter(&mut self) -> io::Result<()> {
        // Whoever had it meanwhile may have set its modes, and what we remember of them would keep us from setting ours.
        let _ = disable_raw_mode();
        enable_raw_mode()?;
        self.is_ours = true;
        let mut bytes = Vec::new();
        queue!(bytes, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
        self.out.write_all(&bytes)
    }

    /// Gives it back as it was. What fails here fails on a terminal that is gone.
    pub(super) fn leave(&mut self) {
        if !std::mem::take(&mut self.is_ours) {
            return;
        }
        // Its modes first: to write to one that is held takes for ever.
        restore_modes();
        let mut bytes = Vec::new();
        let _ = queue!(bytes, Show, DisableBracketedPaste, LeaveAlternateScreen);
        let _ = self.out.write_all(&bytes);
    }

    /// Lets go of one that is gone. Nothing that reads or writes it later can spin, fail or panic.
    pub(super) fn lose(mut self) -> io::Result<()> {
        self.leave();
        self.streams.let_go()
    }

    /// Whether it is ours: taken, and not given back.
    pub(super) const fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// Gives it back and stops the process, as a terminal does on Ctrl-Z. False where nobody could let it go on: it leads
    /// its session.
    ///
    /// Another thread may be the one that takes the signal, and this one goes on for a moment: the terminal is to be taken
    /// again when SIGCONT tells that it is over, and not before.
    pub(super) fn suspend(&mut self) -> io::Result<bool> {
        // Nobody watches who leads the session, or is stopped together with who does.
        let leader = getsid(None)?;
        if leader == getpid() || getpgid(Some(leader)).is_ok_and(|group| group == getpgrp()) {
            return Ok(false);
        }
        self.leave();
        // SIGTSTP would be ignored where no shell watches.
        kill_current_process_group(Signal::STOP)?;
        Ok(true)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Gives the terminal the modes that it had, whoever is in the middle of writing to it.
pub fn restore_modes() {
    let _ = disable_raw_mode();
}

/// Its columns and lines.
pub(super) fn size() -> (u16, u16) {
    terminal_size().ok().filter(|(width, height)| *width > 0 && *height > 0).unwrap_or(USUAL)
}
