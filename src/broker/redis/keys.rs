//! The names of the keys.

use crate::broker::stream::Stream;

/// Names of keys, all behind one prefix.
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub(super) const fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// What all of them begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether all of them lie in one slot of a cluster: by what stands in the first braces, if that is anything
    /// (cluster.c, keyHashSlot).
    pub(super) fn have_tag(&self) -> bool {
        let behind = self.prefix.split_once('{').map(|(_, behind)| behind);
        behind.and_then(|behind| behind.split_once('}')).is_some_and(|(tag, _)| !tag.is_empty())
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
    pub(super) fn lease(&self, name: &str) -> String {
        self.named(&format!("hold:{name}"))
    }

    /// The key whose being there says that a process lives.
    pub(super) fn process(&self, consumer: &str) -> String {
        self.named(&format!("proc:{consumer}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_what_stands_in_the_first_braces() {
        for (prefix, has_tag) in [
            ("{tape}:", true),
            ("a{tape}:", true),
            ("{tape}:check-7:", true),
            ("{{tape}}:", true),
            ("", false),
            ("tape:", false),
            ("{}:", false),
            ("{}{tape}:", false),
            ("{tape:", false),
            ("}tape{", false),
        ] {
            assert_eq!(Keys::new(prefix.into()).have_tag(), has_tag, "{prefix}");
        }
    }
}
