//! Where the head of the demo chain is.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::demo::world::World;

/// What moves the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The time of day.
    Wall,
    /// The time of day and so many milliseconds more (or less).
    Shifted(i64),
    /// Nothing: this block is the newest one until further notice.
    Frozen(u64),
}

impl Clock {
    /// The newest block now.
    pub(in crate::demo) fn head(self, world: &World) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        match self {
            Self::Wall => world.head_at(now),
            Self::Shifted(by) => world.head_at(now.saturating_add(by)),
            Self::Frozen(block) => block.max(world.config().first_block),
        }
    }
}
