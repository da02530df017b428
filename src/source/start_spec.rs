//! Where a first run begins, as somebody wrote it.

use std::{fmt, str::FromStr, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::start::Start;
use crate::value::{Given, parse_duration, show_duration};

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
        match Given::deserialize(deserializer)? {
            Given::Text(text) => text.parse().map_err(D::Error::custom),
            Given::Whole(block) => Err(D::Error::custom(format!(
                "{block} is no start: the number of a block stands in quotes, \"{block}\""
            ))),
            other => Err(D::Error::custom(format!("{other} is no start: write \"15m\", a time or a block in quotes"))),
        }
    }
}

/// The start of a source that knows no blocks and may leave it to the pipeline: `""`.
pub(super) mod of_times {
    use super::*;

    pub(in crate::source) fn serialize<S: Serializer>(start: &Option<StartSpec>, to: S) -> Result<S::Ok, S::Error> {
        match start {
            Some(start) => start.serialize(to),
            None => to.serialize_str(""),
        }
    }

    pub(in crate::source) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<StartSpec>, D::Error> {
        match Given::deserialize(from)? {
            Given::Text(text) if text.is_empty() => Ok(None),
            Given::Text(text) => match text.parse::<StartSpec>().map_err(D::Error::custom)? {
                StartSpec::Block(block) => Err(D::Error::custom(format!("\"{block}\" is a block: {OF_TIMES}"))),
                start => Ok(Some(start)),
            },
            other => Err(D::Error::custom(format!("{other} is no start: {OF_TIMES}"))),
        }
    }

    const OF_TIMES: &str = "it knows times only, write \"15m\", a time (RFC 3339), \"genesis\" or \"latest\"";
}
