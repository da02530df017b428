//! The bytes of a stream entry: a version byte, then a compact body.
//!
//! A pipeline may be upgraded while entries wait in its streams, so a version is never changed: a new shape is a new
//! module beside `v1`, `encode` writes the newest, and `decode` keeps reading the older ones. The golden bytes in
//! `tests/vectors/entries.txt` hold each version to what it was.
//!
//! The body is postcard: varints for numbers, plain bytes for hashes. A fill takes about 160 bytes.

mod error;
mod kind;
pub(super) mod v1;

pub use error::EntryError;
pub(super) use kind::entry;

use super::{DeadLetter, Fill, Market, Trade};

/// What can travel through a stream.
pub trait Entry: Sized {
    /// The entry as bytes, in the newest version.
    fn encode(&self) -> Vec<u8>;

    /// The entry that `bytes` hold, in any version.
    fn decode(bytes: &[u8]) -> Result<Self, EntryError>;
}

entry!(Fill, v1::Fill);
entry!(Trade, v1::Trade);
entry!(Market, v1::Market);
entry!(DeadLetter, v1::DeadLetter);

#[cfg(test)]
mod tests;
