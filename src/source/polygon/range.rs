//! How many blocks to ask for at once.
//!
//! Nodes cap what they return, and fills per block vary by four orders of magnitude over the years, so ranges are
//! sized by the rows that came back, not by a number of blocks that was right once.

/// The first request: at a hundred fills a block still within every cap that is known.
const FIRST: u64 = 16;

/// The size of the next range.
#[derive(Clone, Copy, Debug)]
pub(super) struct RangeSizer {
    blocks: u64,
    target_rows: u64,
    max: u64,
}

impl RangeSizer {
    /// A sizer that aims for `target_rows` rows a request and never asks for more than `max` blocks.
    pub(super) fn new(target_rows: u64, max: u64) -> Self {
        let max = max.max(1);
        Self { blocks: FIRST.min(max), target_rows: target_rows.max(1), max }
    }

    /// The number of blocks to ask for; at least 1.
    pub(super) const fn blocks(&self) -> u64 {
        self.blocks
    }

    /// The number of rows that a request should return.
    pub(super) const fn target_rows(&self) -> u64 {
        self.target_rows
    }

    /// `blocks` blocks gave `rows` rows; `full` where as many were asked for as the endpoint allows.
    ///
    /// Grows by 2 at most, and only then: a short range at the head says little.
    pub(super) fn succeeded(&mut self, blocks: u64, rows: u64, full: bool) {
        let ideal = blocks.saturating_mul(self.target_rows) / rows.max(1);
        let most = if full { self.blocks.saturating_mul(2) } else { self.blocks };
        self.blocks = ideal.clamp(1, most.min(self.max));
    }

    /// A range was too large: ask for at most `blocks`.
    pub(super) fn shrink_to(&mut self, blocks: u64) {
        self.blocks = self.blocks.min(blocks).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn grows_by_two_through_empty_blocks_up_to_the_cap() {
        let mut sizer = RangeSizer::new(4_000, 100);
        let mut sizes = vec![];
        for _ in 0..5 {
            sizes.push(sizer.blocks());
            sizer.succeeded(sizer.blocks(), 0, true);
        }
        assert_eq!(sizes, [16, 32, 64, 100, 100]);
    }

    #[test]
    fn settles_where_the_rows_are_right() {
        let mut sizer = RangeSizer::new(4_000, 100_000);
        for _ in 0..10 {
            sizer.succeeded(sizer.blocks(), sizer.blocks() * 113, true);
        }
        assert_eq!(sizer.blocks(), 35, "35 blocks of 113 rows");
        sizer.succeeded(35, 35 * 8_000, true);
        assert_eq!(sizer.blocks(), 1, "never 0");
    }

    #[test]
    fn a_short_range_at_the_head_does_not_shrink_the_next() {
        let mut sizer = RangeSizer::new(4_000, 100_000);
        sizer.succeeded(1, 110, false);
        assert_eq!(sizer.blocks(), 16);
        sizer.succeeded(2, 4_000, false);
        assert_eq!(sizer.blocks(), 2, "but its rows count");
        sizer.succeeded(1, 110, true);
        assert_eq!(sizer.blocks(), 4, "and so does one that the endpoint keeps short");
    }

    proptest! {
        #[test]
        fn stays_within_its_bounds(
            target: u64,
            max: u64,
            steps in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<bool>()), 0..50),
        ) {
            let mut sizer = RangeSizer::new(target, max);
            for (blocks, rows, shrink) in steps {
                let before = sizer.blocks();
                if shrink { sizer.shrink_to(blocks) } else { sizer.succeeded(blocks, rows, blocks % 2 == 0) }
                prop_assert!((1..=max.max(1)).contains(&sizer.blocks()));
                prop_assert!(sizer.blocks() <= before.saturating_mul(2));
            }
        }
    }
}
