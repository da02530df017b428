//! The least level that is logged.

use serde::{Deserializer, Serializer};

use super::given::choice;

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<tracing::Level, D::Error> {
    use tracing::Level;
    let levels = [
        ("error", Level::ERROR),
        ("warn", Level::WARN),
        ("info", Level::INFO),
        ("debug", Level::DEBUG),
        ("trace", Level::TRACE),
    ];
    choice(deserializer, &levels)
}

pub(crate) fn serialize<S: Serializer>(level: &tracing::Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&level.as_str().to_lowercase())
}
