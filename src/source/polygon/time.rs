//! **Time**: that of a row is that of the header with its log's block hash, exactly, since it is a part of ClickHouse's
//! key. What a log itself says of it finds lying nodes, and nothing else.

use super::header::Header;

/// 2020-01-01, before Polygon's first block.
const EARLIEST: u64 = 1_577_836_800;

/// How far a block's time may be ahead of this machine's clock, in seconds. Beyond that one of them is wrong.
pub(super) const MOST_AHEAD: u64 = 600;

/// Checks that a header's time can be true when the clock shows `now` (unix seconds).
pub(super) fn check(header: &Header, now: u64) -> Result<(), String> {
    match header.timestamp {
        time if time < EARLIEST => Err(format!("block {} is of a time before Polygon, {time}", header.number)),
        time if time > now.saturating_add(MOST_AHEAD) => {
            Err(format!("block {} is of the future, time {time}", header.number))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    #[test]
    fn absurd_times_are_refused() {
        let now = 1_790_000_000;
        let at = |timestamp| {
            check(&Header { number: 7, hash: B256::ZERO, parent: None, timestamp, transactions: None }, now)
        };
        for good in [EARLIEST, now, now + MOST_AHEAD] {
            assert_eq!(at(good), Ok(()), "{good}");
        }
        for bad in [0, 1, EARLIEST - 1, now + MOST_AHEAD + 1, u64::from(u32::MAX) + 1, u64::MAX] {
            assert!(at(bad).is_err(), "{bad}");
        }
    }
}
