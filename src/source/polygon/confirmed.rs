//! The newest final block, as it was confirmed last.

use std::time::Instant;

use super::header::Header;
use crate::source::frontier::Head;

/// The head that was confirmed last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confirmed {
    pub(super) header: Header,
    /// Since when it is known.
    pub(super) since: Instant,
    /// When somebody was last seen to have it.
    pub(super) seen: Instant,
}

impl Confirmed {
    pub(super) const fn block(self) -> u64 {
        self.header.number
    }

    pub(super) const fn head(self) -> Head {
        Head { block: self.header.number, timestamp: self.header.timestamp }
    }
}
