//! Other ways in which a secret may be written: percent signs as in a URL, base64 as in a header.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Every character but letters, digits and `-._~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text whose `%41` are characters again.
pub(super) fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A text with every character but letters, digits and `-._~` as `%41`.
pub(super) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Base64 without padding, as every reader of it shows a longer one, too.
pub(super) fn base64(text: &str) -> String {
    STANDARD_NO_PAD.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        assert_eq!(percent_decoded("a%2Bb%zz%4"), "a+b%zz%4");
        assert_eq!(percent_encoded("a+b ü~"), "a%2Bb%20%C3%BC~");
        assert_eq!(["", "f", "fo", "foo", "foob"].map(base64), ["", "Zg", "Zm8", "Zm9v", "Zm9vYg"]);
    }
}
