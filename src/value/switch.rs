//! `true` or `false`.

use serde::{Deserialize, Deserializer, de::Error};

use super::given::Given;

/// `true` or `false`.
pub(crate) fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Given::deserialize(deserializer)? {
        Given::Other("true") => Ok(true),
        Given::Other("false") => Ok(false),
        given => Err(D::Error::custom(format!("{given} is not possible here: true or false is expected"))),
    }
}
