//! URLs of nodes that check each other.

use serde::{Deserialize, Deserializer, de::Error};

use super::address;

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    // The error that this replaces would quote the value, which may hold a key.
    let list = || D::Error::custom("a list of URLs is expected: [\"https://host/path\"]");
    let given = Vec::<String>::deserialize(deserializer).map_err(|_| list())?;
    if given.is_empty() {
        return Err(D::Error::custom("at least one URL is expected: [\"https://host/path\"]"));
    }
    let mut urls = Vec::with_capacity(given.len());
    for (at, url) in given.iter().enumerate() {
        // A URL may hold a key, so only its place is told.
        let url = address::http(url).map_err(|why| D::Error::custom(format!("URL {}: {why}", at + 1)))?;
        if urls.contains(&url) {
            return Err(D::Error::custom(format!("URL {} is there already: nodes check each other", at + 1)));
        }
        urls.push(url);
    }
    Ok(urls)
}
