//! One round through the endpoints: each that is not cooling down is asked once.

use std::time::{Duration, Instant};

use super::endpoint::{Chain, Endpoint};
use super::{failure::Failure, nodes::Polygon};
use crate::source::{chain::CHAIN, error::SourceError};

/// The endpoints of one call, beginning with the one that answered last.
pub(super) struct Round<'a> {
    source: &'a Polygon,
    /// Whom to ask yet, the next one last.
    rest: Vec<usize>,
    current: usize,
    /// The failure to report if no endpoint answers.
    worst: Option<SourceError>,
}

impl Polygon {
    /// Begins a round; an error where nobody may be asked.
    pub(super) fn round(&self) -> Result<Round<'_>, SourceError> {
        let now = Instant::now();
        let (first, expected) = {
            let shared = self.shared.lock();
            (shared.next, shared.chain.unwrap_or_default())
        };
        let order = (0..self.endpoints.len()).map(|step| (first + step) % self.endpoints.len());
        let order: Vec<usize> = order.collect();
        let rests = |index: &usize| self.endpoints.get(*index).is_some_and(|endpoint| endpoint.rests(now));
        let mut rest: Vec<usize> = order.into_iter().filter(|index| self.may_ask(*index, now)).collect();
        // One that failed lately is left alone while there are others.
        if !rest.iter().all(rests) {
            rest.retain(|index| !rests(index));
        }
        rest.retain(|index| self.endpoints.get(*index).is_some_and(|endpoint| !endpoint.is_barred(now)));
        // One that leaves logs out is the last to be asked.
        rest.sort_by_key(|index| self.endpoints.get(*index).is_some_and(Endpoint::is_distrusted));
        rest.reverse();
        if !rest.is_empty() {
            return Ok(Round { source: self, rest, current: first, worst: None });
        }
        if let Some(error) = self.all_failing(now) {
            return Err(error);
        }
        Err(self.all_cooling(now).unwrap_or_else(|| {
            let wrong = self.endpoints.iter().find_map(|endpoint| match endpoint.chain() {
                Chain::Wrong(found) => Some((endpoint.name().to_owned(), found)),
                _ => None,
            });
            let (endpoint, found) = wrong.unwrap_or_default();
            SourceError::WrongChain { endpoint, expected, found }
        }))
    }

    fn may_ask(&self, index: usize, now: Instant) -> bool {
        self.endpoints.get(index).is_some_and(|endpoint| endpoint.is_usable() && endpoint.cools_for(now).is_none())
    }

    /// `Some` where one has failed so often that it is not asked now, and there is nobody else.
    fn all_failing(&self, now: Instant) -> Option<SourceError> {
        let mut barred = self.endpoints.iter().filter(|endpoint| endpoint.is_usable() && endpoint.is_barred(now));
        barred.find_map(Endpoint::last_error)
    }

    /// `Some` where every endpoint that serves the right chain is cooling down.
    fn all_cooling(&self, now: Instant) -> Option<SourceError> {
        let usable = self.endpoints.iter().filter(|endpoint| endpoint.is_usable());
        let pauses: Option<Vec<(Duration, &Endpoint)>> =
            usable.map(|endpoint| Some((endpoint.cools_for(now)?, endpoint))).collect();
        let (pause, endpoint) = pauses?.into_iter().min_by_key(|(pause, _)| *pause)?;
        Some(SourceError::RateLimited {
            endpoint: endpoint.name().to_owned(),
            cause: endpoint.complaint(),
            retry_after: Some(pause),
        })
    }
}

impl Polygon {
    /// An endpoint failed: it is left alone for as long as it asked, or a while.
    pub(super) fn failed(&self, endpoint: &Endpoint, failure: Failure) -> SourceError {
        let now = Instant::now();
        let failure = match failure {
            Failure::RateLimited { cause, retry_after, is_plain } => {
                let pause = endpoint.cool_down(&cause, retry_after, now);
                Failure::RateLimited { cause, retry_after: Some(pause), is_plain }
            }
            failure => failure,
        };
        let outage = failure.is_outage();
        let error = failure.into_error(endpoint.name().to_owned());
        if outage {
            endpoint.set_failed(&error, now);
        }
        tracing::debug!(%error, "an endpoint failed");
        error
    }
}

impl<'a> Round<'a> {
    /// The next endpoint to ask.
    pub(super) fn next_endpoint(&mut self) -> Option<&'a Endpoint> {
        self.current = self.rest.pop()?;
        self.source.endpoints.get(self.current)
    }

    /// The current endpoint answered well: begin with it next time.
    pub(super) fn commit(&self) {
        self.source.shared.lock().next = self.current;
    }

    /// Begin with another than the current endpoint next time.
    pub(super) fn rotate(&self) {
        self.source.shared.lock().next = (self.current + 1) % self.source.endpoints.len().max(1);
    }

    /// The current endpoint failed: begin with the next one from now on, and leave it alone where it asked for that.
    pub(super) fn failed(&mut self, failure: Failure) {
        self.rotate();
        let Some(endpoint) = self.source.endpoints.get(self.current) else { return };
        let error = self.source.failed(endpoint, failure);
        self.report(error);
    }

    /// An empty answer that nobody confirms. The reason why nobody does, where there is one, says more.
    pub(super) fn unconfirmed(&mut self, endpoint: &str, cause: String) {
        if matches!(self.worst, None | Some(SourceError::WrongChain { .. })) {
            self.worst = Some(SourceError::Untrusted { endpoint: endpoint.to_owned(), cause });
        }
    }

    /// Keeps an error for the caller: the last one, but a passing one before one that stays, so that the caller comes
    /// back, and one that can be tried again at once before one that asks to wait.
    fn report(&mut self, error: SourceError) {
        let rank = |error: &SourceError| match error {
            SourceError::WrongChain { .. } => 0,
            SourceError::RateLimited { .. } => 1,
            _ => 2,
        };
        if self.worst.as_ref().is_none_or(|worst| rank(&error) >= rank(worst)) {
            self.worst = Some(error);
        }
    }

    /// Why the round has failed.
    pub(super) fn into_error(self) -> SourceError {
        let cooling = self.source.all_cooling(Instant::now());
        cooling.or(self.worst).unwrap_or_else(|| SourceError::unreachable(CHAIN, "no endpoint is left to ask"))
    }
}
