//! SIGTERM and Ctrl-C: the first one drains, the second one ends at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `stop` at the first signal and ends the program at one that comes when it is cancelled, which loses nothing.
pub(super) fn watch(stop: CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                crate::tui::restore_modes();
                std::process::exit(1);
            }
            stop.cancel();
        }
    });
    Ok(())
}
