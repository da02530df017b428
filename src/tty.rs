//! Letting go of a terminal that is gone.

use std::fs::File;
use std::io;

use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

/// Takes the standard streams off a terminal that is gone: whoever reads it would spin, and whoever writes to it fail or
/// panic. Input becomes a pipe on which nothing ever comes, output and errors go nowhere.
pub(crate) fn let_go() -> io::Result<()> {
    let (silent, held) = io::pipe()?;
    dup2_stdin(&silent)?;
    // Its other end stays open as long as the process, or reading would find an end, again and again.
    std::mem::forget(held);
    let nowhere = File::options().write(true).open("/dev/null")?;
    dup2_stdout(&nowhere)?;
    dup2_stderr(&nowhere)?;
    Ok(())
}
