//! Writes JSON objects field by field, in the order and with the oddities that are asked for.
//!
//! Not through a JSON library, which would refuse to write half a surrogate pair or a list in a string.

use std::fmt::{Display, Write as _};

use super::profile::ListForm;

/// An object that is being written.
pub(in crate::demo) struct Object {
    out: String,
    /// Whether all that is not ASCII is escaped.
    ascii: bool,
}

impl Object {
    pub(in crate::demo) fn new(ascii: bool) -> Self {
        Self { out: "{".into(), ascii }
    }

    /// A field whose value is JSON already.
    pub(in crate::demo) fn raw(&mut self, name: &str, json: impl Display) -> &mut Self {
        let comma = if self.out.len() > 1 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{comma}\"{name}\":{json}");
        self
    }

    pub(in crate::demo) fn text(&mut self, name: &str, text: &str) -> &mut Self {
        let json = quoted(text, self.ascii);
        self.raw(name, json)
    }

    /// The text, or null.
    pub(in crate::demo) fn maybe(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(name, text),
            None => self.raw(name, "null"),
        }
    }

    /// A list in its form, of texts that are JSON already.
    pub(in crate::demo) fn list(&mut self, name: &str, form: ListForm, items: &[String]) -> &mut Self {
        let array = format!("[{}]", items.join(", "));
        match form {
            ListForm::Text => self.text(name, &array),
            ListForm::Array => self.raw(name, array),
            ListForm::Null => self.raw(name, "null"),
            ListForm::EmptyText => self.text(name, ""),
            ListForm::EmptyList => self.text(name, "[]"),
            ListForm::Missing => self,
        }
    }

    pub(in crate::demo) fn end(self) -> String {
        self.out + "}"
    }
}

/// Texts as JSON strings.
pub(in crate::demo) fn all_quoted(texts: &[String], ascii: bool) -> Vec<String> {
    texts.iter().map(|text| quoted(text, ascii)).collect()
}

/// A text as a JSON string.
pub(in crate::demo) fn quoted(text: &str, ascii: bool) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter.is_ascii() || !ascii {
            true => out.push(letter),
            false => letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                let _ = write!(out, "\\u{unit:04x}");
            }),
        }
    }
    out
}
