//! What one call may carry.

use super::{entry::NewEntry, error::BrokerError, error::Result, operation::CursorCommit};

/// Entries in one `append` or `forward`, at most: Redis runs each as one script, whose arguments are bounded.
pub const MAX_ENTRIES: usize = 1_000;

/// Bytes in one `append` or `forward`, at most.
pub const MAX_BYTES: usize = 4 << 20;

/// Refuses an append that cannot be done, or not be repeated.
pub(super) fn check_append(entries: &[NewEntry], advance: &CursorCommit) -> Result<()> {
    if !entries.is_empty() && advance.expected == advance.next {
        return Err(BrokerError::NoMove { key: advance.key.clone(), entries: entries.len() });
    }
    check_size(entries.iter())
}

/// Refuses what one call may not carry.
pub(super) fn check_size<'a>(entries: impl Iterator<Item = &'a NewEntry>) -> Result<()> {
    let (count, bytes) = entries.fold((0, 0), |(count, bytes), entry| (count + 1, bytes + entry.body.len()));
    if count > MAX_ENTRIES || bytes > MAX_BYTES {
        return Err(BrokerError::TooLarge { entries: count, bytes });
    }
    Ok(())
}
