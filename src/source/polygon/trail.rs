//! Which blocks rest on the word of one endpoint alone, so that they can be read again when it turns out to leave logs out.

use std::collections::VecDeque;

/// After so many comparisons that it passed, what an endpoint delivered before them is believed. One is not enough: who
/// leaves out one log in twenty passes many.
const PASSES: u64 = 50;

/// So many stretches are kept; older ones are joined, with what lies between them.
const MOST: usize = 256;

/// The blocks that an endpoint alone delivered.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// Since when it was so in an earlier process.
    before: Option<u64>,
    stretches: VecDeque<Stretch>,
    passed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: u64,
    to: u64,
    /// How many comparisons had been passed then.
    passed: u64,
}

impl Trail {
    /// Whether it has delivered nothing yet.
    pub(super) fn is_new(&self) -> bool {
        self.stretches.is_empty() && self.passed == 0
    }

    /// It delivered these blocks.
    pub(super) fn add(&mut self, from: u64, to: u64) {
        match self.stretches.back_mut() {
            Some(last) if last.passed == self.passed && (last.from..=last.to.saturating_add(1)).contains(&from) => {
                last.to = last.to.max(to);
            }
            _ => self.stretches.push_back(Stretch { from, to, passed: self.passed }),
        }
        if self.stretches.len() > MOST
            && let Some(oldest) = self.stretches.pop_front()
            && let Some(next) = self.stretches.front_mut()
        {
            (next.from, next.to) = (next.from.min(oldest.from), next.to.max(oldest.to));
        }
    }

    /// Since when what it delivered rests on its word alone.
    pub(super) fn begin(&self) -> Option<u64> {
        self.stretches.iter().map(|stretch| stretch.from).chain(self.before).min()
    }

    /// It was so since this block when an earlier process ended.
    pub(super) fn restore(&mut self, from: u64) {
        self.before = Some(self.before.map_or(from, |before| before.min(from)));
    }

    /// It passed a comparison.
    pub(super) fn pass(&mut self) {
        self.passed += 1;
        if self.passed >= PASSES {
            self.before = None;
        }
        while self.stretches.front().is_some_and(|oldest| oldest.passed + PASSES <= self.passed) {
            self.stretches.pop_front();
        }
    }

    /// It failed one: the blocks that are to be read again, the first and the last. Earlier processes read up to `cursor`.
    pub(super) fn fail(&mut self, cursor: Option<u64>) -> Option<(u64, u64)> {
        let from = self.begin()?;
        let before = self.before.and(cursor);
        let to = self.stretches.iter().map(|stretch| stretch.to).chain(before).max()?.max(from);
        *self = Self { passed: self.passed, ..Self::default() };
        Some((from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rests_on_an_endpoint_is_read_again() {
        let mut trail = Trail::default();
        assert!(trail.is_new());
        assert_eq!(trail.fail(Some(9)), None);
        trail.add(10, 19);
        trail.add(20, 20);
        trail.pass();
        trail.add(21, 30);
        assert_eq!(trail.fail(None), Some((10, 30)), "a single comparison proves little");
        assert_eq!(trail.fail(None), None, "once");
        trail.add(40, 50);
        for _ in 0..PASSES {
            trail.pass();
        }
        trail.add(51, 60);
        assert_eq!(trail.fail(None), Some((51, 60)), "many prove something");
    }

    #[test]
    fn what_an_earlier_process_knew_counts_until_as_many_comparisons_are_passed() {
        let restored = || {
            let mut trail = Trail::default();
            trail.restore(7);
            trail
        };
        assert_eq!((restored().begin(), restored().fail(Some(20))), (Some(7), Some((7, 20))));
        let mut trail = restored();
        assert!(trail.is_new(), "what it says now is compared at once");
        trail.add(21, 30);
        assert_eq!((trail.begin(), trail.fail(Some(20)), trail.begin()), (Some(7), Some((7, 30)), None));
        let mut trail = restored();
        for _ in 0..PASSES {
            trail.pass();
        }
        trail.add(21, 30);
        assert_eq!((trail.begin(), trail.fail(Some(20))), (Some(21), Some((21, 30))));
    }

    #[test]
    fn it_is_bounded_and_forgets_nothing() {
        let mut trail = Trail::default();
        for number in 0..10_000 {
            trail.add(number * 10, number * 10 + 3);
        }
        assert!(trail.stretches.len() <= MOST);
        assert_eq!(trail.fail(None), Some((0, 99_993)));
    }
}
