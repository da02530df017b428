//! Where streams and tables are, if not in the embedded store: `[redis]` and `[clickhouse]`, together or neither.

use serde::{Deserialize, Serialize};

use crate::{source::host_of, value};

/// `[redis]`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedisSection {
    /// Where it is; may hold a user and a password.
    #[serde(deserialize_with = "value::redis_url")]
    pub url: String,
    /// What the names of all keys begin with.
    #[serde(deserialize_with = "value::text")]
    pub key_prefix: String,
    /// A file of certificates for `rediss://`; empty for those of the system.
    #[serde(deserialize_with = "value::text")]
    pub ca: String,
}

/// `[clickhouse]`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClickhouseSection {
    /// Its HTTP interface.
    #[serde(deserialize_with = "value::clickhouse_url")]
    pub url: String,
    /// The database that holds the tables; created where it is missing.
    #[serde(deserialize_with = "value::text")]
    pub database: String,
    /// The user.
    #[serde(deserialize_with = "value::text")]
    pub user: String,
    /// The password.
    #[serde(deserialize_with = "value::password")]
    pub password: String,
    /// A file of certificates for `https://`, beside those of the system; empty for none.
    #[serde(deserialize_with = "value::text")]
    pub ca: String,
}

impl Default for RedisSection {
    fn default() -> Self {
        Self { url: "redis://127.0.0.1:6379/0".into(), key_prefix: String::new(), ca: String::new() }
    }
}

impl Default for ClickhouseSection {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            url: text("http://127.0.0.1:8123"),
            database: text("polymarket"),
            user: text("default"),
            password: String::new(),
            ca: String::new(),
        }
    }
}

/// Without what may be a password.
impl std::fmt::Debug for RedisSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisSection").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
}

/// Without what may be a password.
impl std::fmt::Debug for ClickhouseSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClickhouseSection").field("database", &self.database).finish_non_exhaustive()
    }
}

impl ClickhouseSection {
    /// Where it is, as it is shown: scheme, host and port. The rest of the URL may be a key.
    pub(crate) fn place(&self) -> String {
        let scheme = self.url.split_once("://").map_or("http", |(scheme, _)| scheme);
        format!("{scheme}://{}", host_of(&self.url))
    }
}
