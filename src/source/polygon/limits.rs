//! What an endpoint allows in one request, as its answers have taught.
//!
//! A limit that it named is remembered for a while. One that is only guessed, from a refusal that nobody understands, counts
//! for the next request, and is remembered only where that succeeds at once: else the refusal was about something else. What
//! was learned of old blocks does not hold for new ones, and the other way round: archives have limits of their own.

use std::time::Instant;

use super::span::Depth;

/// A limit that holds until it is worth another try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit<T> {
    value: T,
    until: Instant,
}

impl<T: Copy> Limit<T> {
    pub(super) const fn new(value: T, until: Instant) -> Self {
        Self { value, until }
    }

    pub(super) fn at(limit: Option<Self>, now: Instant) -> Option<T> {
        limit.filter(|limit| now < limit.until).map(|limit| limit.value)
    }
}

/// The limits on the blocks of a range, for blocks far from the head and near it.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    deep: Range,
    near: Range,
}

#[derive(Debug, Default)]
struct Range {
    limit: Option<Limit<u64>>,
    /// A guess, for the next request.
    guess: Option<u64>,
}

impl Ranges {
    const fn of(&mut self, depth: Depth) -> &mut Range {
        match depth {
            Depth::Deep => &mut self.deep,
            Depth::Near | Depth::Tip => &mut self.near,
        }
    }

    /// The most blocks to ask for.
    pub(super) fn most(&mut self, depth: Depth, now: Instant) -> Option<u64> {
        let range = self.of(depth);
        let limit = Limit::at(range.limit, now);
        match (limit, range.guess) {
            (Some(limit), Some(guess)) => Some(limit.min(guess)),
            (limit, guess) => limit.or(guess),
        }
    }

    /// It has named a limit.
    pub(super) const fn named(&mut self, blocks: u64, depth: Depth, until: Instant) {
        let blocks = if blocks == 0 { 1 } else { blocks };
        *self.of(depth) = Range { limit: Some(Limit::new(blocks, until)), guess: None };
    }

    /// It has refused so many blocks, for reasons unknown: half of them next time. One block alone is no matter of size, and
    /// then no guess was right.
    pub(super) const fn refused(&mut self, blocks: u64, depth: Depth) {
        self.of(depth).guess = if blocks > 1 { Some(blocks / 2) } else { None };
    }

    /// It has answered so many blocks: a guess that was followed is right.
    pub(super) fn answered(&mut self, blocks: u64, depth: Depth, until: Instant) {
        let range = self.of(depth);
        if let Some(guess) = range.guess.take_if(|guess| blocks <= *guess) {
            range.limit = Some(Limit::new(guess, until));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_guess_becomes_a_limit_where_it_helps_and_is_forgotten_where_not() {
        let now = Instant::now();
        let later = now + Duration::from_secs(60);
        let mut ranges = Ranges::default();
        ranges.refused(64, Depth::Deep);
        assert_eq!(ranges.most(Depth::Deep, now), Some(32));
        ranges.refused(32, Depth::Deep);
        ranges.answered(16, Depth::Deep, later);
        assert_eq!(ranges.most(Depth::Deep, now), Some(16));
        assert_eq!(ranges.most(Depth::Deep, later), None, "probed again after a while");
        assert_eq!(ranges.most(Depth::Near, now), None, "old blocks teach nothing of new ones");

        for blocks in [64, 32, 16, 8, 4, 2, 1] {
            ranges.refused(blocks, Depth::Near);
        }
        assert_eq!(ranges.most(Depth::Near, now), None, "it was no matter of size");
    }
}
