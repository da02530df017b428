//! The parts of a URL that may be a key are never shown.

use reqwest::Url;

use crate::secrets::{excerpt, learn_url};

/// How much of a source's own words is shown.
const WORDS: usize = 200;

/// What of a URL may be a key: known from here on, to whoever shows anything.
pub(in crate::source) struct Keys(());

impl Keys {
    /// Those of a URL.
    pub(in crate::source) fn of(url: &Url) -> Self {
        learn_url(url.as_str());
        Self(())
    }

    /// A text of the source, fit to be shown: one short line without keys. To be called with the whole text: see
    /// [`excerpt`].
    #[allow(clippy::unused_self, reason = "who redacts has learned first")]
    pub(in crate::source) fn redact(&self, text: &str) -> String {
        excerpt(text, WORDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown() {
        let url = "https://user:passw0rd!x@node.example:8443/v2/abcdefgh12345678?apikey=zyxwvuts87654321";
        let keys = Keys::of(&Url::parse(url).unwrap());
        let words = keys.redact("key abcdefgh12345678 or zyxwvuts87654321\r\n is disabled");
        assert_eq!(words, "key … or … is disabled");
    }
}
