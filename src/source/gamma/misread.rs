//! Counts what was not as it should be, and tells each kind of it once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Fields that were not as they should be.
#[derive(Debug, Default)]
pub(super) struct Misread {
    count: AtomicU64,
    /// Their names, each of which is told once.
    told: Mutex<BTreeSet<&'static str>>,
}

impl Misread {
    pub(super) fn note(&self, market: &str, fields: &[&'static str]) {
        self.count.fetch_add(fields.len() as u64, Ordering::Relaxed);
        for field in fields {
            if self.told.lock().insert(field) {
                tracing::warn!("gamma: the field {field} of market {market} is malformed and taken as unknown");
            }
        }
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}
