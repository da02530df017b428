//! How values are written: durations, sizes, addresses, the start.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::source::Start;

/// Where a first run begins, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartSpec {
    /// So long ago: `15m`, `2h 30m`.
    Age(Duration),
    /// At a time: RFC 3339.
    Time(Timestamp),
    /// At a block, inclusive: its number as text.
    Block(u64),
    /// `genesis`: with the source's first block.
    Genesis,
    /// `latest`: behind the head.
    Latest,
}

impl StartSpec {
    /// As it is meant at a time.
    pub fn at(&self, now: Timestamp) -> Start {
        let seconds = |time: Timestamp| u64::try_from(time.as_second()).unwrap_or(0);
        match self {
            Self::Age(age) => Start::Time(seconds(now).saturating_sub(age.as_secs())),
            Self::Time(time) => Start::Time(seconds(*time)),
            Self::Block(block) => Start::Block(*block),
            Self::Genesis => Start::Genesis,
            Self::Latest => Start::Latest,
        }
    }
}

impl FromStr for StartSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "genesis" {
            return Ok(Self::Genesis);
        }
        if text == "latest" {
            return Ok(Self::Latest);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(block) = text.parse()
        {
            return Ok(Self::Block(block));
        }
        if let Ok(time) = text.parse() {
            return Ok(Self::Time(time));
        }
        parse_duration(text).map(Self::Age).map_err(|_| {
            format!(
                "{text:?} is no start: an age (\"15m\"), a time (RFC 3339), a block number, \"genesis\" or \"latest\""
            )
        })
    }
}

impl fmt::Display for StartSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age(age) => f.write_str(&show_duration(*age)),
            Self::Time(time) => time.fmt(f),
            Self::Block(block) => block.fmt(f),
            Self::Genesis => f.write_str("genesis"),
            Self::Latest => f.write_str("latest"),
        }
    }
}

impl Serialize for StartSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StartSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A duration as people write it: `250ms`, `10m`, `1h 30m`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| format!("{text:?} is no duration: write it as \"250ms\", \"10s\" or \"1h 30m\""))
}

/// A duration in the way in which it is read.
pub(crate) fn show_duration(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(|_| "forever".to_owned(), |duration| format!("{duration:#}"))
}

pub(super) fn rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let rows = i64::deserialize(deserializer)?;
    let allowed = usize::try_from(rows).ok().filter(|rows| (1..=1_000_000).contains(rows));
    allowed.ok_or_else(|| D::Error::custom(format!("{rows} rows: 1 to 1000000 are expected")))
}

pub(super) fn files<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let files = i64::deserialize(deserializer)?;
    let allowed = usize::try_from(files).ok().filter(|files| (1..=1_000).contains(files));
    allowed.ok_or_else(|| D::Error::custom(format!("{files} files: 1 to 1000 are expected")))
}

pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(D::Error::custom(format!("{name:?} is no name: up to 64 letters, digits, - and _ are expected")));
    }
    Ok(name)
}

pub(super) fn password<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    // The error that this replaces would quote the value.
    String::deserialize(deserializer).map_err(|_| D::Error::custom("a text in quotes is expected"))
}

pub(super) fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NonZeroU32, D::Error> {
    let rate = i64::deserialize(deserializer)?;
    let allowed = u32::try_from(rate).ok().filter(|rate| *rate <= 10_000).and_then(NonZeroU32::new);
    allowed.ok_or_else(|| D::Error::custom(format!("{rate} requests a second: 1 to 10000 are expected")))
}

/// As [`parse_duration`] reads it, from a millisecond to a year.
pub(super) mod duration {
    use super::*;

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let duration = parse_duration(&String::deserialize(deserializer)?).map_err(D::Error::custom)?;
        let (least, most) = (Duration::from_millis(1), Duration::from_secs(366 * 86_400));
        if !(least..=most).contains(&duration) {
            return Err(D::Error::custom("a duration from 1ms to 366d is expected"));
        }
        Ok(duration)
    }

    pub(in crate::config) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show_duration(*duration))
    }
}

/// A size, also none: `0B`, `32MiB`.
pub(super) mod any_bytes {
    use super::*;
    use bytesize::ByteSize;

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ByteSize, D::Error> {
        ByteSize::deserialize(deserializer)
    }

    pub(in crate::config) fn serialize<S: Serializer>(size: &ByteSize, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = size.as_u64();
        let whole = [("GiB", 30), ("MiB", 20), ("KiB", 10)]
            .into_iter()
            .find(|(_, bits)| bytes > 0 && bytes.trailing_zeros() >= *bits);
        let (unit, bits) = whole.unwrap_or(("B", 0));
        serializer.collect_str(&format_args!("{}{unit}", bytes >> bits))
    }
}

/// A size of at least a mebibyte.
pub(super) mod bytes {
    use super::*;
    use bytesize::ByteSize;

    pub(in crate::config) use super::any_bytes::serialize;

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ByteSize, D::Error> {
        let bytes = ByteSize::deserialize(deserializer)?;
        if bytes < ByteSize::mib(1) {
            return Err(D::Error::custom(format!("{bytes} is too little: at least 1MiB is expected")));
        }
        Ok(bytes)
    }
}

/// The URL of an API.
pub(super) mod url {
    use super::*;

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        // The error that this replaces would quote the value, which may hold a key.
        let wrong = || D::Error::custom("a URL is expected: \"https://host/path\"");
        let url = String::deserialize(deserializer).map_err(|_| wrong())?;
        if is_url(&url) { Ok(url) } else { Err(wrong()) }
    }

    pub(in crate::config) fn serialize<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(url)
    }
}

fn is_url(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.contains(char::is_whitespace))
}

/// URLs of nodes that check each other.
pub(super) mod urls {
    use super::*;

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        // The error that this replaces would quote the value, which may hold a key.
        let list = || D::Error::custom("a list of URLs is expected: [\"https://host/path\"]");
        let urls = Vec::<String>::deserialize(deserializer).map_err(|_| list())?;
        if urls.is_empty() {
            return Err(D::Error::custom("at least one URL is expected"));
        }
        for (at, url) in urls.iter().enumerate() {
            // A URL may hold a key, so only its place is told.
            if urls[..at].contains(url) {
                return Err(D::Error::custom(format!("URL {} is there already: nodes check each other", at + 1)));
            }
            if !is_url(url) {
                return Err(D::Error::custom(format!("URL {} is not of the form https://host/path", at + 1)));
            }
        }
        Ok(urls)
    }

    pub(in crate::config) fn serialize<S: Serializer>(urls: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        urls.serialize(serializer)
    }
}

/// The least level that is logged.
pub(super) mod level {
    use super::*;

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<tracing::Level, D::Error> {
        let level = String::deserialize(deserializer)?;
        let expected =
            || D::Error::custom(format!("{level:?} is no level: error, warn, info, debug or trace is expected"));
        level.parse().map_err(|_| expected())
    }

    pub(in crate::config) fn serialize<S: Serializer>(
        level: &tracing::Level,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&level.as_str().to_lowercase())
    }
}
