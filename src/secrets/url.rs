//! What of a URL may be a key, and what of it may be shown: scheme, host and port.

use std::borrow::Cow;

use reqwest::Url;

use super::encoding::{base64, percent_decoded, percent_encoded};
use super::text::HIDDEN;

/// A part of a URL's path that is at least this long may be a key; shorter ones are words such as `v2` and `polygon`.
const KEY_LENGTH: usize = 8;

/// A part without digits and capitals that is shorter is taken for words: `polygon-mainnet`, `polymarket`.
const WORDS_LENGTH: usize = 20;

/// What may be a key in a URL, in every form in which it may be repeated.
pub(super) fn secrets_in(text: &str) -> Vec<String> {
    let Ok(url) = Url::parse(text) else { return forms(text) };
    let mut secrets = Vec::new();
    let parts = url.path().split(['/', ';']).chain(url.fragment());
    secrets.extend(parts.filter(|part| may_be_key(part)).flat_map(forms));
    for pair in url.query().into_iter().flat_map(|query| query.split(['&', ';'])) {
        match pair.split_once('=') {
            // Words are values of settings, unless their name says that they are none.
            Some((name, value)) if may_be_key(value) || says_secret(name) => secrets.extend(forms(value)),
            Some(_) => {}
            None if may_be_key(pair) => secrets.extend(forms(pair)),
            None => {}
        }
    }
    let user = percent_decoded(url.username());
    if let Some(password) = url.password() {
        secrets.extend(forms(password));
        secrets.push(base64(&format!("{user}:{}", percent_decoded(password))));
    } else if !user.is_empty() {
        // Some providers take their key as a user without a password.
        secrets.push(base64(&format!("{user}:")));
    }
    if may_be_key(url.username()) {
        secrets.extend(forms(url.username()));
    }
    secrets
}

/// A secret as it is, decoded and encoded.
pub(super) fn forms(secret: &str) -> Vec<String> {
    let decoded = percent_decoded(secret);
    vec![secret.to_owned(), percent_encoded(&decoded), decoded]
}

fn may_be_key(part: &str) -> bool {
    let is_word = part.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_.".contains(&byte));
    part.len() >= if is_word { WORDS_LENGTH } else { KEY_LENGTH }
}

fn says_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["key", "token", "secret", "pass", "auth", "sig", "pwd", "cred"].iter().any(|word| name.contains(word))
}

/// A text in which of every URL only scheme, host and port are left, and a mark where there was more.
pub(super) fn without_urls(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let ends = |c: char| c.is_whitespace() || "\"'`<>()[]{}|\\^,".contains(c);
        // The address of IPv6 stands in brackets.
        let address = after.strip_prefix('[').and_then(|inner| inner.find(']')).map_or(0, |end| end + 2);
        let end = after[address..].find(ends).map_or(after.len(), |end| end + address);
        let url = after[..end].trim_end_matches(['.', ':', ';', '!', '?']);
        let (authority, more) = url.split_at(url.find(['/', '?', '#']).unwrap_or(url.len()));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        shown.push_str(host);
        if host.len() < authority.len() || more.len() > 1 {
            shown.push('/');
            shown.push_str(HIDDEN);
        } else {
            shown.push_str(more);
        }
        rest = &after[url.len()..];
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_in_a_text_lose_what_may_be_a_key() {
        for (text, expected) in [
            ("no url", "no url"),
            ("see https://a.b/pricing.", "see https://a.b/…."),
            ("(https://u@a.b) \"http://[::1]:8/x\"", "(https://a.b/…) \"http://[::1]:8/…\""),
            ("http://a.b/ http://a.b:1, http://a?K", "http://a.b/ http://a.b:1, http://a/…"),
            ("redis://:a@b@c:1/0", "redis://c:1/…"),
            ("://", "://"),
            ("x://é/ü", "x://é/…"),
        ] {
            assert_eq!(without_urls(text), expected);
        }
    }

    #[test]
    fn words_are_no_keys() {
        let url = "https://default:hunter2@a.b/polygon-mainnet/v2?database=polymarket&token=abc&x=Abcdefg1";
        let secrets = secrets_in(url);
        for word in ["default", "polygon-mainnet", "v2", "polymarket"] {
            assert!(!secrets.iter().any(|secret| secret == word), "{secrets:?}");
        }
        for secret in ["hunter2", "abc", "Abcdefg1", "ZGVmYXVsdDpodW50ZXIy"] {
            assert!(secrets.iter().any(|known| known == secret), "{secrets:?}");
        }
    }
}
