//! A duration, from a millisecond to a year: `250ms`, `1h 30m`, `2d`.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

use super::given::Given;

/// How a duration is written.
const DURATION: &str = "write it as \"250ms\", \"10s\" or \"1h 30m\"";

/// A duration as people write it: `250ms`, `10 sec`, `1h 30m`, `2d`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let with_days = || {
        let span = text.parse::<Span>().ok()?;
        span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
    };
    let parsed = text.parse::<SignedDuration>().ok().or_else(with_days);
    let parsed = parsed.and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| match text.parse::<f64>() {
        Ok(_) => format!("{text:?} is no duration, it lacks a unit: {DURATION}"),
        Err(_) => format!("{} is no duration: {DURATION}", Given::Text(text.to_owned())),
    })
}

/// A duration in the way in which it is read.
pub(crate) fn show_duration(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(|_| "forever".to_owned(), |duration| format!("{duration:#}"))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let duration = match Given::deserialize(deserializer)? {
        Given::Text(text) => parse_duration(&text).map_err(D::Error::custom)?,
        Given::Whole(number) => {
            return Err(D::Error::custom(format!("{number} is no duration, it lacks a unit: {DURATION}")));
        }
        other => return Err(D::Error::custom(format!("{other} is no duration: {DURATION}"))),
    };
    let (least, most) = (Duration::from_millis(1), Duration::from_secs(366 * 86_400));
    if !(least..=most).contains(&duration) {
        let shown = show_duration(duration);
        return Err(D::Error::custom(format!("{shown} is out of bounds: a duration from 1ms to 366d is expected")));
    }
    Ok(duration)
}

pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show_duration(*duration))
}
