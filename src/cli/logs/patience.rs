//! Waits between two looks at the log, no longer than somebody reads.

use std::{io, thread, time::Duration};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

const INTERVAL: Duration = Duration::from_millis(200);

/// Whether somebody reads stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    There,
    /// The pipe is broken: nobody will ever see another line.
    Gone,
}

/// Waits a moment, or until the reader goes away. A quiet log has no line that would meet a broken pipe.
pub(super) fn wait() -> Reader {
    let stdout = io::stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    let interval = Timespec::try_from(INTERVAL).ok();
    match poll(&mut fds, interval.as_ref()) {
        Ok(0) => Reader::There,
        Ok(_) if fds[0].revents().contains(PollFlags::ERR) => Reader::Gone,
        // What cannot be watched is taken as watching.
        _ => {
            thread::sleep(INTERVAL);
            Reader::There
        }
    }
}
