//! What of a configuration may be a key is made known before anybody shows a word of it.

use std::ffi::OsString;

use super::Config;
use crate::secrets::{learn, learn_proxies, learn_url};

/// Of the environment, which is learned before it is read: what is wrong with it is shown, too.
pub(super) fn learn_environment(environment: &[(OsString, OsString)]) {
    for (name, value) in environment {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
        let is_ours = name.starts_with("POLYTAPE_") || super::PREDECESSOR_NAMES.contains(&name);
        if is_ours && name.ends_with("PASSWORD") {
            learn(value);
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
    let sources = &config.sources;
    sources.polygon.urls.iter().for_each(|url| learn_url(url));
    learn_url(&sources.gamma.url);
    learn_url(&sources.data_api.url);
    if let Some(redis) = &config.redis {
        learn_url(&redis.url);
    }
    if let Some(clickhouse) = &config.clickhouse {
        learn_url(&clickhouse.url);
        learn(&clickhouse.password);
    }
    learn_proxies();
}
