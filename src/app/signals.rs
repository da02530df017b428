//! SIGTERM and Ctrl-C: the first one drains, the second one ends at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `stop` at the first signal and ends the program at one that comes when it is cancelled, which loses nothing;
/// `before_exit` is done first.
pub(crate) fn watch(stop: CancellationToken, before_exit: fn()) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                before_exit();
                std::process::exit(1);
            }
            stop.cancel();
        }
    });
    Ok(())
}
