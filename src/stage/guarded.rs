//! A stage that does nothing from the moment on in which source and store are found to be of two worlds.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::stage::step::{Stage, Step};
use crate::streams::{StageError, session::Session};

/// A stage, and the session whose agreement it minds.
pub(crate) struct Guarded<S> {
    pub(crate) stage: S,
    pub(crate) session: Arc<Session>,
}

#[async_trait]
impl<S: Stage> Stage for Guarded<S> {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        match self.session.agreement.refusal() {
            Some(refusal) => Err(refusal),
            None => self.stage.step(drain).await,
        }
    }

    fn in_hand(&self) -> bool {
        self.stage.in_hand()
    }

    fn skip_bad(&mut self) {
        self.stage.skip_bad();
    }
}
