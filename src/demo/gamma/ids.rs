//! The ids of markets, which rise with time.

/// Blocks between the ids of two markets that were made one after the other.
const BLOCKS_PER_ID: i64 = 4;
/// The id that was given in the first block.
pub(in crate::demo) const FIRST_ID: u64 = 3_000_400;

/// When the market of an id was made: ids rise with time, more or less.
pub(in crate::demo) fn created(id: u64) -> i64 {
    (id.cast_signed() - FIRST_ID.cast_signed()) * BLOCKS_PER_ID - (id * 7_919 % 60).cast_signed()
}
