//! How many fills each block has.

use crate::demo::config::WorldConfig;
use crate::demo::rng::{Purpose, Rng};

/// Out of a hundred blocks, so many have [`BURST`] times as many fills as a common one …
const BURSTS: u64 = 4;
const BURST: f64 = 8.0;
/// … and so many have none.
const QUIET: u64 = 5;

/// The mean over all blocks, in units of a common block's.
const MEAN: f64 = (100 - BURSTS - QUIET) as f64 / 100.0 + BURSTS as f64 / 100.0 * BURST;

/// Where a bounded world ends.
#[derive(Clone, Copy, Debug, PartialEq)]
struct End {
    block: u64,
    /// The fills of that block: what is left of the total.
    fills: u64,
}

/// The number of fills of every block, as a function of its number.
#[derive(Debug)]
pub(in crate::demo) struct Pace {
    seed: u64,
    first_block: u64,
    /// Mean fills of a common block.
    common: f64,
    end: Option<End>,
}

impl Pace {
    /// For a bounded world this adds up its blocks once, at a microsecond each.
    pub(in crate::demo) fn new(config: &WorldConfig) -> Self {
        // The floor lets every bounded world come to its end, the ceiling keeps a block in memory.
        let mean = config.rate * config.block_time.as_secs_f64();
        let mean = if mean.is_nan() { 0.0 } else { mean }.clamp(0.001, 50_000.0);
        let mut pace = Self { seed: config.seed, first_block: config.first_block, common: mean / MEAN, end: None };
        pace.end = config.fills.map(|fills| pace.find_end(fills));
        pace
    }

    /// The last block with fills, in a bounded world.
    pub(in crate::demo) fn last_block(&self) -> Option<u64> {
        self.end.map(|end| end.block)
    }

    /// The number of good fills in a block.
    pub(in crate::demo) fn fills_in(&self, block: u64) -> u64 {
        match self.end {
            _ if block < self.first_block => 0,
            Some(end) if block == end.block => end.fills,
            Some(end) if block > end.block => 0,
            _ => self.endless(block),
        }
    }

    fn find_end(&self, fills: u64) -> End {
        let mut end = End { block: self.first_block, fills };
        loop {
            let here = self.endless(end.block);
            if here >= end.fills {
                return end;
            }
            end = End { block: end.block + 1, fills: end.fills - here };
        }
    }

    fn endless(&self, block: u64) -> u64 {
        let mut rng = Rng::new(self.seed, Purpose::Pace, block);
        match rng.below(100) {
            roll if roll < BURSTS => poisson(&mut rng, self.common * BURST),
            roll if roll < BURSTS + QUIET => 0,
            _ => poisson(&mut rng, self.common),
        }
    }
}

/// A Poisson number; for a large mean its normal approximation, from twelve even throws.
fn poisson(rng: &mut Rng, mean: f64) -> u64 {
    if mean > 30.0 {
        let spread: f64 = (0..12).map(|_| rng.unit()).sum::<f64>() - 6.0;
        return (mean + mean.sqrt() * spread).round().max(0.0) as u64;
    }
    let floor = (-mean).exp();
    let mut product = rng.unit();
    let mut count = 0;
    while product > floor {
        product *= rng.unit();
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(fills: Option<u64>, rate: f64) -> Pace {
        Pace::new(&WorldConfig { fills, rate, ..WorldConfig::default() })
    }

    #[test]
    fn the_rate_is_the_mean() {
        for rate in [2.0, 60.0, 2_000.0] {
            let pace = pace(None, rate);
            let counts: Vec<_> = (0..4_000).map(|n| pace.fills_in(90_000_000 + n)).collect();
            let mean = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
            let expected = rate * 1.5;
            assert!((mean / expected - 1.0).abs() < 0.12, "{mean} is not {expected}");
            assert!(counts.contains(&0), "quiet blocks");
            assert!(counts.iter().any(|count| *count as f64 > expected * 4.0), "bursts");
        }
    }

    #[test]
    fn a_bounded_world_has_exactly_its_fills() {
        for (fills, rate) in [(0, 60.0), (1, 60.0), (7, 0.01), (5_003, 60.0), (5_003, 100_000.0), (3, f64::NAN)] {
            let pace = pace(Some(fills), rate);
            let last = pace.last_block().unwrap();
            let total: u64 = (90_000_000..=last + 100).map(|n| pace.fills_in(n)).sum();
            assert_eq!(total, fills);
            assert_eq!(pace.fills_in(89_999_999), 0);
        }
    }
}
