//! A source of fills that is left alone while none of its nodes answers: every call goes through one breaker.
//!
//! Each node has its own limits and pauses; this is for who asks all of them in vain, and for how many callers there are.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::{FillSource, Head, InDoubt, Page, SourceError, SourceState, Start};
use crate::breaker::{Breaker, last_cause};
use crate::model::ChainPosition;

/// A source behind a breaker.
pub struct Guarded {
    inner: Arc<dyn FillSource>,
    breaker: Breaker,
    /// Why the last call failed.
    last: parking_lot::Mutex<Option<SourceError>>,
}

impl Guarded {
    /// Guards a source, which is shown by its name.
    pub fn new(inner: Arc<dyn FillSource>) -> Self {
        let breaker = Breaker::new(format!("the nodes of {}", inner.name()));
        Self { inner, breaker, last: parking_lot::Mutex::default() }
    }

    async fn ask<T>(&self, call: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
        let attempt = match self.breaker.attempt() {
            Ok(attempt) => attempt,
            Err(outage) => {
                let (endpoint, cause) = (self.inner.name().to_owned(), outage.cause);
                return Err(self.last.lock().clone().unwrap_or(SourceError::Unreachable { endpoint, cause }));
            }
        };
        let result = call.await;
        match &result {
            Err(error @ SourceError::Unreachable { endpoint, cause }) => {
                *self.last.lock() = Some(error.clone());
                attempt.failed(format!("{endpoint}: {}", last_cause(cause)));
            }
            _ => attempt.answered(),
        }
        result
    }
}

#[async_trait]
impl FillSource for Guarded {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn breaker(&self) -> Option<Breaker> {
        Some(self.breaker.clone())
    }

    async fn world(&self) -> Result<String, SourceError> {
        self.ask(self.inner.world()).await
    }

    fn remember(&self, world: &str, from: ChainPosition) {
        self.inner.remember(world, from);
    }

    // In its own time: what fails there is asked again by the source itself.
    async fn check(&self) -> Option<Vec<InDoubt>> {
        self.inner.check().await
    }

    fn unproved(&self) -> Vec<(String, Option<u64>)> {
        self.inner.unproved()
    }

    fn recall(&self, unproved: &HashMap<String, u64>) {
        self.inner.recall(unproved);
    }

    fn state(&self) -> SourceState {
        self.inner.state()
    }

    async fn head(&self) -> Result<Head, SourceError> {
        self.ask(self.inner.head()).await
    }

    async fn resolve(&self, start: &Start) -> Result<ChainPosition, SourceError> {
        self.ask(self.inner.resolve(start)).await
    }

    async fn page(&self, from: ChainPosition, head: u64) -> Result<Page, SourceError> {
        self.ask(self.inner.page(from, head)).await
    }
}
