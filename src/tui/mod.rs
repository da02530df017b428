//! Who shows: the screen, and the keys by which the pipeline is steered.
//!
//! It knows a [`Snapshot`](crate::monitor::Snapshot), a [`Command`](crate::stage::Command) and the log, and nothing else of
//! the pipeline. `state` is what it knows, `update` what a message changes of that, `view` draws it; none of them
//! touches a terminal or a clock. `runtime` does, on a thread of its own, and `terminal` may die under it.

mod action;
mod alert;
mod dialog;
mod glyphs;
mod input;
mod keymap;
mod line;
mod painter;
mod popup;
mod preview;
mod runtime;
mod state;
mod terminal;
mod text;
mod theme;
mod update;
mod view;
mod widget;

#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub use glyphs::Charset;
pub use keymap::{Keymap, KeymapError};
pub use preview::Preview;
pub use runtime::{End, Parts};
pub use state::Look;
pub use terminal::restore_modes;
pub use theme::Theme;
pub use update::Leave;

/// How long a screen may take to give its terminal back. One that is held takes nothing, and is left as it is.
const CLOSING: Duration = Duration::from_secs(1);

/// A screen on its terminal.
pub struct Screen {
    end: oneshot::Receiver<End>,
    closing: CancellationToken,
}

impl Screen {
    /// Takes the terminal and shows the screen, on a thread of its own.
    pub fn start(parts: Parts) -> io::Result<Self> {
        let (sender, end) = oneshot::channel();
        let closing = CancellationToken::new();
        let told = closing.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Where it panics the terminal is given back on the way out, and the sender is dropped.
        std::thread::Builder::new().name("screen".into()).spawn(move || {
            let ended = runtime.block_on(runtime::run(parts, told));
            runtime.shutdown_background();
            let _ = sender.send(ended);
        })?;
        Ok(Self { end, closing })
    }

    /// Waits until it has ended. The terminal is given back then.
    pub async fn ended(&mut self) -> End {
        (&mut self.end).await.unwrap_or_else(|_| End::Failed("it panicked; the log says where".into()))
    }

    /// Tells it to give the terminal back, and waits until it has, but not for long.
    pub async fn close(mut self) {
        self.closing.cancel();
        if tokio::time::timeout(CLOSING, self.ended()).await.is_err() {
            restore_modes();
        }
    }
}
