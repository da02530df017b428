//! How the parts of a record stand in its line of JSON.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Unix milliseconds as RFC 3339 in UTC, with three digits behind the second: every line is as wide as the others.
pub(super) fn rfc3339(at: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(at).unwrap_or_default())
}

/// Unix milliseconds.
pub(super) mod timestamp {
    use super::*;

    pub(in crate::logs) fn serialize<S: Serializer>(at: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(*at))
    }

    pub(in crate::logs) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<Timestamp>().map(Timestamp::as_millisecond).map_err(D::Error::custom)
    }
}

/// `INFO`
pub(super) mod level {
    use super::*;
    use tracing::Level;

    pub(in crate::logs) fn serialize<S: Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(level.as_str())
    }

    pub(in crate::logs) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A name, or `""`.
pub(super) mod stage {
    use super::*;

    pub(in crate::logs) fn serialize<S: Serializer>(stage: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
        stage.as_deref().unwrap_or_default().serialize(serializer)
    }

    pub(in crate::logs) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
        Ok(Some(String::deserialize(deserializer)?).filter(|stage| !stage.is_empty()))
    }
}

/// An object, in the order of the fields.
pub(super) mod fields {
    use super::*;

    type Fields = Vec<(String, String)>;

    pub(in crate::logs) fn serialize<S: Serializer>(fields: &Fields, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(fields.iter().map(|(key, value)| (key, value)))
    }

    pub(in crate::logs) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
