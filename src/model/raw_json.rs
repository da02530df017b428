//! A source's JSON, kept as it came.

use std::fmt;
use std::io::{self, Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};

/// The most that is unpacked: what is larger was not packed here.
const MAX_TEXT: u64 = 64 << 20;

/// JSON as a source sent it, packed with gzip.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawJson(Vec<u8>);

impl RawJson {
    /// Packs a text.
    #[allow(clippy::expect_used, reason = "memory takes every byte")]
    pub fn pack(text: &str) -> Self {
        let mut gzip = GzEncoder::new(Vec::with_capacity(text.len() / 3), Compression::default());
        gzip.write_all(text.as_bytes()).and_then(|()| gzip.finish()).map(Self).expect("memory takes every byte")
    }

    /// Takes bytes that were packed before.
    pub const fn from_packed(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The packed bytes.
    pub fn as_packed(&self) -> &[u8] {
        &self.0
    }

    /// The text.
    pub fn unpack(&self) -> io::Result<String> {
        let mut text = String::new();
        GzDecoder::new(self.0.as_slice()).take(MAX_TEXT).read_to_string(&mut text)?;
        Ok(text)
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unpack() {
            Ok(text) => f.write_str(&text),
            Err(error) => write!(f, "{} bytes that are not gzip: {error}", self.0.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacks_what_it_packed() {
        for text in ["", "{}", "{\"question\": \"Vanno a dormire? 🌙\"}", &"long ".repeat(10_000)] {
            let packed = RawJson::pack(text);
            assert_eq!(packed.unpack().unwrap(), text);
            assert_eq!(RawJson::pack(text), packed, "the same text, the same bytes");
        }
        assert!(RawJson::from_packed(b"{}".to_vec()).unpack().is_err());
    }
}
