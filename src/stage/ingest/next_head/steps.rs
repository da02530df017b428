//! By how many blocks finality moves at once.

use std::collections::VecDeque;

/// So many of the last moves say where it moves next.
const MOVES: usize = 16;

/// Fewer say nothing.
const FEWEST: usize = 3;

/// A step is likely where one in so many moves that are not smaller was of that size.
const ONE_IN: usize = 8;

/// The sizes of the last moves.
#[derive(Debug, Default)]
pub(super) struct Steps(VecDeque<u64>);

impl Steps {
    pub(super) fn learn(&mut self, blocks: u64) {
        if self.0.len() == MOVES {
            self.0.pop_front();
        }
        self.0.push_back(blocks);
    }

    pub(super) fn are_known(&self) -> bool {
        self.0.len() >= FEWEST
    }

    /// The sizes of which the next move may well be, smallest first.
    pub(super) fn likely(&self) -> Vec<u64> {
        let mut sizes: Vec<u64> = self.0.iter().copied().collect();
        sizes.sort_unstable();
        sizes.dedup();
        let count = |wanted: &dyn Fn(u64) -> bool| self.0.iter().filter(|size| wanted(**size)).count();
        sizes.retain(|size| count(&|it| it == *size) * ONE_IN >= count(&|it| it >= *size));
        sizes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_once_in_a_while_is_not_waited_for() {
        let mut steps = Steps::default();
        assert!(!steps.are_known() && steps.likely().is_empty());
        [1, 2, 2, 2, 2, 2, 2, 2, 2, 2].into_iter().for_each(|size| steps.learn(size));
        assert!(steps.are_known());
        assert_eq!(steps.likely(), [2]);
        [1, 1].into_iter().for_each(|size| steps.learn(size));
        assert_eq!(steps.likely(), [1, 2]);
        steps.learn(40);
        assert_eq!(steps.likely(), [1, 2, 40], "of those that are as large it is all there was");
        (0..MOVES).for_each(|_| steps.learn(3));
        assert_eq!(steps.likely(), [3]);
    }
}
