//! Tokens whose lookup makes the source fail, even when each is looked up alone, and when to try again.
//!
//! That says nothing of the token, unlike an answer without it, so it is tried again soon. Nothing waits for it.

use std::{collections::HashSet, time::Duration};

use quick_cache::sync::Cache;
use rand::RngExt as _;
use tokio::time::Instant;

use crate::model::TokenId;

/// Tokens that are remembered: about 100 bytes each.
const TOKENS: usize = 10_000;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// After so many failures in a row nobody waits for it any more.
const GIVEN_UP_AT: u32 = 5;

pub(crate) struct Failing(Cache<TokenId, Attempt>);

#[derive(Clone, Copy, Debug)]
struct Attempt {
    failures: u32,
    again: Instant,
}

impl Failing {
    pub(crate) fn new() -> Self {
        Self(Cache::new(TOKENS))
    }

    /// Whether it is time to ask about a token.
    pub(crate) fn is_due(&self, token: TokenId, now: Instant) -> bool {
        self.0.get(&token).is_none_or(|attempt| attempt.again <= now)
    }

    /// Whether it was asked about often enough to be counted among those that nobody can tell of.
    pub(crate) fn is_given_up(&self, token: TokenId) -> bool {
        self.0.peek(&token).is_some_and(|attempt| attempt.failures >= GIVEN_UP_AT)
    }

    /// Of the tokens that were asked about a source failed on these: a back-off with full jitter for each of them.
    pub(crate) fn note(&self, asked: &[TokenId], failed: &HashSet<TokenId>, now: Instant) {
        for token in asked {
            if !failed.contains(token) {
                self.0.remove(token);
                continue;
            }
            let failures = self.0.get(token).map_or(0, |attempt| attempt.failures);
            if failures == 0 {
                tracing::debug!("a source fails on token {token} alone: it is asked about by itself");
            }
            let bound = FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST);
            let again = now + rand::rng().random_range(bound / 2..=bound);
            self.0.insert(*token, Attempt { failures: failures.saturating_add(1), again });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::U256;

    #[tokio::test(start_paused = true)]
    async fn each_has_its_own_schedule() {
        let (failing, mut now) = (Failing::new(), Instant::now());
        let [poison, other] = [1, 2].map(|number| TokenId(U256::from(number)));
        let failed = HashSet::from([poison]);
        for failures in 1..20 {
            failing.note(&[poison, other], &failed, now);
            assert!(!failing.is_due(poison, now) && failing.is_due(other, now));
            assert_eq!(failing.is_given_up(poison), failures >= GIVEN_UP_AT);
            now += LONGEST;
            assert!(failing.is_due(poison, now), "never later than that");
        }
        failing.note(&[poison], &HashSet::new(), now);
        assert!(failing.is_due(poison, now) && !failing.is_given_up(poison), "it is healed");
    }
}
