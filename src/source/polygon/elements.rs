//! Lists of JSON, element by element.
//!
//! A list is never collected before it is known to be one of ours: 8 MB of `0,` are four million elements, and each
//! would cost many times its two bytes. So elements are looked at, and counted, while the text is read.

use std::{cell::RefCell, fmt, marker::PhantomData};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::secrets::excerpt;

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

impl From<&serde_json::Error> for Unreadable {
    fn from(cause: &serde_json::Error) -> Self {
        let words = excerpt(&cause.to_string(), REASON);
        if cause.is_eof() { Self::BreaksOff(words) } else { Self::NoList(words) }
    }
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
        (None, Err(cause)) => Err(Unreadable::from(&cause)),
        (None, Ok(())) => Ok(()),
    }
}

/// What `read` makes of the elements of a list: each comes parsed, or with the reason why it cannot be, and as its text. `least`
/// is the size, in bytes, that one of them has at least on average: a list of many smaller ones is none of ours, and is given up
/// where that shows. All is gone over once, so that this serves the largest lists.
pub(super) fn parse<'a, E: Deserialize<'a>, T>(
    json: &'a [u8],
    least: usize,
    mut read: impl FnMut(serde_json::Result<E>, &'a str) -> T,
) -> Result<Vec<T>, Unreadable> {
    let (mut elements, mut size) = (Vec::new(), 0);
    let text = std::str::from_utf8(json).map_err(|_| Unreadable::NoList("it is not UTF-8".to_owned()))?;
    // Nothing of it is repeated: it may hold a key.
    let no_list = || Unreadable::NoList("it is not a list".to_owned());
    let breaks_off = || Unreadable::BreaksOff("it ends within a list".to_owned());
    let mut rest = behind_space(text);
    match rest.strip_prefix('[') {
        Some(list) => rest = behind_space(list),
        None => return Err(if rest.is_empty() { breaks_off() } else { no_list() }),
    }
    let mut is_open = !rest.starts_with(']');
    while is_open {
        let (element, length) = first(rest)?;
        let (element_text, behind) = rest.split_at_checked(length).ok_or_else(breaks_off)?;
        size += length;
        elements.push(read(element, element_text));
        let count = elements.len();
        if count > ANY_SIZE && size < count.saturating_mul(least) {
            return Err(Unreadable::Refused(format!("{count} elements of {size} bytes, too small to be any")));
        }
        let behind = behind_space(behind);
        is_open = behind.starts_with(',');
        match behind.strip_prefix(',') {
            Some(next) => rest = behind_space(next),
            None if behind.is_empty() => return Err(breaks_off()),
            None => rest = behind,
        }
    }
    match rest.strip_prefix(']').map(behind_space) {
        Some("") => Ok(elements),
        _ => Err(no_list()),
    }
}

/// The first value of a text, or why it cannot be, and how many bytes it takes.
fn first<'a, E: Deserialize<'a>>(text: &'a str) -> Result<(serde_json::Result<E>, usize), Unreadable> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<E>();
    let cause = match values.next() {
        Some(Ok(value)) => return Ok((Ok(value), values.byte_offset())),
        Some(Err(cause)) => cause,
        None => return Err(Unreadable::BreaksOff("it ends within a list".to_owned())),
    };
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    match values.next() {
        Some(Err(cause)) => Err(Unreadable::from(&cause)),
        _ => Ok((Err(cause), values.byte_offset())),
    }
}

fn behind_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\n', '\r', '\t'])
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
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// By [`parse`].
    fn read(text: &str, least: usize) -> Result<usize, Unreadable> {
        parse::<IgnoredAny, ()>(text.as_bytes(), least, |_, _| ()).map(|elements| elements.len())
    }

    /// By [`each`].
    fn taken(text: &str) -> Result<Vec<&str>, Unreadable> {
        let mut elements = Vec::new();
        each(text, |element: &RawValue| {
            elements.push(element.get());
            Ok(())
        })?;
        Ok(elements)
    }

    #[test]
    fn elements_are_taken_one_by_one() {
        assert_eq!(taken(r#" [ {"a":[1]} , {} ] "#).unwrap(), [r#"{"a":[1]}"#, "{}"]);
        let refused = each("[1,2]", |_: IgnoredAny| Err("no".to_owned()));
        assert_eq!(refused, Err(Unreadable::Refused("no".to_owned())));
        assert_eq!(read("[]", 500), Ok(0));
        assert_eq!(count("[1,[2,3],{}]"), Ok(3));
    }

    #[test]
    fn elements_are_parsed_one_by_one() {
        let list = br#" [ {"a":[1]} , 7,"]", {"a":7}	] "#;
        let found = parse::<BTreeMap<String, Vec<u64>>, _>(list, 1, |element, text| (element.is_ok(), text)).unwrap();
        assert_eq!(found, [(true, r#"{"a":[1]}"#), (false, "7"), (false, r#""]""#), (false, r#"{"a":7}"#)]);
        assert!(matches!(parse::<IgnoredAny, ()>(b"[\xff]", 1, |_, _| ()), Err(Unreadable::NoList(_))));
    }

    #[test]
    fn no_list_is_not_one_that_breaks_off() {
        for text in ["{}", "null", "7", "[{}]x", "[{}}", "[{} {}]", "[,]", "[{},]", "[]]"] {
            assert!(matches!(read(text, 1), Err(Unreadable::NoList(_))), "{text}");
            assert!(matches!(taken(text), Err(Unreadable::NoList(_))), "{text}");
        }
        for text in ["", "[{},", "[", "[{}", "[[[[", "[{", " [ "] {
            assert!(matches!(read(text, 1), Err(Unreadable::BreaksOff(_))), "{text}");
            assert!(matches!(taken(text), Err(Unreadable::BreaksOff(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_find_the_same(text in r#"[\[\]{},:"a7\\ ]{0,24}"#) {
            let parsed = parse::<IgnoredAny, _>(text.as_bytes(), 1, |_, text| text);
            let taken = taken(&text);
            prop_assert_eq!(parsed.is_ok(), taken.is_ok(), "{:?} {:?}", parsed, taken);
            if let (Ok(parsed), Ok(taken)) = (parsed, taken) {
                prop_assert_eq!(parsed, taken);
            }
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
