//! Who reads a stream together.

use std::fmt;

/// The consumer group of the one stage that reads a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupId(pub(super) &'static str);

impl GroupId {
    /// The name as it is kept in Redis.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
