//! Whether an ingester's cursor is where it was left.
//!
//! What an ingester remembers of a stream (what it has appended, up to where it has read, that it has read everything) is
//! true as long as its cursor stands where it was left: whoever begins the streams anew or puts them back as they were
//! moves it. Every append proves it. An ingester with nothing to append has to ask, or beside a source that stands still
//! it never notices that its entries are gone.

use std::time::{Duration, Instant};

use crate::broker::{Broker, BrokerError, Stream};
use crate::streams::error::StageError;

/// How often to ask, while nothing is appended.
pub(crate) const EVERY: Duration = Duration::from_millis(500);

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It was proved lately.
    NotAsked,
    /// The cursor is where it was left, at this moment at least.
    AsLeft(Instant),
    /// The cursor stands here.
    Elsewhere {
        /// Where.
        cursor: String,
        /// Whether entries may have been taken back, and it is not only another ingester that went on.
        taken_back: bool,
    },
}

/// Asks for one cursor, now and then.
pub(crate) struct CursorWatch {
    key: String,
    stream: Stream,
    proved: Option<Instant>,
    /// Somebody waits for it to be proved.
    is_urged: bool,
    /// As [`Barrier::generation`](crate::broker::Barrier::generation) tells it.
    generation: Option<String>,
}

impl CursorWatch {
    /// Of a cursor that was just read, and the stream that it is about.
    pub(crate) const fn new(key: String, stream: Stream) -> Self {
        Self { key, stream, proved: None, is_urged: false, generation: None }
    }

    /// An append that was begun at this moment has found the cursor where it was left.
    pub(crate) const fn proved(&mut self, at: Instant) {
        self.proved = Some(at);
    }

    /// Somebody waits for it to be proved once more.
    pub(crate) const fn urge(&mut self) {
        self.is_urged = true;
    }

    /// Asks where the cursor is, unless that was proved lately.
    pub(crate) async fn look(&mut self, broker: &dyn Broker, left: &str) -> Result<Found, StageError> {
        if !self.is_urged && self.proved.is_some_and(|at| at.elapsed() < EVERY) {
            return Ok(Found::NotAsked);
        }
        let begun = Instant::now();
        let barrier = broker.barrier(&self.key, &self.stream).await?;
        let before = self.generation.replace(barrier.generation.clone());
        let cursor = barrier.cursor.ok_or_else(|| BrokerError::Lost(format!("{} is gone", self.key)))?;
        (self.proved, self.is_urged) = (Some(begun), false);
        if cursor == left {
            return Ok(Found::AsLeft(begun));
        }
        Ok(Found::Elsewhere { cursor, taken_back: before.is_none_or(|before| before != barrier.generation) })
    }
}
