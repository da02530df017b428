//! Who shows: the screen, and the keys by which the pipeline is steered.
//!
//! It knows a [`Snapshot`](crate::monitor::Snapshot), a [`Command`](crate::control::Command) and the log, and nothing else of
//! the pipeline. `state` is what it knows, `screen` and its `view`s draw that, `update` is what a message changes of it;
//! none of them touches a terminal or a clock, and a `key` is one wherever it was pressed. `runtime` does, on a thread of
//! its own, and `terminal` may die under it.

mod action;
mod alert;
mod catalogue;
#[cfg(feature = "planted-bugs")]
mod defective;
mod dialog;
mod effect;
mod exits;
mod glyphs;
mod input;
mod key;
mod keymap;
mod keymap_file;
mod look;
mod painter;
mod popup;
#[cfg(any(test, feature = "fixtures"))]
mod preview;
mod runtime;
mod screen;
mod state;
mod target;
mod terminal;
mod text;
mod theme;
mod update;
mod view;
mod view_id;
mod widget;

#[cfg(test)]
mod tests;

use std::{io, time::Duration};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

#[cfg(feature = "planted-bugs")]
use defective::run;
pub use effect::Leave;
pub use exits::Exits;
pub use glyphs::Charset;
pub use keymap::Keymap;
pub use keymap_file::KeymapError;
pub use look::UiOptions;
#[cfg(any(test, feature = "fixtures"))]
pub use preview::Preview;
#[cfg(not(feature = "planted-bugs"))]
use runtime::run;
pub use runtime::{End, Parts};
pub use terminal::restore_modes;
pub use theme::Theme;

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
            let ended = runtime.block_on(run(parts, told));
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
