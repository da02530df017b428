//! What makes an endpoint doubtful, counted.
//!
//! A doubt costs a second look, never a row. Counts by endpoint show who gives reason for them.

use std::sync::atomic::{AtomicU64, Ordering};

/// A reason to look a second time at what an endpoint said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It left out logs that another reading has.
    Missing,
    /// It called a block empty near the head, and nothing else says so yet.
    Empty,
    /// It gave as many logs as a node that cuts its answers.
    Cut,
    /// The rows of a match do not add up.
    Imbalance,
    /// Logs stand where they cannot stand.
    Places,
    /// A log's own time is not that of its block's header.
    Time,
    /// Logs that cannot be read.
    Garbled,
    /// It named a head that nothing confirms.
    Head,
}

impl Doubt {
    /// All of them.
    pub(super) const ALL: [Self; 8] =
        [Self::Missing, Self::Empty, Self::Cut, Self::Imbalance, Self::Places, Self::Time, Self::Garbled, Self::Head];

    /// A short name.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Cut => "cut",
            Self::Imbalance => "imbalance",
            Self::Places => "places",
            Self::Time => "time",
            Self::Garbled => "garbled",
            Self::Head => "head",
        }
    }
}

/// How often each doubt came up.
#[derive(Debug, Default)]
pub(super) struct Doubts([AtomicU64; Doubt::ALL.len()]);

impl Doubts {
    pub(super) fn note(&self, doubt: Doubt) {
        if let Some(count) = self.0.get(doubt as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn count(&self, doubt: Doubt) -> u64 {
        self.0.get(doubt as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}
