//! Letting go of a terminal that is gone.

use std::fs::File;
use std::io::{self, IsTerminal};

use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

/// Which of the standard streams are on a terminal. To be asked while it is there: one that is gone does not tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnTerminal {
    stdin: bool,
    stdout: bool,
    stderr: bool,
}

impl OnTerminal {
    /// Those that are on one now.
    pub(crate) fn now() -> Self {
        Self {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
        }
    }

    /// Whether any is.
    pub(crate) const fn any(self) -> bool {
        self.stdin || self.stdout || self.stderr
    }

    /// Takes them off a terminal that is gone: whoever reads it would spin, and whoever writes to it fail or panic. Input
    /// becomes a pipe on which nothing ever comes, output and errors go nowhere. A file or a pipe stays what it is.
    pub(crate) fn let_go(self) -> io::Result<()> {
        if self.stdin {
            let (silent, held) = io::pipe()?;
            dup2_stdin(&silent)?;
            // Its other end stays open as long as the process, or reading would find an end, again and again.
            std::mem::forget(held);
        }
        let nowhere = File::options().write(true).open("/dev/null")?;
        if self.stdout {
            dup2_stdout(&nowhere)?;
        }
        if self.stderr {
            dup2_stderr(&nowhere)?;
        }
        Ok(())
    }
}
