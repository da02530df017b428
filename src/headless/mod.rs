//! `--no-tui`: the pipeline without a screen. Log lines and a heartbeat on stderr, results on stdout.

mod bar_terminal;
mod catch_up;
mod heartbeat;
mod progress;
mod tape;

use std::{convert::Infallible, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::app::{HangUp, Running};
use crate::control::PipelineFailed;

pub use catch_up::{Goal, NotCaughtUp};
pub use progress::{Progress, When};

/// What to do besides running.
pub struct Options {
    /// End when caught up, or when there is no progress for so long.
    pub until_caught_up: Option<Duration>,
    /// Whether the closed markets of the past are read, and so belong to what is to be caught up with.
    pub history: bool,
    /// Print rows as they arrive.
    pub show_rows: bool,
    /// Shows how far it has come.
    pub progress: Progress,
    /// End when a stage has failed for good. Behind a screen that is gone the others go on, as they did before it.
    pub ends_on_failure: bool,
    /// Hears when the terminal hangs up.
    pub hang_up: HangUp,
}

/// Why it did not end well.
#[derive(Debug, thiserror::Error)]
pub enum HeadlessError {
    /// A stage failed for good.
    #[error(transparent)]
    Pipeline(#[from] PipelineFailed),
    /// It was to catch up and could not.
    #[error(transparent)]
    NotCaughtUp(#[from] NotCaughtUp),
}

/// Runs a pipeline until `stop` is cancelled, it has caught up, or it fails; then drains it.
pub async fn run(running: Running, mut options: Options, stop: CancellationToken) -> Result<(), HeadlessError> {
    let Running { pipeline, collector, publisher, warehouse } = &running;
    let caught_up = async {
        match options.until_caught_up {
            Some(patience) => catch_up::wait(collector, options.history, patience).await,
            None => std::future::pending().await,
        }
    };
    let rows = async {
        match options.show_rows {
            true => tape::print(&**warehouse).await,
            false => std::future::pending::<Infallible>().await,
        }
    };
    let ended = tokio::select! {
        biased;
        failed = pipeline.failed(), if options.ends_on_failure => Err(failed.into()),
        caught_up = caught_up => caught_up.map_err(HeadlessError::from),
        () = stop.cancelled() => match (options.until_caught_up, running.has_failed()) {
            (_, Some(failed)) => Err(failed.into()),
            (Some(_), None) => Err(NotCaughtUp::Interrupted.into()),
            (None, None) => Ok(()),
        },
        never = rows => match never {},
        never = heartbeat::beat(publisher.snapshots()) => match never {},
        never = options.hang_up.survive() => match never {},
        never = options.progress.watch(publisher.snapshots()) => match never {},
    };
    let collector = collector.clone();
    running.drain().await;
    if ended.is_ok() && options.until_caught_up.is_some() {
        catch_up::report(&collector).await;
    }
    ended
}
