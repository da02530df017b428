//! What must never be shown, and the one place where text of the outside is made fit to be shown.
//!
//! A node may repeat the URL that it was asked by, in an error, in a `result` or in a page of HTML; a proxy repeats headers;
//! a server its password. So whatever is configured that may be a key is learned here before anybody is asked, and
//! [`excerpt`] takes it out of the whole text *before* it cuts it: of a key that is cut first, half would be left. The log
//! takes it out of every record once more, whoever wrote that.
//!
//! What is known is known to the process, as its log is: a key that one source is asked by may come back from another,
//! and a text whose way here was forgotten must not be the one that shows it. It grows with the configuration only.
//!
//! Never: show what is known, or a part of it, or how long it is.

mod encoding;
mod known;
mod text;
mod url;

use std::borrow::Cow;

use parking_lot::RwLock;

use known::Known;
use text::{HIDDEN, boundary_before};
use url::without_urls;

/// How much of a text is looked at: far more than is ever shown of one.
const LOOKED_AT: usize = 64 << 10;

static KNOWN: RwLock<Known> = RwLock::new(Known::new());

/// Learns what of a URL may be a key: parts of its path, values of its query, user and password, as they may be written.
pub fn learn_url(url: &str) {
    let parts = url::secrets_in(url);
    let mut known = KNOWN.write();
    parts.iter().for_each(|part| known.learn(part));
}

/// Learns a password or a key.
pub fn learn(secret: &str) {
    let mut known = KNOWN.write();
    url::forms(secret).iter().for_each(|form| known.learn(form));
}

/// Learns the keys of the proxies that the environment names, which HTTP clients use without a word.
pub fn learn_proxies() {
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        for name in [name.to_owned(), name.to_uppercase()] {
            if let Ok(url) = std::env::var(name) {
                // A proxy may be named without a scheme.
                learn_url(&if url.contains("://") { url } else { format!("http://{url}") });
            }
        }
    }
}

/// A text without secrets, and with scheme, host and port only of URLs. What is left is as it was.
pub fn redact(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read();
    match without_urls(text) {
        Cow::Borrowed(text) => known.redact(text),
        Cow::Owned(text) => Cow::Owned(known.redact(&text).into_owned()),
    }
}

/// The same on one line, with spaces for what would command a terminal.
pub fn line(text: &str) -> String {
    one_line(&redact(text))
}

/// The same of words of our own, which may explain what a URL looks like: only secrets are taken out.
pub fn own_line(text: &str) -> String {
    one_line(&KNOWN.read().redact(text))
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { ' ' } else { c }).collect()
}

/// The first `longest` characters of a text of the outside, fit to be shown: on one line, without control characters,
/// without secrets, and of URLs scheme, host and port only.
pub fn excerpt(text: &str, longest: usize) -> String {
    let end = boundary_before(text, LOOKED_AT);
    let clean: String = text[..end].trim().chars().filter(|c| !is_unsafe(*c)).collect();
    let shown = redact(&clean);
    match shown.char_indices().nth(longest) {
        Some((end, _)) => format!("{}{HIDDEN}", shown[..end].trim_end_matches(HIDDEN)),
        None => shown.into_owned(),
    }
}

/// Whether a character commands a terminal, turns the direction of a line, or cannot be seen: control characters, those of
/// bidirectional text, separators of lines, tags.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const URL: &str =
        "https://usr3rname:pa%24%24w0rd@node.example:8443/v2/abcdefgh12345678?apikey=zyxw%2Bvut87#fragm3nt99";

    #[test]
    fn no_part_of_a_url_that_may_be_a_key_is_shown() {
        learn_url(URL);
        for (text, expected) in [
            ("key abcdefgh12345678 or zyxw%2Bvut87\r\n is disabled", "key … or … is disabled"),
            ("decoded zyxw+vut87, pa$$w0rd", "decoded …, …"),
            ("ABCDEFGH12345678 in capitals", "… in capitals"),
            ("Authorization: Basic dXNyM3JuYW1lOnBhJCR3MHJk", "Authorization: Basic …"),
            ("its end 9 abcdefgh1234", "its end 9 …"),
            ("its begin fgh12345678", "its begin …"),
            ("seen https://a.b:1/x/y?z=1, and ftp://u:p@c", "seen https://a.b:1/…, and ftp://c/…"),
            ("\u{202e}abcd\u{200b}efgh1234\u{7}5678", "…"),
            ("/v2/ is no key", "/v2/ is no key"),
        ] {
            assert_eq!(excerpt(text, 200), expected, "{text:?}");
        }
    }

    #[test]
    fn a_password_is_known_however_short() {
        learn("hu7!");
        assert_eq!(excerpt("user x, password hu7!", 99), "user x, password …");
        learn("");
        assert_eq!(excerpt("nothing is no secret", 99), "nothing is no secret");
    }

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        assert_eq!(excerpt(" a\r\nb\u{7}c ", 9), "abc");
        assert_eq!(excerpt("äöüß", 3), "äöü…");
        assert_eq!(excerpt(&"é".repeat(LOOKED_AT), 2), "éé…");
    }

    proptest! {
        /// Wherever the text is cut, before or by the excerpt, no eight characters of a key are left.
        #[test]
        fn no_cut_leaves_a_part(before in "[ -~]{0,40}", after in "[ -~é]{0,40}", from in 0usize..17, longest in 0usize..99) {
            let secret = "Kq7vT2mX9bR4wZ1pL";
            learn(secret);
            let shown = excerpt(&format!("{before}{}{after}", &secret[from..]), longest).to_lowercase();
            let secret = secret.to_lowercase();
            let left = (0..=secret.len() - 8).find(|at| shown.contains(&secret[*at..at + 8]));
            prop_assert!(left.is_none(), "{shown}");
        }
    }
}
