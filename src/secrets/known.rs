//! The secrets that are known, and how they are found in a text, also where only a part of one is left.

use std::{borrow::Cow, collections::BTreeSet};

use super::text::{HIDDEN, boundary_before};

/// So many characters in a row of a secret are as good as the secret. Eight hexadecimal ones stand in a hash of the chain
/// by chance once in millions of them.
const PART: usize = 8;

/// Below this a secret could be any syllable, and hiding it would tell where it is.
const SHORTEST: usize = 4;

/// Secrets, in lower case: who repeats one may have changed that.
pub(super) struct Known {
    /// Those that count only as a whole: short ones.
    whole: BTreeSet<Vec<u8>>,
    /// Every [`PART`] of the others.
    parts: BTreeSet<[u8; PART]>,
}

impl Known {
    pub(super) const fn new() -> Self {
        Self { whole: BTreeSet::new(), parts: BTreeSet::new() }
    }

    pub(super) fn learn(&mut self, secret: &str) {
        let secret = secret.to_ascii_lowercase().into_bytes();
        if secret.len() >= PART {
            self.parts.extend(secret.windows(PART).filter_map(|part| <[u8; PART]>::try_from(part).ok()));
        } else if secret.len() >= SHORTEST {
            self.whole.insert(secret);
        }
    }

    /// Puts a mark where a secret or a part of one stands.
    pub(super) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.whole.is_empty() && self.parts.is_empty() {
            return Cow::Borrowed(text);
        }
        let found = self.find(text.to_ascii_lowercase().as_bytes());
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut shown = String::with_capacity(text.len());
        let mut at = 0;
        for (from, to) in found {
            // A secret of more than ASCII may have been found in the middle of a character.
            let from = boundary_before(text, from);
            let to = (to..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            if from > at || at == 0 {
                shown.push_str(&text[at.min(from)..from]);
                shown.push_str(HIDDEN);
            }
            at = at.max(to);
        }
        shown.push_str(&text[at..]);
        Cow::Owned(shown)
    }

    /// Where they are, from the left, those that touch as one.
    fn find(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for at in 0..text.len() {
            let part = text[at..].first_chunk().filter(|part| self.parts.contains(*part)).map(|part| part.len());
            let whole = || self.whole.iter().find(|secret| text[at..].starts_with(secret)).map(Vec::len);
            let Some(length) = part.or_else(whole) else { continue };
            match found.last_mut() {
                Some((_, to)) if at <= *to => *to = (*to).max(at + length),
                _ => found.push((at, at + length)),
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_where_secrets_stood() {
        let mut known = Known::new();
        assert_eq!(known.redact("all is shown"), "all is shown");
        for secret in ["s3cr3t", "aaaaaaaaaaaa", "schlüßel", "x"] {
            known.learn(secret);
        }
        for (text, expected) in [
            ("s3cr3t", "…"),
            ("as3cr3tb", "a…b"),
            ("s3cr3ts3cr3t", "…"),
            ("aaaaaaaaaaaaaaaaaaaaab", "…b"),
            ("aaaaaaa", "aaaaaaa"),
            ("ein schlüßel, üschlüßelß", "ein …, ü…ß"),
            ("S3CR3T x", "… x"),
        ] {
            assert_eq!(known.redact(text), expected);
        }
    }
}
