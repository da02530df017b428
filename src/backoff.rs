//! How long to wait after a failure: the one back-off of whoever asks a dependency again.
//!
//! Beside it stands the [`Breaker`](crate::breaker::Breaker), which all callers of one dependency share.

use std::time::Duration;

use rand::RngExt;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// From so many failures in a row on it is tried seldom.
const BREAKS_AT: u32 = 8;

/// Exponential back-off with full jitter: somewhere between nothing and a bound that doubles with each failure.
///
/// After [`BREAKS_AT`] failures in a row it tries seldom, until one succeeds.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let least = if self.is_open() { LONGEST / 2 } else { Duration::ZERO };
        rand::rng().random_range(least..=bound.max(least))
    }

    /// How often it has failed in a row.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether it is only tried now and then.
    pub(crate) const fn is_open(&self) -> bool {
        self.failures >= BREAKS_AT
    }

    /// It works again.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_bound_and_falls_back() {
        let mut backoff = Backoff::default();
        for failure in 1..BREAKS_AT {
            let bound = FIRST.saturating_mul(1 << (failure - 1)).min(LONGEST);
            assert!(backoff.next() <= bound);
            assert!(!backoff.is_open());
        }
        for _ in 0..200 {
            let wait = backoff.next();
            assert!(backoff.is_open());
            assert!(wait >= LONGEST / 2 && wait <= LONGEST, "a probe now and then: {wait:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
