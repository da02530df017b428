//! The bytes of a stream entry: a version byte, then a compact body.
//!
//! A pipeline may be upgraded while entries wait in its streams, so a version is never changed: a new shape is a new
//! module beside `v1`, `encode` writes the newest, and `decode` keeps reading the older ones. The golden bytes in
//! `tests/vectors/entries.txt` hold each version to what it was.
//!
//! The body is postcard: varints for numbers, plain bytes for hashes. A fill takes about 160 bytes. Fills and trades travel in
//! batches, which are version 2 (`v2`); markets and dead letters travel alone, in version 1.

mod error;
mod kind;
pub(super) mod v1;
pub(super) mod v2;

pub use error::{EntryError, RefusedEvent};
pub(super) use kind::entry;
pub use v2::{Event, MAX_ENTRY_BYTES, MAX_EVENTS, Packer, Span, weight};

use super::{DeadLetter, Fill, Market, Trade};

/// What can travel through a stream.
pub trait Entry: Sized {
    /// This alone as bytes, in version 1.
    fn encode(&self) -> Vec<u8>;

    /// What an entry of version 1 holds.
    fn decode(bytes: &[u8]) -> Result<Self, EntryError>;

    /// All that an entry holds, in any version, each with why it is refused where it is. An error where the entry as a whole is
    /// damaged.
    fn decode_all(bytes: &[u8]) -> Result<Vec<Result<Self, RefusedEvent>>, EntryError> {
        Self::decode(bytes).map(|event| vec![Ok(event)])
    }
}

entry!(Fill, v1::Fill, batched);
entry!(Trade, v1::Trade, batched);
entry!(Market, v1::Market);
entry!(DeadLetter, v1::DeadLetter);

#[cfg(test)]
mod tests;
