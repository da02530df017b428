//! The configuration as text, fit to be shown.

use toml::{Table, Value};

use super::secrets::is_secret;
use super::sections::Config;
use crate::source::host_of;

impl Config {
    /// All of it in the form of its file. Of URLs only the scheme, host and port are shown: the rest may be a key.
    pub fn shown(&self) -> String {
        let default = Table::try_from(Self::default()).map(Value::Table).ok();
        let table = Table::try_from(self).map(|table| redacted(Value::Table(table), default.as_ref()));
        let text = table.map(|table| toml::to_string_pretty(&table).unwrap_or_default());
        text.unwrap_or_else(|error| format!("# cannot be shown: {error}\n"))
    }
}

/// What is as it is by default is no key.
fn redacted(value: Value, default: Option<&Value>) -> Value {
    if Some(&value) == default {
        return value;
    }
    match value {
        Value::String(text) => Value::String(redacted_text(text)),
        Value::Array(values) => Value::Array(values.into_iter().map(|value| redacted(value, None)).collect()),
        Value::Table(table) => Value::Table(
            table
                .into_iter()
                .map(|(key, value)| match value {
                    Value::String(secret) if is_secret(&key) && !secret.is_empty() => (key, "…".into()),
                    value => {
                        let default = default.and_then(|default| default.get(&key));
                        (key, redacted(value, default))
                    }
                })
                .collect(),
        ),
        other => other,
    }
}

fn redacted_text(text: String) -> String {
    if !text.contains("://") {
        return text;
    }
    // What cannot be told apart is not shown at all.
    let Ok(url) = reqwest::Url::parse(&text) else { return "…".to_owned() };
    let user = if url.username().is_empty() && url.password().is_none() { "" } else { "…@" };
    let has_more = url.path().len() > 1 || url.query().is_some() || url.fragment().is_some();
    let path = match (has_more, text.ends_with('/')) {
        (true, _) => "/…",
        (false, true) => "/",
        (false, false) => "",
    };
    format!("{}://{user}{}{path}", url.scheme(), host_of(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_what_is_read() {
        let config = Config::default();
        assert_eq!(toml::from_str::<Config>(&config.shown()).unwrap(), config, "{}", config.shown());
        for line in
            ["start = \"15m\"", "linger = \"250ms\"", "max_bytes = \"32MiB\"", "scan = \"active\"", "level = \"info\""]
        {
            assert!(config.shown().contains(line), "{line} is not in {}", config.shown());
        }
    }

    #[test]
    fn what_may_be_a_key_is_not_shown() {
        let mut config = Config::default();
        config.sources.polygon.urls =
            ["https://user:KEY1@a.b:1/v2/KEY2?k=KEY3", "https://a.b?KEY4", "https://a.b/"].map(str::to_owned).to_vec();
        config.sources.gamma.url = "https://KEY5@c.d/KEY6".into();
        config.sources.goldsky.token = "KEY7".into();
        let shown = config.shown();
        assert!(!shown.contains("KEY"), "{shown}");
        for part in ["https://…@a.b:1/…", "\"https://a.b/…\"", "\"https://a.b/\"", "https://…@c.d/…"] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }
}
