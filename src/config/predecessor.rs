//! The names of the predecessor's environment: `REDIS_HOST`, `CLICKHOUSE_HOST` and what belongs to them.

use std::ffi::{OsStr, OsString};

use reqwest::Url;
use toml::{Table, Value};

use super::ConfigError;

/// All of them.
pub const NAMES: [&str; 9] = [
    "REDIS_HOST",
    "REDIS_PORT",
    "REDIS_PASSWORD",
    "REDIS_DB",
    "CLICKHOUSE_HOST",
    "CLICKHOUSE_PORT",
    "CLICKHOUSE_USER",
    "CLICKHOUSE_PASSWORD",
    "CLICKHOUSE_DATABASE",
];

/// Lays what they say over a table. A host selects what it names; what else they say is of no use without one.
pub(super) fn lay(mut table: Table, environment: &[(OsString, OsString)]) -> Result<Table, ConfigError> {
    let value = |name: &str| {
        let found = environment.iter().find(|(key, _)| key == OsStr::new(name)).map(|(_, value)| value);
        match found.map(|value| value.to_str()) {
            None => Ok(None),
            Some(Some(value)) => Ok(Some(value.to_owned()).filter(|value| !value.is_empty())),
            Some(None) => Err(wrong(name, "is not text")),
        }
    };
    if let Some(host) = value("REDIS_HOST")? {
        let port = number("REDIS_PORT", value("REDIS_PORT")?.as_deref().unwrap_or("6379"))?;
        let database = value("REDIS_DB")?.unwrap_or_else(|| "0".into());
        let address = format!("redis://{host}:{port}/{database}");
        let mut url = Url::parse(&address).map_err(|_| wrong("REDIS_HOST", "is no host"))?;
        if let Some(password) = value("REDIS_PASSWORD")? {
            url.set_password(Some(&password)).map_err(|()| wrong("REDIS_PASSWORD", "cannot be used"))?;
        }
        set(&mut table, "redis", vec![("url", url.into())]);
    }
    if let Some(host) = value("CLICKHOUSE_HOST")? {
        let port = number("CLICKHOUSE_PORT", value("CLICKHOUSE_PORT")?.as_deref().unwrap_or("8123"))?;
        let address = if host.contains("://") { host } else { format!("http://{host}:{port}") };
        let mut values = vec![("url", address)];
        for (name, key) in
            [("CLICKHOUSE_USER", "user"), ("CLICKHOUSE_PASSWORD", "password"), ("CLICKHOUSE_DATABASE", "database")]
        {
            if let Some(value) = value(name)? {
                values.push((key, value));
            }
        }
        set(&mut table, "clickhouse", values);
    }
    Ok(table)
}

fn number(name: &str, text: &str) -> Result<u16, ConfigError> {
    text.parse().map_err(|_| wrong(name, "is no port"))
}

fn wrong(name: &str, message: &str) -> ConfigError {
    ConfigError::Environment { name: name.to_owned(), message: message.to_owned() }
}

/// Sets keys of a section, which is made where there is none.
fn set(table: &mut Table, name: &str, values: Vec<(&str, String)>) {
    let mut section = match table.remove(name) {
        Some(Value::Table(section)) => section,
        _ => Table::new(),
    };
    section.extend(values.into_iter().map(|(key, value)| (key.to_owned(), Value::String(value))));
    table.insert(name.to_owned(), Value::Table(section));
}

#[cfg(test)]
mod tests {
    use super::super::load;

    fn loaded(set: &[(&str, &str)]) -> Result<super::super::Config, String> {
        let environment: Vec<_> = set.iter().map(|(name, value)| (name.into(), value.into())).collect();
        load(None, environment).map_err(|error| error.to_string())
    }

    #[test]
    fn hosts_select_and_passwords_survive() {
        let config = loaded(&[
            ("REDIS_HOST", "redis.local"),
            ("REDIS_PASSWORD", "p@ss/w:rd"),
            ("REDIS_DB", "2"),
            ("CLICKHOUSE_HOST", "ch.local"),
            ("CLICKHOUSE_USER", "tape"),
            ("CLICKHOUSE_PASSWORD", "secret"),
            ("POLYTAPE_CLICKHOUSE__DATABASE", "tape"),
        ])
        .unwrap();
        let (redis, clickhouse) = (config.redis.clone().unwrap(), config.clickhouse.clone().unwrap());
        assert_eq!(redis.url, "redis://:p%40ss%2Fw%3Ard@redis.local:6379/2");
        assert_eq!(clickhouse.url, "http://ch.local:8123");
        assert_eq!((clickhouse.user.as_str(), clickhouse.database.as_str()), ("tape", "tape"));
        let shown = config.shown();
        assert!(!shown.contains("p%40ss") && !shown.contains("secret"), "{shown}");
        assert!(!format!("{config:?}").contains("secret") && !format!("{config:?}").contains("p%40ss"));
    }

    #[test]
    fn one_without_the_other_and_what_is_no_port_are_refused() {
        assert!(loaded(&[("REDIS_HOST", "a")]).unwrap_err().contains("[clickhouse]"));
        assert!(loaded(&[("POLYTAPE_CLICKHOUSE__USER", "a")]).unwrap_err().contains("[redis]"));
        let error = loaded(&[("REDIS_HOST", "a"), ("REDIS_PORT", "x"), ("CLICKHOUSE_HOST", "b")]).unwrap_err();
        assert_eq!(error, "REDIS_PORT in the environment: is no port");
        assert_eq!(loaded(&[("REDIS_PORT", "1")]).unwrap().redis, None, "without a host it selects nothing");
    }
}
