//! The URL of an API. Nothing of it is repeated: it may hold a key.

use serde::{Deserialize, Deserializer, de::Error};

use super::{address, given::Given};

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Given::deserialize(deserializer)? {
        Given::Text(url) => address::http(&url).map_err(D::Error::custom),
        _ => Err(D::Error::custom("a URL in quotes is expected: \"https://host/path\"")),
    }
}
