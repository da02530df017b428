//! A terminal that hangs up takes nothing with it.

use std::convert::Infallible;

use tokio::signal::unix::{SignalKind, signal};

use crate::tty::OnTerminal;

/// Waits for the hang-up for ever. Where streams are on a terminal they are taken off it: it is gone.
pub(super) async fn survive() -> Infallible {
    let Ok(mut hang_up) = signal(SignalKind::hangup()) else { std::future::pending().await };
    let streams = OnTerminal::now();
    loop {
        if hang_up.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        if streams.any() {
            match streams.let_go() {
                Ok(()) => tracing::warn!("the terminal hung up: the pipeline goes on without, SIGTERM ends it"),
                Err(error) => tracing::error!("the terminal hung up and cannot be let go of: {error}"),
            }
        } else {
            tracing::info!("a hang-up, and no terminal: nothing changes");
        }
    }
}
