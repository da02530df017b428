//! Tokens whose lookup failed, and when to try again.

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

pub(crate) struct RetrySchedule(Cache<TokenId, Attempt>);

#[derive(Clone, Debug, Default)]
struct Attempt {
    failures: u32,
    /// When to ask again; at once where nobody was asked yet.
    again: Option<Instant>,
    /// The newest insert whose rows know as much as is known, …
    insert: String,
    /// … and how much that is.
    version: u8,
}

impl RetrySchedule {
    pub(crate) fn new() -> Self {
        Self(Cache::new(TOKENS))
    }

    /// Whether it is time to ask about a token.
    pub(crate) fn is_due(&self, token: TokenId, now: Instant) -> bool {
        self.0.get(&token).is_none_or(|attempt| attempt.again.is_none_or(|again| again <= now))
    }

    /// Whether somebody has been asked about it at all.
    pub(crate) fn knows(&self, token: TokenId) -> bool {
        self.0.peek(&token).is_some_and(|attempt| attempt.failures > 0)
    }

    /// Everybody was asked, and nobody knew all of it.
    pub(crate) fn in_vain(&self, token: TokenId, now: Instant) {
        let attempt = self.0.get(&token).unwrap_or_default();
        let wait = FIRST.saturating_mul(1 << attempt.failures.min(20)).min(LONGEST);
        let (failures, again) = (attempt.failures.saturating_add(1), Some(now + wait));
        self.0.insert(token, Attempt { failures, again, ..attempt });
    }

    /// Whether rows of it may know less than is known: there is a newer insert, or more is known, or it is time to look again. An
    /// insert without a name may be any.
    pub(crate) fn is_news(&self, token: TokenId, insert: &str, version: u8, now: Instant) -> bool {
        let Some(attempt) = self.0.peek(&token) else { return true };
        insert.is_empty() || attempt.insert.as_str() < insert || attempt.version < version || self.is_due(token, now)
    }

    /// All rows of it up to an insert know as much as this version.
    pub(crate) fn completed(&self, token: TokenId, insert: &str, version: u8) {
        let attempt = self.0.get(&token).unwrap_or_default();
        self.0.insert(token, Attempt { insert: insert.to_owned(), version, ..attempt });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::U256;

    #[tokio::test(start_paused = true)]
    async fn what_is_partly_known_is_completed_once_for_each_insert() {
        let (tried, token, now) = (RetrySchedule::new(), TokenId(U256::MAX), Instant::now());
        assert!(tried.is_news(token, "a", 1, now));
        tried.completed(token, "a", 1);
        assert!(!tried.knows(token) && tried.is_due(token, now), "nobody was asked yet");
        tried.in_vain(token, now);
        assert!(!tried.is_news(token, "a", 1, now));
        assert!(tried.is_news(token, "b", 1, now), "rows came");
        assert!(tried.is_news(token, "a", 2, now), "more is known");
        assert!(tried.is_news(token, "a", 1, now + FIRST), "with every try");
        assert!(tried.is_news(token, "", 1, now), "where inserts have no names");
    }

    #[tokio::test(start_paused = true)]
    async fn asks_less_and_less_often_but_never_stops() {
        let (tried, token, mut now) = (RetrySchedule::new(), TokenId(U256::MAX), Instant::now());
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
