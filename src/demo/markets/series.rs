//! The series: a market that is about the next minutes, and then the next one, for ever.
//!
//! Each trades for one period. It is listed only some blocks after its first fills, closes a few blocks after its last
//! one, and is archived when [`KEPT`] others have come after it. The first ones of a world never are, so that one which has
//! ended can be read as a whole.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::market::Market;
use crate::demo::config::WorldConfig;
use crate::demo::rng::{Purpose, Rng};

/// How many of the series the APIs remember.
pub(in crate::demo) const KEPT: u64 = 200;

/// Every so many, one is listed that was made [`HEAD_START`] periods ago.
const OLD: u64 = 5;
const HEAD_START: i64 = 40;

/// The markets of a series, of which only the newest are held.
#[derive(Debug)]
pub(in crate::demo) struct Series {
    seed: u64,
    first_block: u64,
    period: u64,
    markets: Cache<u64, Arc<Market>>,
}

/// The life of one market of the series, in blocks from the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) struct Life {
    /// When it was made, as it says.
    pub(in crate::demo) created: i64,
    /// Its first fills.
    pub(in crate::demo) born: i64,
    /// The Data API names its tokens.
    pub(in crate::demo) named: i64,
    /// Gamma shows it.
    pub(in crate::demo) listed: i64,
    /// Its time is over: the last fills.
    pub(in crate::demo) ends: i64,
    /// It is closed.
    pub(in crate::demo) closes: i64,
    /// It is gone.
    pub(in crate::demo) archived: i64,
}

impl Series {
    pub(in crate::demo) fn new(config: &WorldConfig) -> Self {
        let WorldConfig { seed, first_block, market_period: period, .. } = *config;
        // Room for all that the APIs show and for a reader of the past beside them.
        Self { seed, first_block, period, markets: Cache::new(3 * KEPT as usize) }
    }

    /// The one that trades in a block; none in a world without a series.
    pub(in crate::demo) fn current(&self, block: u64) -> Option<u64> {
        block.checked_sub(self.first_block)?.checked_div(self.period)
    }

    /// Those that the APIs may know at a block.
    pub(in crate::demo) fn kept(&self, block: u64) -> impl Iterator<Item = u64> {
        let count = self.current(block).map_or(0, |newest| newest + 1);
        (0..count.min(KEPT)).chain(count.saturating_sub(KEPT).max(KEPT)..count)
    }

    pub(in crate::demo) fn life(&self, number: u64) -> Life {
        let mut rng = Rng::new(self.seed, Purpose::Series, number);
        let at = |number: u64| number.saturating_mul(self.period).cast_signed();
        let (born, ends) = (at(number), at(number + 1));
        let delay = rng.between(self.period / 4, self.period / 2).cast_signed();
        let head_start = if number % OLD == OLD - 1 { at(1).saturating_mul(HEAD_START) } else { 0 };
        Life {
            created: born - head_start,
            born,
            named: born + delay / 2,
            listed: born + delay,
            ends,
            closes: ends + rng.between(3, 12).cast_signed(),
            archived: if number < KEPT { i64::MAX } else { at(number.saturating_add(KEPT)) },
        }
    }

    /// Whether it is listed among older ones.
    pub(in crate::demo) fn is_old(number: u64) -> bool {
        number % OLD == OLD - 1
    }

    /// How many markets of the series were made before it.
    pub(in crate::demo) fn rank(number: u64) -> i64 {
        number.cast_signed() - if Self::is_old(number) { HEAD_START } else { 0 }
    }

    pub(in crate::demo) fn market(&self, number: u64) -> Arc<Market> {
        self.markets.get(&number).unwrap_or_else(|| {
            let market = Arc::new(Market::series(self.seed, number));
            self.markets.insert(number, Arc::clone(&market));
            market
        })
    }
}
