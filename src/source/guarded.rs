//! A source of fills that is left alone while none of its nodes answers: every call goes through one breaker.
//!
//! Each node has its own limits and pauses; this is for callers whose every node failed, and for many callers.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;

use super::state::{InDoubt, SourceState};
use super::{
    error::SourceError, evidence::Evidence, fills::FillSource, frontier::Frontier, page::Page, position::Position,
    start::Start,
};
use crate::breaker::Breaker;

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
                let last = self.last.lock().clone();
                let is_away = || SourceError::unreachable(self.inner.name(), outage.cause);
                return Err(self.of_all(last.unwrap_or_else(is_away)));
            }
        };
        let result = call.await.map_err(|error| self.of_all(error));
        match &result {
            Err(error @ SourceError::Unreachable { endpoint, cause, .. }) => {
                *self.last.lock() = Some(error.clone());
                attempt.failed(format!("{endpoint}: {cause}"));
            }
            _ => attempt.answered(),
        }
        result
    }

    /// One endpoint that is not reached is the outage of all of them.
    fn of_all(&self, mut error: SourceError) -> SourceError {
        if let SourceError::Unreachable { dependency, .. } = &mut error {
            *dependency = self.breaker.name();
        }
        error
    }
}

#[async_trait]
impl Evidence for Guarded {
    // In its own time: what fails there is asked again by the source itself.
    async fn check(&self) -> Option<Vec<InDoubt>> {
        self.inner.check().await
    }

    fn unproved(&self) -> Vec<(String, Option<u64>)> {
        self.inner.unproved()
    }

    fn restore(&self, unproved: &HashMap<String, u64>) {
        self.inner.restore(unproved);
    }

    fn state(&self) -> SourceState {
        self.inner.state()
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

    fn remember(&self, world: &str, from: Option<&Position>) {
        self.inner.remember(world, from);
    }

    fn position(&self, stored: &str) -> Option<Position> {
        self.inner.position(stored)
    }

    async fn frontier(&self) -> Result<Frontier, SourceError> {
        self.ask(self.inner.frontier()).await
    }

    async fn resolve(&self, start: &Start) -> Result<Position, SourceError> {
        self.ask(self.inner.resolve(start)).await
    }

    fn measure(&self, position: &Position) -> u64 {
        self.inner.measure(position)
    }

    async fn page(&self, from: &Position, end: &Position) -> Result<Page, SourceError> {
        self.ask(self.inner.page(from, end)).await
    }
}
