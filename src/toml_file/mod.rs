//! A TOML file that a person wrote: where things stand in it, and what is wrong with it in words of our own.
//!
//! Never: repeat a value that is not understood, which may be a key. Names are repeated where they look like names.

mod syntax;

use std::{fmt, ops::Range};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The key or `[section]` that it belongs to; empty where that is not known.
    pub(crate) name: String,
    /// What is wrong, and what would be right.
    pub(crate) message: String,
}

impl Fault {
    /// One at a place in a text.
    pub(crate) fn at(text: &str, span: &Range<usize>, name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { line: line_at(text, span.start), name: name.into(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, name, message } = self;
        let comma = if name.is_empty() { "" } else { ", " };
        write!(f, "line {line}{comma}{name}: {message}")
    }
}

/// A text as tables whose parts know where they stand.
pub(crate) fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, Fault> {
    DeTable::parse(text).map_err(|error| syntax::fault(text, error.span().unwrap_or(0..0), error.message()))
}

/// The line, from 1, of a place in a text.
pub(crate) fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

/// The path of what stands at a place, down to the key: `["writer", "linger"]`. Empty where nothing does.
pub(crate) fn path_at(table: &DeTable<'_>, at: usize) -> Vec<String> {
    for (key, value) in table {
        let inner = match value.get_ref() {
            DeValue::Table(inner) => path_at(inner, at),
            _ => Vec::new(),
        };
        let covers = |span: Range<usize>| span.contains(&at);
        let is_value = !matches!(value.get_ref(), DeValue::Table(_)) && covers(value.span());
        if !inner.is_empty() || is_value || covers(key.span()) {
            return std::iter::once(key.get_ref().to_string()).chain(inner).collect();
        }
    }
    Vec::new()
}

/// A name that may be shown: what is long or holds other characters may be a value that stands in the wrong place.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
    !text.is_empty() && text.len() <= 60 && text.chars().all(is_plain)
}
