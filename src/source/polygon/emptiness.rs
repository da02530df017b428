//! **Tip**, its last resort: a block near the head that is called empty, and neither another operator nor receipts can say.
//! Such a block is believed to be empty after three answers, the last at least a minute after the first.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use alloy_primitives::B256;

/// So many answers …
const ANSWERS: u32 = 3;

/// So many blocks are remembered; reading waits at the first of them, so there are never many more than are read at once.
const MOST: usize = 1_024;

/// What was said of blocks that are called empty.
#[derive(Debug, Default)]
pub(super) struct Emptiness(BTreeMap<B256, (Instant, u32)>);

impl Emptiness {
    /// A block was called empty once more. Whether that is believed now: `patience` is the time from the first answer on.
    pub(super) fn heard(&mut self, block: B256, now: Instant, patience: Duration) -> bool {
        if self.0.len() >= MOST && !self.0.contains_key(&block) {
            self.0.clear();
        }
        let (first, count) = self.0.entry(block).or_insert((now, 0));
        *count = count.saturating_add(1);
        *count >= ANSWERS && now.duration_since(*first) >= patience
    }

    /// It is settled.
    pub(super) fn forget(&mut self, block: B256) {
        self.0.remove(&block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_answers_and_a_minute() {
        let (mut emptiness, start) = (Emptiness::default(), Instant::now());
        let (block, minute) = (B256::repeat_byte(1), Duration::from_secs(60));
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(!emptiness.heard(block, after(0), minute));
        assert!(!emptiness.heard(block, after(61), minute), "two");
        assert!(emptiness.heard(block, after(62), minute), "three");
        let other = B256::repeat_byte(2);
        assert!(!(0..50).any(|second| emptiness.heard(other, after(second), minute)), "too soon");
        assert!(emptiness.heard(other, after(60), minute));
        emptiness.forget(other);
        assert!(!emptiness.heard(other, after(99), minute));
    }
}
