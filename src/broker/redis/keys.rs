//! The names of the keys.

use crate::broker::Stream;

/// Names of keys, all behind one prefix.
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) const fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// A key by its own name: a stream, a cursor.
    pub(super) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(super) fn generation(&self) -> String {
        self.named("state:generation")
    }

    /// A stream and the hash that counts for it.
    pub(super) fn stream(&self, stream: &Stream) -> [String; 2] {
        [self.named(stream.as_str()), self.named(&format!("tally:{stream}"))]
    }

    /// The key that names the process which does what only one does.
    pub(super) fn hold(&self, name: &str) -> String {
        self.named(&format!("hold:{name}"))
    }

    /// The key whose being there says that a process lives.
    pub(super) fn process(&self, consumer: &str) -> String {
        self.named(&format!("proc:{consumer}"))
    }
}
