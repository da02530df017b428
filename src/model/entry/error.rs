//! Why bytes are not an entry.

/// The newest version that is written.
pub(super) const NEWEST: u8 = 2;

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

/// An event of an entry that holds what it may not: it costs only itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedEvent {
    /// Why.
    pub error: EntryError,
    /// How it is written there.
    pub raw: Vec<u8>,
}

impl EntryError {
    /// The version, where the entry is no rubbish but what a later polytape will write.
    pub const fn newer_version(&self) -> Option<u8> {
        match self {
            Self::UnknownVersion(version) if *version > NEWEST && *version < 32 => Some(*version),
            _ => None,
        }
    }
}
