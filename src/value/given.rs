//! A value as somebody wrote it, before anybody knows whether it is right: so that what is wrong is told in words of our own.

use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::nearest::{listed, nearest};

/// The longest text that is repeated.
const LONGEST: usize = 40;

/// A value, whatever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// A text in quotes.
    Text(String),
    /// A number without a fraction.
    Whole(i64),
    /// All else, as it is called.
    Other(&'static str),
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // What is long or a URL stands in the wrong place, and may hold a key.
            Self::Text(text) if text.chars().count() > LONGEST || text.contains("://") => f.write_str("this text"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Whole(number) => number.fmt(f),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl Given {
    /// The text that it is, or an error that says what is expected.
    pub(crate) fn text<E: Error>(self, expected: &str) -> Result<String, E> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(E::custom(format!("{other} is no text: {expected}"))),
        }
    }

    /// The number that it is, or an error that says what is expected.
    pub(crate) fn whole<E: Error>(&self, expected: &str) -> Result<i64, E> {
        match self {
            Self::Whole(number) => Ok(*number),
            other => Err(E::custom(format!("{other} is no whole number: {expected}"))),
        }
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Given, E> {
        Ok(Given::Text(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Given, E> {
        Ok(Given::Whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Given, E> {
        Ok(i64::try_from(number).map_or(Given::Other("so large a number"), Given::Whole))
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Given, E> {
        Ok(Given::Other("so large a number"))
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Given, E> {
        Ok(Given::Other("so large a number"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Given, E> {
        Ok(Given::Other("a number with a fraction"))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Given, E> {
        Ok(Given::Other(if value { "true" } else { "false" }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Given::Other("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
        // A date is such a map, too.
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Given::Other("a date or a table"))
    }
}

/// One of some words.
pub(crate) fn choice<'de, D: Deserializer<'de>, T: Copy>(
    deserializer: D,
    known: &[(&'static str, T)],
) -> Result<T, D::Error> {
    let given = Given::deserialize(deserializer)?;
    let Given::Text(text) = &given else { return Err(none_of(&given, known)) };
    let found = known.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, value)| *value).ok_or_else(|| none_of(&given, known))
}

fn none_of<T, E: Error>(given: &Given, known: &[(&'static str, T)]) -> E {
    let words: Vec<String> = known.iter().map(|(word, _)| format!("{word:?}")).collect();
    let meant = match given {
        Given::Text(text) => nearest(text, known.iter().map(|(word, _)| *word)),
        _ => None,
    };
    let meant = meant.map_or_else(String::new, |word| format!(", is {word:?} meant?"));
    match words.as_slice() {
        [one] => E::custom(format!("{given} is not possible here: {one} is expected")),
        words => E::custom(format!("{given} is not possible here: one of {} is expected{meant}", listed(words))),
    }
}
