//! How many rows to ask for: fewer where the subgraph is slow, and more again after a while.

use std::time::{Duration, Instant};

/// For so long after it was too slow no more rows are asked for.
const REMEMBERED: Duration = Duration::from_secs(60);

/// So many answers in a row are wanted before twice as many rows are.
const GOOD: u32 = 8;

/// The size of pages.
#[derive(Debug)]
pub(super) struct PageSize {
    most: usize,
    now: usize,
    good: u32,
    slow: Option<Instant>,
}

impl PageSize {
    /// At most so many rows.
    pub(super) const fn new(most: usize) -> Self {
        Self { most, now: most, good: 0, slow: None }
    }

    pub(super) const fn get(&self) -> usize {
        self.now
    }

    /// So many rows were too many. Says whether fewer can be asked for.
    pub(super) fn too_slow(&mut self, rows: usize, at: Instant) -> bool {
        (self.good, self.slow) = (0, Some(at));
        let is_smaller = rows > 1;
        self.now = self.now.min((rows / 2).max(1));
        is_smaller
    }

    /// So many rows were answered.
    pub(super) fn answered(&mut self, at: Instant) {
        self.good = self.good.saturating_add(1);
        let is_long_ago = self.slow.is_none_or(|slow| at.duration_since(slow) >= REMEMBERED);
        if self.now < self.most && is_long_ago && self.good >= GOOD {
            (self.now, self.good) = (self.now.saturating_mul(2).min(self.most), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_too_slow_is_halved_remembered_and_grown_again() {
        let begin = Instant::now();
        let mut size = PageSize::new(1_000);
        for half in [500, 250, 125, 62, 31, 15, 7, 3, 1] {
            assert!(size.too_slow(size.get(), begin));
            assert_eq!(size.get(), half);
        }
        assert!(!size.too_slow(1, begin), "less than a row cannot be asked for");
        for _ in 0..100 {
            size.answered(begin);
        }
        assert_eq!(size.get(), 1, "remembered for a while");
        let later = begin + REMEMBERED;
        size.answered(later);
        assert_eq!(size.get(), 2);
        for _ in 0..GOOD * 20 {
            size.answered(later);
        }
        assert_eq!(size.get(), 1_000, "and no more than is configured");
    }
}
