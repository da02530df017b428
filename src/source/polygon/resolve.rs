//! Finds the block at a time, by asking for headers.

use super::headers::{header_call, read_header};
use super::{failure::Failure, header::Header, nodes::Polygon};
use crate::{model::Exchange, source::error::SourceError};

/// How many probes guess by proportion before the rest halve. Block times have changed little over the years, so a
/// guess lands near; halving bounds the search: 12 + 27 probes cover 2²⁷ blocks.
const GUESSES: u32 = 12;

impl Polygon {
    /// The first block whose time is not before `time`, or the one behind the head.
    pub(super) async fn first_block_at(&self, time: u64) -> Result<u64, SourceError> {
        let head = self.newest_final_block().await?;
        if time > head.timestamp {
            return Ok(head.block.saturating_add(1));
        }
        let first = if Exchange::FIRST_BLOCK <= head.block { Exchange::FIRST_BLOCK } else { 0 };
        let mut search = Search::new(time, first, (head.block, head.timestamp));
        while let Some(block) = search.probe() {
            let header = self.header(block).await?;
            search.answered(block, header.map(|header| header.timestamp));
        }
        Ok(search.found())
    }

    /// A block's header; `None` where every endpoint says that it does not have it.
    async fn header(&self, block: u64) -> Result<Option<Header>, SourceError> {
        let mut round = self.round()?;
        let mut failed = false;
        while let Some(endpoint) = round.next_endpoint() {
            let answer = match self.check_chain(endpoint).await {
                Ok(_) => endpoint.one(header_call(block)).await.and_then(|json| read_header(block, &json)),
                Err(failure) => Err(failure),
            };
            match answer {
                Ok(Some(header)) => {
                    round.commit();
                    return Ok(Some(header));
                }
                // It lags or has pruned the block. Another may know: calling it too early would skip what lies between.
                Ok(None) | Err(Failure::LacksBlock(_)) => {}
                Err(failure @ Failure::WrongChain { .. }) => round.failed(failure),
                Err(failure) => {
                    failed = true;
                    round.failed(failure);
                }
            }
        }
        if failed { Err(round.into_error()) } else { Ok(None) }
    }
}

/// A search for the first block that is not too early.
#[derive(Debug)]
struct Search {
    time: u64,
    /// The first block that may be the one.
    low: u64,
    /// A block that is not too early, and its time.
    high: (u64, u64),
    /// A block that is too early, and its time.
    early: Option<(u64, u64)>,
    probes: u32,
}

impl Search {
    /// A search between `first` and the block `high`, whose time is known not to be before `time`.
    fn new(time: u64, first: u64, high: (u64, u64)) -> Self {
        Self { time, low: first.min(high.0), high, early: None, probes: 0 }
    }

    /// The block to ask for next; `None` at the end.
    fn probe(&self) -> Option<u64> {
        let last = self.high.0.checked_sub(1)?;
        if self.low > last {
            return None;
        }
        if self.probes == 0 {
            return Some(self.low);
        }
        let half = self.low + (last - self.low) / 2;
        let guess = if self.probes < GUESSES { self.guess() } else { None };
        Some(guess.unwrap_or(half).clamp(self.low, last))
    }

    /// Where the time would lie if blocks came evenly.
    fn guess(&self) -> Option<u64> {
        let (block, then) = self.early?;
        let blocks = u128::from(self.high.0.checked_sub(block)?);
        let seconds = u128::from(self.high.1.checked_sub(then)?);
        let ahead = u128::from(self.time.checked_sub(then)?);
        block.checked_add(u64::try_from((blocks * ahead).checked_div(seconds)?).ok()?)
    }

    /// A block's time, or that nobody has it, which is the case for blocks too early for the nodes.
    fn answered(&mut self, block: u64, timestamp: Option<u64>) {
        self.probes = self.probes.saturating_add(1);
        match timestamp {
            Some(timestamp) if timestamp >= self.time => self.high = (block, timestamp),
            known => {
                self.low = block.saturating_add(1);
                self.early = known.map(|timestamp| (block, timestamp));
            }
        }
    }

    const fn found(&self) -> u64 {
        self.high.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Searches a chain, and counts the probes.
    fn search(time: u64, first: u64, head: u64, timestamp: impl Fn(u64) -> Option<u64>) -> (u64, u32) {
        let mut search = Search::new(time, first, (head, timestamp(head).unwrap()));
        while let Some(block) = search.probe() {
            assert!((first..head).contains(&block));
            search.answered(block, timestamp(block));
        }
        (search.found(), search.probes)
    }

    #[test]
    fn few_probes_on_a_chain_like_polygon() {
        let timestamp =
            |block: u64| Some(if block < 90_000_000 { block * 2 } else { 180_000_000 + (block - 90_000_000) * 3 / 2 });
        for wanted in [33_605_403, 33_605_404, 60_000_000, 89_999_999, 95_000_000, 97_799_999, 97_800_000] {
            let (found, probes) = search(timestamp(wanted).unwrap(), 33_605_403, 97_800_000, timestamp);
            assert_eq!(timestamp(found), timestamp(wanted));
            assert!(found <= wanted && probes <= 40, "{wanted}: {found} after {probes}");
        }
        assert_eq!(search(0, 33_605_403, 97_800_000, timestamp).0, 33_605_403, "never before the first");
    }

    #[test]
    fn a_pruned_block_is_too_early() {
        let timestamp = |block: u64| (block >= 1_000).then_some(block * 2);
        let (found, probes) = search(10, 0, 1 << 27, timestamp);
        assert_eq!(found, 1_000);
        assert!(probes <= 40, "{probes}");
    }

    proptest! {
        #[test]
        fn finds_the_first_block_in_time(steps in proptest::collection::vec(0u64..5, 1..300), time in 0u64..700, first in 0usize..300) {
            let mut now = 0;
            let times: Vec<u64> = steps.iter().map(|step| { now += step; now }).collect();
            let head = times.len() - 1;
            let first = first.min(head);
            prop_assume!(time <= times[head]);
            let expected = (first..=head).find(|block| times[*block] >= time).unwrap();
            let (found, probes) = search(time, first as u64, head as u64, |block| Some(times[block as usize]));
            prop_assert_eq!(found, expected as u64);
            prop_assert!(probes <= 40);
        }
    }
}
