//! JSON from outside, read without building more than is wanted of it.
//!
//! A byte of a body must never cost ten bytes of memory: two bytes of a list are an element, and four of an object are a
//! field. So elements are counted while they are read, an object's fields are kept where they are known by name, and what
//! is kept is a slice of the body. Nesting costs nothing: what is skipped is skipped without recursion.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

/// A list of at most `MOST` elements, each as its JSON. One more is an error, and nothing behind it is read.
#[derive(Debug)]
pub(in crate::source) struct Elements<'a, const MOST: usize>(pub(in crate::source) Vec<&'a RawValue>);

impl<'de: 'a, 'a, const MOST: usize> Deserialize<'de> for Elements<'a, MOST> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_seq(AtMost(MOST)).map(Self)
    }
}

struct AtMost(usize);

impl<'de> Visitor<'de> for AtMost {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {} elements", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            if elements.len() == self.0 {
                return Err(A::Error::custom(format_args!("more than {} elements", self.0)));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

/// Those fields of the object in a text whose names are among `names`, each as its JSON. Of a name that comes twice the last
/// one counts.
pub(in crate::source) fn fields<'a>(
    json: &'a str,
    names: &'static [&'static str],
) -> serde_json::Result<Vec<(&'static str, &'a RawValue)>> {
    let mut text = serde_json::Deserializer::from_str(json);
    let fields = (&mut text).deserialize_map(Known(names))?;
    text.end()?;
    Ok(fields)
}

struct Known(&'static [&'static str]);

impl<'de> Visitor<'de> for Known {
    type Value = Vec<(&'static str, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut fields: Self::Value = Vec::new();
        while let Some(name) = object.next_key_seed(Name(self.0))? {
            let Some(name) = name else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = object.next_value()?;
            match fields.iter_mut().find(|(known, _)| *known == name) {
                Some(field) => field.1 = value,
                None => fields.push((name, value)),
            }
        }
        Ok(fields)
    }
}

/// A name, where it is known.
struct Name(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().copied().find(|known| *known == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&RawValue]) -> Vec<String> {
        list.iter().map(|raw| raw.get().to_owned()).collect()
    }

    #[test]
    fn elements_are_counted_while_they_are_read() {
        let read = |json| serde_json::from_str::<Elements<'_, 3>>(json).map(|list| texts(&list.0));
        assert_eq!(read("[1, {\"a\":[]} ,null]").unwrap(), ["1", "{\"a\":[]}", "null"]);
        assert_eq!(read("[]").unwrap(), [""; 0]);
        // What is behind the fourth is not even looked at.
        assert!(read("[1,2,3,4,<html>").unwrap_err().to_string().starts_with("more than 3 elements"));
        for wrong in ["null", "{}", "5", "[1", "[1]]"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn of_an_object_only_known_fields_are_kept() {
        let json = r#"{"x":{"id":5},"id":1,"\u0069d":2,"name":null}"#;
        let kept = fields(json, &["id", "name", "more"]).unwrap();
        let kept: Vec<_> = kept.into_iter().map(|(name, raw)| (name, raw.get())).collect();
        assert_eq!(kept, [("id", "2"), ("name", "null")]);
        for wrong in ["null", "[]", "5", "\"id\"", "{\"id\":1", "{\"id\":1}}", "{\"id\"}"] {
            assert!(fields(wrong, &["id"]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = format!("[{}{}]", "[".repeat(1 << 20), "]".repeat(1 << 20));
        assert_eq!(serde_json::from_str::<Elements<'_, 3>>(&deep).unwrap().0.len(), 1);
        let deep = format!("{{\"id\":{}{},\"y\":1}}", "[".repeat(1 << 20), "]".repeat(1 << 20));
        assert_eq!(fields(&deep, &["y"]).unwrap().len(), 1);
    }
}
