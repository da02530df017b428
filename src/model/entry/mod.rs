//! The bytes of a stream entry: a version byte, then a compact body.
//!
//! A pipeline may be upgraded while entries wait in its streams, so a version is never changed: a new shape is a new
//! module beside `v1`, `encode` writes the newest, and `decode` keeps reading the older ones. The golden bytes in
//! `tests/vectors/entries.txt` hold each version to what it was.
//!
//! The body is postcard: varints for numbers, plain bytes for hashes. A fill takes about 160 bytes.

mod v1;

use super::{DeadLetter, Fill, Market, Trade};

/// What can travel through a stream.
pub trait Entry: Sized {
    /// The entry as bytes, in the newest version.
    fn encode(&self) -> Vec<u8>;

    /// The entry that `bytes` hold, in any version.
    fn decode(bytes: &[u8]) -> Result<Self, EntryError>;
}

/// Why bytes are not an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// No bytes at all.
    #[error("the entry is empty")]
    Empty,
    /// Written by a newer polytape, or by something else.
    #[error("unknown entry version {0}")]
    UnknownVersion(u8),
    /// The body does not have the shape of its version.
    #[error("the entry is damaged: {0}")]
    Malformed(String),
    /// A field holds what it may not.
    #[error("the entry's {0} is out of range")]
    OutOfRange(&'static str),
}

impl EntryError {
    /// The version, where the entry is no rubbish but what a later polytape will write.
    pub const fn newer_version(&self) -> Option<u8> {
        match self {
            Self::UnknownVersion(version) if *version > v1::VERSION && *version < 32 => Some(*version),
            _ => None,
        }
    }
}

/// Writes and reads one kind of entry, version by version.
macro_rules! entry {
    ($kind:ty, $v1:ty) => {
        impl Entry for $kind {
            fn encode(&self) -> Vec<u8> {
                v1::write(&<$v1>::from(self))
            }

            fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
                match bytes.split_first() {
                    None => Err(EntryError::Empty),
                    Some((&v1::VERSION, body)) => v1::read::<$v1>(body)?.try_into(),
                    Some((&other, _)) => Err(EntryError::UnknownVersion(other)),
                }
            }
        }
    };
}

entry!(Fill, v1::Fill);
entry!(Trade, v1::Trade);
entry!(Market, v1::Market);
entry!(DeadLetter, v1::DeadLetter);

#[cfg(test)]
mod tests;
