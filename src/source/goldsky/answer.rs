//! What the subgraph answers: data, or errors, or both, which is no data.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use super::place::Place;
use super::row;
use crate::source::http::Elements;

/// The most rows that any page has, and one more, which is one too many.
const MOST_ROWS: usize = 1_001;

/// More errors than this say nothing new.
const MOST_ERRORS: usize = 100;

/// Why there is no data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It took too long: fewer rows may be had.
    Slow(String),
    /// The answer ended too early.
    Cut(String),
    /// Asked too often.
    Limited(String, Option<Duration>),
    /// An error in its own words.
    Refused(String),
    /// Nothing that can be read, or that can be true.
    Garbled(String),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

/// The data of an answer. Where errors stand beside it there is none.
pub(super) fn data(body: &[u8]) -> Result<&RawValue, Trouble> {
    let envelope: Envelope<'_> = match serde_json::from_slice(body) {
        Ok(envelope) => envelope,
        Err(error) => return Err(unreadable(body, &error)),
    };
    if let Some(errors) = envelope.errors
        && serde_json::from_str::<Elements<'_, 0>>(errors.get()).is_err()
    {
        return Err(told(&messages(errors)));
    }
    envelope.data.ok_or_else(|| Trouble::Garbled("an answer without data".to_owned()))
}

/// A body that is no answer: HTML, words, or the begin of one.
fn unreadable(body: &[u8], error: &serde_json::Error) -> Trouble {
    let begin = &body[..body.len().min(2_000)];
    let text = String::from_utf8_lossy(begin);
    match told(&text) {
        Trouble::Refused(_) if error.is_eof() => Trouble::Cut(format!("an answer that breaks off: {error}")),
        Trouble::Refused(_) => Trouble::Garbled(format!("no JSON: {text}")),
        known => known,
    }
}

/// The words of all errors.
fn messages(errors: &RawValue) -> String {
    let all: Result<Elements<'_, MOST_ERRORS>, _> = serde_json::from_str(errors.get());
    let message = |raw: &&RawValue| serde_json::from_str::<Message>(raw.get()).map(|error| error.message);
    let words: Result<Vec<String>, _> = all.and_then(|all| all.0.iter().map(message).collect());
    words.map_or_else(|_| errors.get().to_owned(), |words| words.join("; "))
}

/// What its words mean.
pub(super) fn told(words: &str) -> Trouble {
    let lower = words.to_lowercase();
    let says = |known: &[&str]| known.iter().any(|known| lower.contains(known));
    let words = words.to_owned();
    if says(&["query allowance", "rate limit", "too many requests"]) {
        Trouble::Limited(words, pause(&lower))
    } else if says(&["timed out", "timeout", "took too long"]) {
        Trouble::Slow(words)
    } else if says(&["indexing_error"]) {
        Trouble::Refused(format!("the subgraph has indexing errors, and tells no fills for that: {words}"))
    } else {
        Trouble::Refused(words)
    }
}

/// `limits reset every 10 seconds`.
fn pause(lower: &str) -> Option<Duration> {
    let mut words = lower.split("every ").nth(1)?.split_whitespace();
    let seconds: u64 = words.next()?.parse().ok()?;
    words.next()?.starts_with("second").then(|| Duration::from_secs(seconds.min(60)))
}

/// What `_meta` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) block: u64,
    pub(super) time: Option<u64>,
    pub(super) has_indexing_errors: bool,
}

/// How far it is, and the second and id of its newest row.
pub(super) fn frontier(data: &RawValue) -> Result<(Option<Meta>, Option<Place>), String> {
    #[derive(Deserialize)]
    struct Data<'a> {
        _meta: Option<InMeta>,
        #[serde(borrow)]
        newest: Elements<'a, 1>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct InMeta {
        block: InBlock,
        has_indexing_errors: bool,
    }
    #[derive(Deserialize)]
    struct InBlock {
        #[serde(deserialize_with = "whole")]
        number: u64,
        #[serde(default, deserialize_with = "maybe_whole")]
        timestamp: Option<u64>,
    }
    let data: Data<'_> = serde_json::from_str(data.get()).map_err(|error| format!("no frontier: {error}"))?;
    let meta = data._meta.map(|meta| Meta {
        block: meta.block.number,
        time: meta.block.timestamp,
        has_indexing_errors: meta.has_indexing_errors,
    });
    let newest = data.newest.0.first().map(|raw| row::place(raw)).transpose()?;
    Ok((meta, newest))
}

/// The rows of a page, each as its JSON.
pub(super) fn rows(data: &RawValue) -> Result<Vec<&RawValue>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data<'a> {
        #[serde(borrow)]
        order_filled_events: Elements<'a, MOST_ROWS>,
    }
    let data: Data<'_> = serde_json::from_str(data.get()).map_err(|error| format!("no page of fills: {error}"))?;
    Ok(data.order_filled_events.0)
}

/// A whole number, or one in quotes.
fn whole<'de, D: Deserializer<'de>>(json: D) -> Result<u64, D::Error> {
    maybe_whole(json)?.ok_or_else(|| de::Error::custom("null is no number"))
}

fn maybe_whole<'de, D: Deserializer<'de>>(json: D) -> Result<Option<u64>, D::Error> {
    let raw = Option::<&RawValue>::deserialize(json)?;
    let read = |raw: &RawValue| row::digits(raw.get()).and_then(|digits| digits.parse().ok());
    raw.map(|raw| read(raw).ok_or_else(|| de::Error::custom("no whole number"))).transpose()
}
