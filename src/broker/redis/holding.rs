//! What a reader was given and has not yet done with.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::broker::entry::{EntryId, Size};

/// What the present reader of a group has in hand.
pub(super) struct Holding {
    /// Of which session of the streams it is.
    generation: String,
    pub(super) given: Mutex<BTreeMap<EntryId, Size>>,
}

impl Holding {
    pub(super) fn new(generation: String) -> Self {
        Self { generation, given: Mutex::default() }
    }

    /// Of which session of the streams it is: what is done with it is refused in any other.
    pub(super) fn generation(&self) -> &str {
        &self.generation
    }

    /// How much an entry is that is in hand.
    pub(super) fn size(&self, id: EntryId) -> Option<Size> {
        self.given.lock().get(&id).copied()
    }

    /// Notes that these are done with.
    pub(super) fn done(&self, ids: impl Iterator<Item = EntryId>) {
        let mut given = self.given.lock();
        for id in ids {
            given.remove(&id);
        }
    }
}
