//! How fast an API is asked: within its limits, and hardly at all while it fails.

use std::sync::atomic::{AtomicU32, Ordering};
use std::{num::NonZeroU32, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::{sync::Mutex, time::Instant};

/// After so many failures in a row, whoever made the requests, …
const FAILS_AT: u32 = 10;

/// … there is one request in this time.
const SELDOM: Duration = Duration::from_secs(1);

pub(super) struct Pace {
    limit: DefaultDirectRateLimiter,
    failures: AtomicU32,
    /// When it was last asked while it fails. Held by whoever waits for the next time.
    last: Mutex<Option<Instant>>,
}

impl Pace {
    /// `max_rate` is in requests a second, evenly spread.
    pub(super) fn new(max_rate: NonZeroU32) -> Self {
        let limit = RateLimiter::direct(Quota::per_second(max_rate));
        Self { limit, failures: AtomicU32::new(0), last: Mutex::default() }
    }

    /// Waits for the turn of a request.
    pub(super) async fn turn(&self) {
        if self.is_failing() {
            let mut last = self.last.lock().await;
            if self.is_failing() {
                if let Some(last) = *last {
                    tokio::time::sleep_until(last + SELDOM).await;
                }
                *last = Some(Instant::now());
            }
        }
        self.limit.until_ready().await;
    }

    pub(super) fn answered(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        // It does not wrap: there is one a second at most.
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= FAILS_AT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_failed_ten_times_is_asked_once_a_second() {
        let pace = Pace::new(NonZeroU32::new(10_000).unwrap());
        let begin = Instant::now();
        for _ in 0..FAILS_AT {
            pace.turn().await;
            pace.failed();
        }
        assert!(begin.elapsed() < SELDOM, "the first ones are not held");
        for _ in 0..5 {
            pace.turn().await;
            pace.failed();
        }
        let lasted = begin.elapsed();
        assert!(lasted >= SELDOM * 4 && lasted < SELDOM * 6, "{lasted:?}");
        pace.answered();
        let begin = Instant::now();
        for _ in 0..100 {
            pace.turn().await;
        }
        assert!(begin.elapsed() < SELDOM);
    }
}
