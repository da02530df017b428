//! A size of at least a mebibyte.

use bytesize::ByteSize;
use serde::{Deserializer, de::Error};

use super::any_bytes;

pub(crate) use super::any_bytes::serialize;

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ByteSize, D::Error> {
    let bytes = any_bytes::deserialize(deserializer)?;
    if bytes < ByteSize::mib(1) {
        return Err(D::Error::custom(format!("{bytes} is too little: at least 1MiB is expected")));
    }
    Ok(bytes)
}
