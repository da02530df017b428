//! The screen with the planted defect that is its own, so that tests can show that the pipeline survives it.
//!
//! Only with the feature `planted-bugs`, around the loop of the screen.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::runtime::{self, End, Parts};
use crate::planted::{Bug, planted};

/// Shows the screen until it ends, or until its window is resized where it is to panic then.
#[allow(clippy::panic, reason = "it is what is planted")]
pub(super) async fn run(parts: Parts, closing: CancellationToken) -> End {
    if !planted(Bug::ScreenPanics) {
        return runtime::run(parts, closing).await;
    }
    let mut resized = match signal(SignalKind::window_change()) {
        Ok(resized) => resized,
        Err(error) => return End::Failed(error.to_string()),
    };
    tokio::select! {
        end = runtime::run(parts, closing) => end,
        _ = resized.recv() => panic!("planted: the screen panics"),
    }
}
