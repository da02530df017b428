//! The fields of an object, read as what they should be, or else as unknown.
//!
//! Nothing here fails: a field that is missing or null is unknown, and one that is of another type than expected is
//! unknown, too, and noted.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::time;

/// An object's fields. Each is parsed by itself, so that one which cannot be read harms no other.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    fields: HashMap<String, &'a RawValue>,
    misread: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Those of an object. The error is in words.
    pub(super) fn of(object: &'a str) -> Result<Self, String> {
        let fields = serde_json::from_str(object).map_err(|cause| format!("not an object: {cause}"))?;
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
        self.fields.get(name).map(|raw| raw.get()).filter(|raw| *raw != "null")
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
        self.read(name, |raw| serde_json::from_str(raw).ok()).unwrap_or_default()
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
    let items: Vec<&RawValue> = serde_json::from_str(list).ok()?;
    items.into_iter().map(|item| text(item.get())).collect()
}

/// The label of a tag: `{"label": …}`, or a plain text.
pub(super) fn label(raw: &str) -> Option<String> {
    let label = match serde_json::from_str(raw).ok()? {
        Value::Object(tag) => tag.get("label")?.as_str()?.to_owned(),
        Value::String(label) => label,
        _ => return None,
    };
    Some(label).filter(|label| !label.is_empty())
}
