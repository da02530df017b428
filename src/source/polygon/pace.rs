//! How often an endpoint that fails is asked again: with full jitter, between 100 ms and 30 s, and at most once a second
//! when it has failed ten times in a row.

use std::time::{Duration, Instant};

use rand::RngExt;

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// After so many failures in a row …
const MANY: u32 = 10;

/// … there is at least so much time between two requests.
const LEAST_AFTER_MANY: Duration = Duration::from_secs(1);

/// Failures of an endpoint, in a row.
#[derive(Debug, Default)]
pub(super) struct Pace {
    failures: u32,
    /// Others are asked before it until then.
    rests_until: Option<Instant>,
    /// Nobody asks it before that, even where there is nobody else.
    not_before: Option<Instant>,
}

impl Pace {
    /// It failed again; `first` is the longest pause after the first failure.
    pub(super) fn failed(&mut self, first: Duration, now: Instant) {
        let longest = first.saturating_mul(1 << self.failures.min(20)).min(LONGEST);
        let pause = longest.mul_f64(rand::rng().random_range(0.0..=1.0));
        self.failures = self.failures.saturating_add(1);
        let least = if self.failures >= MANY && !first.is_zero() { LEAST_AFTER_MANY } else { Duration::ZERO };
        self.rests_until = Some(now + pause.max(least));
        self.not_before = Some(now + least);
    }

    /// It answered.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// Whether it should be left alone while there are others to ask.
    pub(super) fn rests(&self, now: Instant) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    /// Whether it must not be asked at all.
    pub(super) fn is_barred(&self, now: Instant) -> bool {
        self.not_before.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_jitter_and_have_a_floor_after_ten_failures() {
        let (now, first) = (Instant::now(), Duration::from_millis(100));
        let mut pace = Pace::default();
        for failure in 1..=30 {
            assert!(!pace.is_barred(now) || failure > 10, "{failure}");
            pace.failed(first, now);
            assert!(!pace.rests(now + LONGEST), "{failure}");
        }
        assert!(pace.is_barred(now + Duration::from_millis(999)));
        assert!(!pace.is_barred(now + LEAST_AFTER_MANY));
        pace.answered();
        assert!(!pace.rests(now) && !pace.is_barred(now));
        let mut pauses: Vec<bool> = Vec::new();
        for _ in 0..200 {
            let mut pace = Pace::default();
            pace.failed(first, now);
            assert!(!pace.rests(now + first));
            pauses.push(pace.rests(now + first / 2));
        }
        assert!(pauses.contains(&true) && pauses.contains(&false), "jitter");
    }
}
