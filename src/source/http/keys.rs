//! The parts of a URL that may be a key are never shown.

use reqwest::Url;

use super::{WORDS, excerpt};

/// A part of a URL that is at least this long may be a key.
const KEY_LENGTH: usize = 8;

/// What of a URL may be a key.
pub(in crate::source) struct Keys(Vec<String>);

impl Keys {
    /// Those of a URL: parts of its path, values of its query, user and password.
    pub(in crate::source) fn of(url: &Url) -> Self {
        let path = url.path_segments().into_iter().flatten().map(str::to_owned);
        let query = url.query_pairs().map(|(_, value)| value.into_owned());
        let user = [url.username(), url.password().unwrap_or_default()].map(str::to_owned);
        Self(path.chain(query).chain(user).filter(|part| part.len() >= KEY_LENGTH).collect())
    }

    /// A text of the source, fit to be shown: one short line without keys.
    pub(in crate::source) fn redact(&self, text: &str) -> String {
        let clean = self.0.iter().fold(text.to_owned(), |text, key| text.replace(key.as_str(), "…"));
        excerpt(&clean, WORDS)
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
