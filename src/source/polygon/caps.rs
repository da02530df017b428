//! **Caps**: nodes that cut an answer at a number of logs, and say nothing.
//!
//! Such a number is round, or comes again with the next answer. Many honest answers look so, too (one in a hundred), and
//! cost one more request.

/// The smallest number at which a node was ever seen to cut.
const LEAST: u64 = 100;

/// Whether a node may have cut an answer of so many logs, after one of `before`.
pub(super) fn is_suspect(count: u64, before: Option<u64>) -> bool {
    count >= LEAST && (count.is_multiple_of(100) || count.is_multiple_of(1_024) || before == Some(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_or_twice() {
        for count in [100, 200, 1_000, 1_024, 2_048, 10_000] {
            assert!(is_suspect(count, None), "{count}");
        }
        for count in [0, 1, 50, 99, 101, 150, 1_023] {
            assert!(!is_suspect(count, Some(7)), "{count}");
        }
        assert!(is_suspect(137, Some(137)) && !is_suspect(137, Some(138)) && !is_suspect(99, Some(99)));
    }
}
