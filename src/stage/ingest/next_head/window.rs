//! Between which two answers something happened.

use std::time::Duration;

use tokio::time::Instant;

/// How far back a moment may lie that comes as a surprise.
const SURPRISE: Duration = Duration::from_millis(250);

/// A moment is not known better than this.
const NEARLY: Duration = Duration::from_millis(20);

/// So much earlier each window begins than the one before: an earlier moment would never be noticed else.
const WIDENS: Duration = Duration::from_millis(4);

/// Behind the last answer that did not show a block, and not after the first that did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) after: Instant,
    pub(super) by: Instant,
}

impl Window {
    pub(super) fn width(self) -> Duration {
        self.by.saturating_duration_since(self.after)
    }

    pub(super) fn middle(self) -> Instant {
        self.after + self.width() / 2
    }

    pub(super) fn later(self, by: Duration) -> Self {
        Self { after: self.after + by, by: self.by + by }
    }

    /// What is known of a moment that was expected in this window, give or take an error, and was seen in another. Where these
    /// have nothing in common it counts what was seen.
    pub(super) fn narrowed(self, error: Duration, seen: Self) -> Self {
        // What comes earlier and earlier is searched in larger and larger steps.
        let earlier = self.by.saturating_duration_since(seen.by) * 3 / 2;
        let early = self.after.checked_sub(WIDENS + error + earlier).unwrap_or(self.after);
        let both = Self { after: early.max(seen.after), by: self.by.min(seen.by) };
        if both.after < both.by {
            // What is left of a window that was nearly missed says little.
            return Self { by: both.by.max(both.after + NEARLY).min(seen.by), ..both };
        }
        let surprise = seen.by.checked_sub(SURPRISE).unwrap_or(seen.by);
        Self { after: seen.after.max(surprise), by: seen.by }
    }

    /// How much time lies between two that do not overlap.
    pub(super) fn apart(self, other: Self) -> Duration {
        self.after.saturating_duration_since(other.by).max(other.after.saturating_duration_since(self.by))
    }
}
