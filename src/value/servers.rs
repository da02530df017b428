//! URLs of the stores' servers.

use serde::{Deserialize, Deserializer, de::Error};

use super::{address, given::Given};

/// The URL of a Redis.
pub(crate) fn redis_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Given::deserialize(deserializer)? {
        Given::Text(url) => address::redis(&url).map_err(D::Error::custom),
        _ => Err(D::Error::custom("a URL in quotes is expected: \"redis://host:6379/0\"")),
    }
}

/// The URL of a ClickHouse.
pub(crate) fn clickhouse_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Given::deserialize(deserializer)? {
        Given::Text(url) => address::clickhouse(&url).map_err(D::Error::custom),
        _ => Err(D::Error::custom("a URL in quotes is expected: \"http://host:8123\"")),
    }
}
