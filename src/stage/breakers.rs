//! The breakers of what a pipeline depends on: who waits after a failure is woken when what failed answers again.

use std::time::Duration;

use futures::FutureExt;
use futures::future::select_all;

use super::StageError;
use crate::backoff::Backoff;
use crate::breaker::{Breaker, Outage};
use crate::broker::Broker;
use crate::source::{FillSource, SourceError};
use crate::warehouse::Warehouse;

/// Those of the parts of a pipeline, where they have one.
#[derive(Clone, Default)]
pub(super) struct Breakers {
    broker: Option<Breaker>,
    warehouse: Option<Breaker>,
    sources: Vec<Breaker>,
}

impl Breakers {
    pub(super) fn new(broker: &dyn Broker, warehouse: &dyn Warehouse, source: &dyn FillSource) -> Self {
        let sources = source.breaker().into_iter().collect();
        Self { broker: broker.breaker(), warehouse: warehouse.breaker(), sources }
    }

    /// And those of other sources.
    pub(super) fn with(mut self, more: impl IntoIterator<Item = Option<Breaker>>) -> Self {
        self.sources.extend(more.into_iter().flatten());
        self
    }

    pub(super) const fn warehouse(&self) -> Option<&Breaker> {
        self.warehouse.as_ref()
    }

    /// What does not answer now, or has not for a while.
    pub(super) fn outages(&self) -> Vec<Outage> {
        let all = self.broker.iter().chain(&self.warehouse).chain(&self.sources);
        all.filter_map(|breaker| breaker.outage().or_else(|| breaker.unanswered())).collect()
    }

    /// What was asked a while ago and has not answered yet, the longest first.
    pub(super) fn unanswered(&self) -> Option<Outage> {
        let all = self.broker.iter().chain(&self.warehouse).chain(&self.sources);
        all.filter_map(Breaker::unanswered).max_by_key(|outage| outage.lasts)
    }

    /// A failure in words: the same ones as long as one outage lasts, whoever meets it.
    pub(super) fn words(&self, error: &StageError) -> String {
        let concerned = match error {
            StageError::Broker(_) => &self.broker,
            StageError::Warehouse(_) => &self.warehouse,
            _ => &None,
        };
        concerned.as_ref().and_then(Breaker::outage).map_or_else(|| error.to_string(), |outage| outage.to_string())
    }

    /// The pause between two rounds of a task that goes on for ever: longer after a round that failed.
    pub(super) async fn pause(&self, failed: Option<&StageError>, backoff: &mut Backoff, interval: Duration) {
        match failed {
            None => tokio::time::sleep(interval).await,
            Some(error) => self.wait(error, backoff.next().max(interval)).await,
        }
    }

    /// Waits for so long after a failure, or until what failed may be worth another attempt.
    pub(super) async fn wait(&self, after: &StageError, longest: Duration) {
        let concerned: Vec<&Breaker> = match after {
            StageError::Broker(_) => self.broker.iter().collect(),
            StageError::Warehouse(_) => self.warehouse.iter().collect(),
            // One that answers, if only with a refusal, is left alone for as long as its caller says.
            StageError::Source(SourceError::Unreachable { .. }) => self.sources.iter().collect(),
            _ => Vec::new(),
        };
        wait(&concerned, longest).await;
    }
}

/// Waits for so long, or until one of these is worth asking again.
async fn wait(breakers: &[&Breaker], longest: Duration) {
    let worth_asking = async {
        match breakers.is_empty() {
            true => std::future::pending().await,
            false => drop(select_all(breakers.iter().map(|breaker| breaker.worth_asking().boxed())).await),
        }
    };
    tokio::select! {
        () = tokio::time::sleep(longest) => {}
        () = worth_asking => {}
    }
}
