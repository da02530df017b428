//! The breakers of what a pipeline depends on: who waits after a failure is woken when what failed answers again.

use std::time::Duration;

use futures::{FutureExt, future::select_all};

use crate::breaker::{Breaker, Outage};
use crate::streams::error::{Concern, StageError};
use crate::streams::wait::{Dependency, WaitCause};
use crate::{backoff::Backoff, broker::Broker, source::FillSource, warehouse::Inspection};

/// Those of the parts of a pipeline, where they have one.
#[derive(Clone, Default)]
pub(crate) struct Breakers {
    broker: Option<Breaker>,
    warehouse: Option<Breaker>,
    sources: Vec<Breaker>,
}

impl Breakers {
    pub(crate) fn new(broker: &dyn Broker, warehouse: &dyn Inspection, source: &dyn FillSource) -> Self {
        let sources = source.breaker().into_iter().collect();
        Self { broker: broker.breaker(), warehouse: warehouse.breaker(), sources }
    }

    /// And those of other sources.
    pub(crate) fn with(mut self, more: impl IntoIterator<Item = Option<Breaker>>) -> Self {
        self.sources.extend(more.into_iter().flatten());
        self
    }

    pub(crate) const fn warehouse(&self) -> Option<&Breaker> {
        self.warehouse.as_ref()
    }

    /// What does not answer now, or has not for a while.
    pub(crate) fn outages(&self) -> Vec<Outage> {
        let all = self.broker.iter().chain(&self.warehouse).chain(&self.sources);
        all.filter_map(|breaker| breaker.outage().or_else(|| breaker.unanswered())).collect()
    }

    /// What was asked a while ago and has not answered yet, the longest first.
    pub(crate) fn unanswered(&self) -> Option<Outage> {
        let all = self.broker.iter().chain(&self.warehouse).chain(&self.sources);
        all.filter_map(Breaker::unanswered).max_by_key(|outage| outage.lasts)
    }

    /// A failure in words: the same ones as long as one outage lasts, whoever meets it.
    pub(crate) fn words(&self, error: &StageError) -> String {
        self.cause(error).to_string()
    }

    /// A failure as what somebody waits for.
    pub(crate) fn cause(&self, error: &StageError) -> WaitCause {
        let breaker = match error.concern() {
            _ if matches!(error, StageError::NotBegun) => return WaitCause::NotBegun,
            Concern::Broker => self.broker.as_ref(),
            Concern::Warehouse => self.warehouse.as_ref(),
            Concern::Source(name) => self.sources.iter().find(|breaker| breaker.name() == name),
            Concern::Nothing => None,
        };
        let Some(breaker) = breaker else { return WaitCause::Other(error.to_string()) };
        let text = match (error, breaker.outage()) {
            (StageError::Broker(_) | StageError::Warehouse(_), Some(outage)) => outage.to_string(),
            _ => error.to_string(),
        };
        WaitCause::Dependency(Dependency { name: breaker.name(), text })
    }

    /// The pause between two rounds of a task that goes on for ever: longer after a round that failed.
    pub(crate) async fn pause(&self, failed: Option<&StageError>, backoff: &mut Backoff, interval: Duration) {
        match failed {
            None => tokio::time::sleep(interval).await,
            Some(error) => self.wait(error, backoff.next().max(interval)).await,
        }
    }

    /// Waits for so long after a failure, or until what failed may be worth another attempt.
    pub(crate) async fn wait(&self, after: &StageError, longest: Duration) {
        let concerned: Vec<&Breaker> = match after.concern() {
            Concern::Broker => self.broker.iter().collect(),
            Concern::Warehouse => self.warehouse.iter().collect(),
            Concern::Source(_) => self.sources.iter().collect(),
            Concern::Nothing => Vec::new(),
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
