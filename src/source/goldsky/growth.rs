//! Whether the data of a subgraph still grows. That it answers, and that `_meta` goes on, proves nothing.
//!
//! An exchange has fills every second. So a subgraph whose index is at the tip and whose newest row is old has none any more,
//! and so has one whose index went on for a day behind its newest row. Of one that is behind with both nobody can tell at
//! once whether it is still catching up: it must stand still for a while.

use std::time::{Duration, Instant};

use super::answer::Meta;
use super::place::Place;
use crate::source::frontier::Head;

/// No day is without a fill.
const QUIET: u64 = 86_400;

/// One that is catching up moves within this time.
const STILL: Duration = Duration::from_secs(60);

/// What has been seen of it.
#[derive(Debug, Default)]
pub(super) struct Growth {
    /// Its newest row, and its block where that tells anything.
    seen: Option<(Place, Option<u64>)>,
    since: Option<Instant>,
}

impl Growth {
    /// Takes in what it says at a time since 1970. Says whether its data has ended.
    pub(super) fn has_ended(&mut self, newest: &Place, meta: Option<&Meta>, now: Duration, at: Instant) -> bool {
        // A block without a time may be anywhere behind the newest row.
        let block = meta.and_then(|meta| meta.time.map(|_| meta.block));
        let seen = Some((newest.clone(), block));
        if self.seen != seen {
            (self.seen, self.since) = (seen, Some(at));
        }
        let is_old = |second: u64| now.as_secs().saturating_sub(second) > Head::FRESH.as_secs();
        if !is_old(newest.second) {
            return false;
        }
        match meta.and_then(|meta| meta.time) {
            Some(time) if !is_old(time) || time.saturating_sub(newest.second) >= QUIET => true,
            _ => self.stood_still(STILL, at),
        }
    }

    /// Whether it has said nothing new for so long.
    pub(super) fn stood_still(&self, for_so_long: Duration, at: Instant) -> bool {
        self.since.is_some_and(|since| at.duration_since(since) >= for_so_long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_785_000_000;

    fn meta(block: u64, time: Option<u64>) -> Meta {
        Meta { block, time, has_indexing_errors: false }
    }

    fn ended(growth: &mut Growth, newest: u64, meta: &Meta, at: Instant) -> bool {
        growth.has_ended(&Place::before(newest), Some(meta), Duration::from_secs(NOW), at)
    }

    #[test]
    fn what_is_new_has_not_ended() {
        let (mut growth, begin) = (Growth::default(), Instant::now());
        for later in [0, 100, 10_000] {
            let at = begin + Duration::from_secs(later);
            assert!(!ended(&mut growth, NOW - 200, &meta(7, None), at));
        }
    }

    #[test]
    fn frozen_is_not_caught_up_though_meta_goes_on() {
        let begin = Instant::now();
        // At the tip.
        assert!(ended(&mut Growth::default(), NOW - 301, &meta(7, Some(NOW - 10)), begin));
        // The public one in 2026-08: its index was two months behind, a month behind its newest fill.
        let fill = NOW - 95 * 86_400;
        assert!(ended(&mut Growth::default(), fill, &meta(87_814_766, Some(fill + 33 * 86_400)), begin));
    }

    #[test]
    fn one_that_catches_up_has_not_ended_until_it_stands_still() {
        let (mut growth, begin) = (Growth::default(), Instant::now());
        for step in 0..20 {
            let at = begin + Duration::from_secs(step * 50);
            let (fill, time) = (NOW - 50_000_000 + step, NOW - 49_999_000 + step);
            assert!(!ended(&mut growth, fill, &meta(step, Some(time)), at));
        }
        let last = begin + Duration::from_secs(19 * 50);
        let same = |growth: &mut Growth, after| {
            let meta = meta(19, Some(NOW - 49_999_000 + 19));
            ended(growth, NOW - 50_000_000 + 19, &meta, last + Duration::from_secs(after))
        };
        assert!(!same(&mut growth, 59) && same(&mut growth, 60));
    }

    #[test]
    fn a_block_without_a_time_proves_no_growth() {
        let (mut growth, begin) = (Growth::default(), Instant::now());
        assert!(!ended(&mut growth, NOW - 10_000, &meta(1, None), begin));
        assert!(ended(&mut growth, NOW - 10_000, &meta(2, None), begin + STILL));
    }
}
