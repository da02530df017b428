//! A terminal that hangs up takes nothing with it.

use std::{convert::Infallible, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::tty::OnTerminal;

/// Listens for the hang-up, from when it is made: one that comes between two who look after the terminal is not missed.
pub struct HangUp {
    signal: Signal,
    streams: OnTerminal,
}

impl HangUp {
    /// Begins to listen. To be called while the terminal is there.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { signal: signal(SignalKind::hangup())?, streams: OnTerminal::now() })
    }

    /// Waits for the hang-up for ever. Where streams are on a terminal they are taken off it: it is gone.
    pub(crate) async fn survive(&mut self) -> Infallible {
        loop {
            if self.signal.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            if self.streams.any() {
                match self.streams.let_go() {
                    Ok(()) => tracing::warn!("the terminal hung up: the pipeline continues without it until SIGTERM"),
                    Err(error) => tracing::error!("the terminal hung up and cannot be released: {error}"),
                }
            } else {
                tracing::info!("a hang-up without a terminal: nothing changes");
            }
        }
    }
}
