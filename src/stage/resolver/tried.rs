//! Which tokens were asked about in vain, and when to ask again.

use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::model::TokenId;

/// Tokens that are remembered: about 100 bytes each. One that is forgotten is asked about again.
const TOKENS: usize = 200_000;

/// How long after the first time.
const FIRST: Duration = Duration::from_secs(5);

/// How long at most: a token that was given up is asked about daily.
const LONGEST: Duration = Duration::from_secs(86_400);

pub(super) struct Tried(Cache<TokenId, Attempt>);

#[derive(Clone, Copy, Debug)]
struct Attempt {
    failures: u32,
    again: Instant,
}

impl Tried {
    pub(super) fn new() -> Self {
        Self(Cache::new(TOKENS))
    }

    /// Whether it is time to ask about a token.
    pub(super) fn is_due(&self, token: TokenId, now: Instant) -> bool {
        self.0.get(&token).is_none_or(|attempt| attempt.again <= now)
    }

    /// Whether somebody has been asked about it at all.
    pub(super) fn knows(&self, token: TokenId) -> bool {
        self.0.peek(&token).is_some()
    }

    /// Everybody was asked, and nobody knew all of it.
    pub(super) fn in_vain(&self, token: TokenId, now: Instant) {
        let failures = self.0.get(&token).map_or(0, |attempt| attempt.failures);
        let wait = FIRST.saturating_mul(1 << failures.min(20)).min(LONGEST);
        self.0.insert(token, Attempt { failures: failures.saturating_add(1), again: now + wait });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::U256;

    #[tokio::test(start_paused = true)]
    async fn asks_less_and_less_often_but_never_stops() {
        let (tried, token, mut now) = (Tried::new(), TokenId(U256::MAX), Instant::now());
        assert!(tried.is_due(token, now) && !tried.knows(token));
        let mut waits = Vec::new();
        for _ in 0..40 {
            tried.in_vain(token, now);
            assert!(tried.knows(token) && !tried.is_due(token, now));
            let wait = (0..).map(|power| Duration::from_secs(5 << power).min(LONGEST));
            let wait = wait.take(40).find(|wait| tried.is_due(token, now + *wait)).unwrap();
            now += wait;
            waits.push(wait);
        }
        assert_eq!(waits[..3], [5, 10, 20].map(Duration::from_secs));
        assert_eq!(waits[39], LONGEST);
    }
}
