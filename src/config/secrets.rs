//! What of a configuration may be a key is made known before anybody shows a word of it.

use toml::Value;

use super::{environment::Environment, sections::Config};
use crate::secrets::{learn, learn_proxies, learn_url};

/// Of the environment, which is learned before it is read: what is wrong with it is shown, too.
pub(super) fn learn_environment(environment: &Environment) {
    for variable in environment.all() {
        let (name, Ok(value)) = (variable.name.as_str(), variable.text()) else { continue };
        let is_ours = name.starts_with("POLYTAPE_") || super::predecessor_names::PREDECESSOR_NAMES.contains(&name);
        if is_ours && (name.ends_with("PASSWORD") || name.ends_with("TOKEN")) {
            // Also with a newline at its end it is sent without.
            learn(value.trim_end_matches(['\r', '\n']));
        } else if is_ours && value.contains("://") {
            value.split(|c: char| c == ',' || c == '"' || c.is_whitespace()).for_each(|url| {
                if url.contains("://") {
                    learn_url(url);
                }
            });
        }
    }
}

/// Of all that is in force.
pub(super) fn learn_config(config: &Config) {
    if let Ok(sources) = Value::try_from(&config.sources) {
        learn_keys(&sources);
    }
    if let Some(redis) = &config.redis {
        learn_url(&redis.url);
    }
    if let Some(clickhouse) = &config.clickhouse {
        learn_url(&clickhouse.url);
        learn(&clickhouse.password);
    }
    learn_proxies();
}

/// Of every URL and every token of the sources, whichever there are.
fn learn_keys(given: &Value) {
    match given {
        Value::String(text) if text.contains("://") => learn_url(text),
        Value::Array(values) => values.iter().for_each(learn_keys),
        Value::Table(table) => table.iter().for_each(|(key, value)| match value {
            Value::String(secret) if is_secret(key) => learn(secret),
            value => learn_keys(value),
        }),
        _ => {}
    }
}

/// Whether the value of a key is a secret as a whole.
pub(super) fn is_secret(key: &str) -> bool {
    matches!(key, "password" | "token")
}
