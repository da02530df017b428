//! How many markets of a listing are asked for at once: fewer where the source fails on a page, down to the one market that
//! it fails on.

use crate::source::Place;

/// After so many pages of a size it was not the market behind them: the size grows again.
const GROWS_AFTER: u32 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Narrowing {
    most: usize,
    /// Pages of this size in a row.
    read: u32,
}

impl Narrowing {
    pub(crate) const fn new() -> Self {
        Self { most: Place::PAGE, read: 0 }
    }

    /// The most markets of the next page.
    pub(crate) const fn most(self) -> usize {
        self.most
    }

    /// The source failed on a page. Says whether a smaller one can be asked for.
    pub(crate) const fn failed(&mut self) -> bool {
        let can_shrink = self.most > 1;
        if can_shrink {
            self.most /= 2;
        }
        self.read = 0;
        can_shrink
    }

    /// A page was read.
    pub(crate) fn read(&mut self) {
        self.read += 1;
        if self.read == GROWS_AFTER {
            *self = Self { most: (self.most * 2).min(Place::PAGE), read: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks over a listing of which one market cannot be read; how many come before it, and how many requests it took.
    fn scan(poison: usize) -> (usize, usize) {
        let (mut narrowing, mut at, mut requests) = (Narrowing::new(), 0, 0);
        loop {
            requests += 1;
            if (at..at + narrowing.most()).contains(&poison) {
                if !narrowing.failed() {
                    return (at, requests);
                }
            } else {
                at += narrowing.most();
                narrowing.read();
            }
        }
    }

    #[test]
    fn it_comes_down_to_the_one() {
        for poison in 0..1_000 {
            let (read, requests) = scan(poison);
            assert_eq!(read, poison, "everything before it is read");
            assert!(requests <= poison / 100 + 24, "{requests} requests for {poison}");
        }
    }

    #[test]
    fn a_passing_failure_costs_little() {
        let mut narrowing = Narrowing::new();
        assert!(narrowing.failed());
        for _ in 0..GROWS_AFTER {
            assert_eq!(narrowing.most(), 50);
            narrowing.read();
        }
        assert_eq!(narrowing.most(), Place::PAGE);
    }
}
