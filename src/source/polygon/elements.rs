//! Lists of JSON, element by element.
//!
//! A list is never collected before it is known to be one of ours: 8 MB of `0,` are four million elements, and each
//! would cost many times its two bytes. So elements are looked at, and counted, while the text is read.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::source::http::excerpt;

/// The parser quotes what it did not expect, which may be long.
const REASON: usize = 120;

/// So many elements may be of any size.
const ANY_SIZE: usize = 100;

/// Why a list was not read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is none.
    NoList(String),
    /// It breaks off.
    BreaksOff(String),
    /// An element was refused.
    Refused(String),
}

impl Unreadable {
    pub(super) fn into_words(self) -> String {
        match self {
            Self::NoList(cause) | Self::BreaksOff(cause) | Self::Refused(cause) => cause,
        }
    }
}

/// Gives each element of the list `json` to `take`, which may refuse it, and with it the rest.
pub(super) fn each<'a, T: Deserialize<'a>>(
    json: &'a str,
    take: impl FnMut(T) -> Result<(), String>,
) -> Result<(), Unreadable> {
    let refusal = RefCell::new(None);
    let mut text = serde_json::Deserializer::from_str(json);
    let elements = Elements { take, refusal: &refusal, of: PhantomData };
    let read = elements.deserialize(&mut text).and_then(|()| text.end());
    match (refusal.into_inner(), read) {
        (Some(cause), _) => Err(Unreadable::Refused(cause)),
        (None, Err(cause)) => {
            let words = excerpt(&cause.to_string(), REASON);
            Err(if cause.is_eof() { Unreadable::BreaksOff(words) } else { Unreadable::NoList(words) })
        }
        (None, Ok(())) => Ok(()),
    }
}

/// What `read` makes of the elements of a list, each as its text. `least` is the size, in bytes, that one of them has at
/// least on average: a list of many smaller ones is none of ours, and is given up where that shows, before they are read.
pub(super) fn map<'a, T>(
    json: &'a [u8],
    least: usize,
    mut read: impl FnMut(&'a str) -> Result<T, String>,
) -> Result<Vec<T>, Unreadable> {
    let (mut elements, mut size) = (Vec::new(), 0);
    let text = std::str::from_utf8(json).map_err(|_| Unreadable::NoList("it is not UTF-8".to_owned()))?;
    each(text, |element: &'a RawValue| {
        let (element, count) = (element.get(), elements.len() + 1);
        size += element.len();
        if count > ANY_SIZE && size < count.saturating_mul(least) {
            return Err(format!("{count} elements of {size} bytes, too small to be any"));
        }
        elements.push(read(element)?);
        Ok(())
    })?;
    Ok(elements)
}

/// How many elements a list has.
pub(super) fn count(json: &str) -> Result<u64, Unreadable> {
    let mut count = 0;
    each(json, |_: IgnoredAny| {
        count += 1;
        Ok(())
    })?;
    Ok(count)
}

struct Elements<'r, T, F> {
    take: F,
    refusal: &'r RefCell<Option<String>>,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, F: FnMut(T) -> Result<(), String>> DeserializeSeed<'de> for Elements<'_, T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T) -> Result<(), String>> Visitor<'de> for Elements<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element()? {
            if let Err(cause) = (self.take)(element) {
                *self.refusal.borrow_mut() = Some(cause);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, least: usize) -> Result<usize, Unreadable> {
        map(text.as_bytes(), least, |_| Ok(())).map(|elements| elements.len())
    }

    #[test]
    fn elements_are_read_one_by_one() {
        let list = br#" [ {"a":[1]} , {} ] "#;
        assert_eq!(map(list, 1, Ok).unwrap(), [r#"{"a":[1]}"#, "{}"]);
        assert_eq!(map(list, 1, |_| Err::<(), _>("no".to_owned())), Err(Unreadable::Refused("no".to_owned())));
        assert!(matches!(map(b"[\xff]", 1, Ok), Err(Unreadable::NoList(_))));
        assert_eq!(read("[]", 500), Ok(0));
        assert_eq!(count("[1,[2,3],{}]"), Ok(3));
    }

    #[test]
    fn no_list_is_not_one_that_breaks_off() {
        for text in ["{}", "null", "7", "[{}]x"] {
            assert!(matches!(read(text, 1), Err(Unreadable::NoList(_))), "{text}");
        }
        for text in ["", "[{},", "[", "[{}", "[[[["] {
            assert!(matches!(read(text, 1), Err(Unreadable::BreaksOff(_))), "{text}");
        }
    }

    #[test]
    fn many_small_elements_are_given_up_early() {
        let many = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        assert_eq!(read(&many(100), 500), Ok(100), "a few may be of any size");
        let cause = read(&many(100_000), 500).unwrap_err();
        assert_eq!(cause.into_words(), "101 elements of 202 bytes, too small to be any");
    }
}
