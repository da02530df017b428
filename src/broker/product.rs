//! The name of the server that keeps the streams.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a server calls itself. One that speaks like Redis under another name than these is called Redis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// Redis, or nobody knows yet.
    #[default]
    Redis,
    /// Valkey, which says `redis_version:7.2.4` for the sake of old clients.
    Valkey,
}

impl Product {
    /// Its name among labels, which are lower-case.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Valkey => "valkey",
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "Redis",
            Self::Valkey => "Valkey",
        })
    }
}
