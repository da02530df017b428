//! Chance from a seed.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// What the rng are thrown for: each has a sequence of its own.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Pace = 1,
    Matching,
    Markets,
    Faults,
    Closing,
    Series,
    Surplus,
}

/// A repeatable sequence of random numbers.
///
/// Ranges are cut here and not by `rand`, whose methods may change between versions: a seed shall name the same world
/// for good.
pub(super) struct Rng(ChaCha8Rng);

impl Rng {
    /// The sequence of a seed, for one purpose and one number (a block, a request).
    pub(super) fn new(seed: u64, purpose: Purpose, number: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
        key[16..24].copy_from_slice(&number.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// From 0 up to `end`, without it. 0 where `end` is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(end)) >> 64) as u64
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True once in `n` throws.
    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// From 0 up to 1, without it.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// An index into `length` things, of which the first are the popular ones.
    pub(super) fn popular(&mut self, length: usize) -> usize {
        let length = length as u64;
        self.below(length).min(self.below(length)).min(self.below(length)) as usize
    }

    /// An index into `length` things.
    pub(super) fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// Some order of the things.
    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            let other = self.index(last + 1);
            things.swap(last, other);
        }
    }
}
