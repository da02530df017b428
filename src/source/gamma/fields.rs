//! The fields of an object, read as what they should be, or else as unknown.
//!
//! Nothing here fails: a field that is missing or null is unknown, and one that is of another type than expected is
//! unknown, too, and noted.

use serde_json::value::RawValue;

use super::time;
use crate::secrets::excerpt;
use crate::source::http::{self, Elements};

/// A list of texts that is longer is none: a market has 16 outcomes at most.
const MOST_TEXTS: usize = 256;

/// The same of events and tags.
const MOST_ELEMENTS: usize = 1_000;

/// An object's fields. Each is parsed by itself, so that one which cannot be read harms no other.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    fields: Vec<(&'static str, &'a RawValue)>,
    misread: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Those of an object that have these names; the others are not kept. The error is in words.
    pub(super) fn of(object: &'a str, names: &'static [&'static str]) -> Result<Self, String> {
        // The words of a failure may hold all of the text.
        let fields = http::fields(object, names)
            .map_err(|cause| format!("not an object: {}", excerpt(&cause.to_string(), 120)))?;
        Ok(Self { fields, misread: Vec::new() })
    }

    /// The names of fields that are of an unexpected type.
    pub(super) fn misread(self) -> Vec<&'static str> {
        self.misread
    }

    /// Notes that a field is not as expected.
    pub(super) fn note(&mut self, name: &'static str) {
        self.misread.push(name);
    }

    /// A field as its JSON, where it is there and not null.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        let (_, raw) = self.fields.iter().find(|(known, _)| *known == name)?;
        Some(raw.get()).filter(|raw| *raw != "null")
    }

    fn read<T>(&mut self, name: &'static str, read: impl FnOnce(&'a str) -> Option<T>) -> Option<T> {
        let value = read(self.raw(name)?);
        if value.is_none() {
            self.note(name);
        }
        value
    }

    /// A text, or a number as its digits; `''` where it is unknown.
    pub(super) fn text(&mut self, name: &'static str) -> String {
        self.read(name, text).unwrap_or_default()
    }

    /// A flag; false where it is unknown.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        let read = |raw: &str| match raw {
            "true" | r#""true""# => Some(true),
            "false" | r#""false""# => Some(false),
            _ => None,
        };
        self.read(name, read).unwrap_or_default()
    }

    /// A time in unix seconds.
    pub(super) fn time(&mut self, name: &'static str) -> Option<i64> {
        let text = self.read(name, text)?;
        let time = time::read(&text);
        if time.is_none() && !text.is_empty() {
            self.note(name);
        }
        time
    }

    /// A list of texts, which may itself be a text that holds a list; empty where it is unknown.
    pub(super) fn texts(&mut self, name: &'static str) -> Vec<String> {
        self.read(name, texts).unwrap_or_default()
    }

    /// A list of anything.
    pub(super) fn list(&mut self, name: &'static str) -> Vec<&'a RawValue> {
        let list = |raw| serde_json::from_str::<Elements<'_, MOST_ELEMENTS>>(raw).ok();
        self.read(name, list).map(|list| list.0).unwrap_or_default()
    }
}

/// A text, or a number as its digits.
pub(super) fn text(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'-' | b'0'..=b'9' => Some(raw.to_owned()),
        _ => None,
    }
}

fn texts(raw: &str) -> Option<Vec<String>> {
    let within;
    let list = if raw.starts_with('"') {
        within = serde_json::from_str::<String>(raw).ok()?;
        within.trim()
    } else {
        raw
    };
    if list.is_empty() {
        return Some(Vec::new());
    }
    let items: Elements<'_, MOST_TEXTS> = serde_json::from_str(list).ok()?;
    items.0.into_iter().map(|item| text(item.get())).collect()
}

/// The label of a tag: `{"label": …}`, or a plain text.
pub(super) fn label(raw: &str) -> Option<String> {
    let label = if raw.starts_with('{') {
        let fields = http::fields(raw, &["label"]).ok()?;
        serde_json::from_str::<String>(fields.first()?.1.get()).ok()
    } else {
        serde_json::from_str(raw).ok()
    };
    label.filter(|label| !label.is_empty())
}
