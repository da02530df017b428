//! How long to wait after a failure.

use std::time::Duration;

use rand::RngExt;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// Exponential back-off with full jitter: somewhere between nothing and a bound that doubles with each failure.
#[derive(Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure.
    pub(super) fn next(&mut self) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures += 1;
        rand::rng().random_range(Duration::ZERO..=bound)
    }

    /// It works again.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_bound_and_falls_back() {
        let mut backoff = Backoff::default();
        for failure in 0..100 {
            let bound = FIRST.saturating_mul(1 << failure.min(16)).min(LONGEST);
            assert!(backoff.next() <= bound);
        }
        let longest = (0..200).map(|_| backoff.next()).max().unwrap();
        assert!(longest > LONGEST / 2 && longest <= LONGEST, "{longest:?}");
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
