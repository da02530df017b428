//! How long a block takes, as the heads of the last minutes tell, so that the next head is asked for when it is due.

use std::time::Duration;

use crate::source::Head;

/// Over fewer blocks, times in whole seconds say too little.
const FEWEST: u64 = 20;

/// After so many blocks an older head is left behind.
const MOST: u64 = 200;

/// Nobody waits longer for the next block than this, whatever the times say.
const LONGEST: Duration = Duration::from_secs(2);

/// The heads over which time is measured.
#[derive(Debug, Default)]
pub(crate) struct BlockTime {
    /// Where the present measure began, and the one before it.
    first: Option<Head>,
    before: Option<Head>,
    last: Option<Head>,
}

impl BlockTime {
    /// A new head; says whether it is another than the last.
    pub(crate) fn learn(&mut self, head: Head) -> bool {
        let is_new = self.last != Some(head);
        if self.last.is_some_and(|last| head.block < last.block) {
            *self = Self::default();
        }
        let first = *self.first.get_or_insert(head);
        if head.block - first.block >= MOST {
            (self.before, self.first) = (self.first, Some(head));
        }
        self.last = Some(head);
        is_new
    }

    /// Time between two blocks, as far as it is known.
    pub(crate) fn get(&self) -> Option<Duration> {
        let (first, last) = (self.before.or(self.first)?, self.last?);
        let blocks = last.block.checked_sub(first.block).filter(|blocks| *blocks >= FEWEST)?;
        let seconds = last.timestamp.saturating_sub(first.timestamp);
        Some(Duration::from_secs(seconds).div_f64(blocks as f64).min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_takes_what_the_last_minutes_tell() {
        let mut time = BlockTime::default();
        let head = |block: u64| Head { block, timestamp: 1_000 + block * 3 / 2 };
        assert!(time.learn(head(7)));
        assert!(!time.learn(head(7)), "the same once more");
        assert_eq!(time.get(), None, "too few");
        for block in 8..900 {
            time.learn(head(block));
        }
        let found = time.get().unwrap().as_secs_f64();
        assert!((1.45..1.55).contains(&found), "{found}");
        time.learn(head(500));
        assert_eq!(time.get(), None, "a head that fell is no measure");
        time.learn(Head { block: 600, timestamp: u64::MAX });
        assert_eq!(time.get(), Some(LONGEST));
    }
}
