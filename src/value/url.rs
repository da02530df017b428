//! URLs. Nothing of one is repeated: it may hold a key.

use serde::{Deserialize, Deserializer, de::Error};

use super::{address, given::Given};

/// A URL as `read` understands it, or how one is written.
fn url<'de, D: Deserializer<'de>>(
    deserializer: D,
    read: fn(&str) -> Result<String, String>,
    example: &str,
) -> Result<String, D::Error> {
    match Given::deserialize(deserializer)? {
        Given::Text(url) => read(&url).map_err(D::Error::custom),
        _ => Err(D::Error::custom(format_args!("a URL in quotes is expected: {example:?}"))),
    }
}

/// The URL of an API.
pub(crate) fn api_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    url(deserializer, address::http, "https://host/path")
}

/// The URL of a Redis.
pub(crate) fn redis_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    url(deserializer, address::redis, "redis://host:6379/0")
}

/// The URL of a ClickHouse.
pub(crate) fn clickhouse_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    url(deserializer, address::clickhouse, "http://host:8123")
}
