//! The names of the predecessor's environment: `REDIS_HOST`, `CLICKHOUSE_HOST` and what belongs to them.
//!
//! Kubernetes and Docker use two of these names for what they say of a service that happens to be called so:
//! `REDIS_PORT=tcp://10.0.0.11:6379`. That says where the service is only as long as nobody has said where Redis is, and only where
//! both stores are known then: one of them alone is no wish of anybody's.

use toml::{Table, Value};

use super::{environment::Environment, error::ConfigError, service_link::ServiceLink};
use crate::value::{self, address};

/// A store as its variables name it.
#[derive(Clone, Copy)]
struct Store {
    section: &'static str,
    host: &'static str,
    port: &'static str,
    usual_port: u16,
}

const REDIS: Store = Store { section: "redis", host: "REDIS_HOST", port: "REDIS_PORT", usual_port: 6379 };
const CLICKHOUSE: Store =
    Store { section: "clickhouse", host: "CLICKHOUSE_HOST", port: "CLICKHOUSE_PORT", usual_port: 8123 };

/// Lays what they say over a table. A host selects what it names; what else they say is of no use without one.
pub(super) fn lay(mut table: Table, environment: &Environment) -> Result<Table, ConfigError> {
    let reading = Reading { environment, table: &table };
    let (redis, clickhouse) = (reading.address(REDIS, CLICKHOUSE)?, reading.address(CLICKHOUSE, REDIS)?);
    if let Some(address) = redis {
        let url = reading.redis(address)?;
        set(&mut table, REDIS.section, vec![("url", url)]);
    }
    let reading = Reading { environment, table: &table };
    if let Some(address) = clickhouse {
        let values = reading.clickhouse(address)?;
        set(&mut table, CLICKHOUSE.section, values);
    }
    Ok(table)
}

/// Where a store is.
enum Address {
    /// A whole URL.
    Url(String),
    /// A host, and a port, where that is said.
    Host(String, Option<u16>),
}

struct Reading<'a> {
    environment: &'a Environment,
    /// What the file says.
    table: &'a Table,
}

impl Reading<'_> {
    /// Where a store is, if the variables say so.
    fn address(&self, store: Store, other: Store) -> Result<Option<Address>, ConfigError> {
        if let Some(host) = self.get(store.host)? {
            return self.hosted(store, &host).map(Some);
        }
        let counts = !self.is_placed(store)
            && (self.is_selected(store)? || self.is_selected(other)? || self.link(other)?.is_some());
        let link = if counts { self.link(store)? } else { None };
        Ok(link.map(|ServiceLink { host, port }| Address::Host(host, Some(port))))
    }

    /// What a host and the port beside it say.
    fn hosted(&self, store: Store, host: &str) -> Result<Address, ConfigError> {
        let port = match self.get(store.port)? {
            None => None,
            Some(text) => match ServiceLink::of(&text) {
                // It is that of a service of this name, which may be another one.
                Some(link) => Some(link.port).filter(|_| link.is_at(host, store.section)),
                None => Some(text.parse().map_err(|_| self.wrong(store.port, no_port(&text, store)))?),
            },
        };
        if host.contains("://") {
            return Ok(Address::Url(with_port(host, port)));
        }
        let no_host =
            || self.wrong(store.host, format!("is no host: write it as \"host\" or \"host:{}\"", store.usual_port));
        let (host, own_port) = address::host_and_port(host).ok_or_else(no_host)?;
        match (own_port, port) {
            (Some(own), Some(port)) if own != port => {
                Err(self.wrong(store.host, format!("names port {own}, and {} says {port}", store.port)))
            }
            (own, port) => Ok(Address::Host(host, own.or(port))),
        }
    }

    /// What a service of the store's name says, if its port is one that can be used.
    fn link(&self, store: Store) -> Result<Option<ServiceLink>, ConfigError> {
        let Some(link) = self.get(store.port)?.as_deref().and_then(ServiceLink::of) else { return Ok(None) };
        if store.section != CLICKHOUSE.section {
            return Ok(Some(link));
        }
        // The first port of the service need not be that of HTTP.
        for port in [8123, 8443] {
            let of_port = self.get(&format!("{}_{port}_TCP", store.port))?;
            if let Some(link) = of_port.as_deref().and_then(ServiceLink::of) {
                return Ok(Some(link));
            }
        }
        Ok(Some(link).filter(|link| !address::is_not_http(link.port)))
    }

    /// Whether the configuration says where a store is.
    fn is_placed(&self, store: Store) -> bool {
        let has_url =
            self.table.get(store.section).and_then(Value::as_table).is_some_and(|keys| keys.contains_key("url"));
        let variable = format!("POLYTAPE_{}__URL", store.section.to_uppercase());
        has_url || self.environment.all().any(|there| there.name == variable)
    }

    /// Whether somebody wants a store.
    fn is_selected(&self, store: Store) -> Result<bool, ConfigError> {
        let begin = format!("POLYTAPE_{}__", store.section.to_uppercase());
        Ok(self.table.contains_key(store.section)
            || self.environment.all().any(|there| there.name.starts_with(&begin))
            || self.get(store.host)?.is_some())
    }

    fn redis(&self, address: Address) -> Result<String, ConfigError> {
        let no_host = |why: &str| self.wrong(REDIS.host, format!("is no address: {why}"));
        let database = match self.get("REDIS_DB")? {
            None => None,
            Some(text) => match text.parse::<u32>() {
                Ok(number) => Some(number),
                Err(_) => return Err(self.wrong("REDIS_DB", "is no number of a database: write it as 0")),
            },
        };
        let address = match address {
            Address::Url(url) => address::redis(&url).map_err(|why| self.wrong(REDIS.host, why))?,
            Address::Host(host, port) => format!("redis://{host}:{}/0", port.unwrap_or(REDIS.usual_port)),
        };
        let mut url =
            reqwest::Url::parse(&address).map_err(|_| no_host("write it as \"host\" or \"redis://host:6379/0\""))?;
        if let Some(database) = database {
            url.set_path(&database.to_string());
        }
        if let Some(password) = self.secret("REDIS_PASSWORD")? {
            url.set_password(Some(&password)).map_err(|()| no_host("a password does not go with it"))?;
        }
        Ok(url.into())
    }

    fn clickhouse(&self, address: Address) -> Result<Vec<(&'static str, String)>, ConfigError> {
        let url = match address {
            Address::Url(url) => address::clickhouse(&url).map_err(|why| self.wrong(CLICKHOUSE.host, why))?,
            Address::Host(host, port) => address::clickhouse_at(&host, port.unwrap_or(CLICKHOUSE.usual_port)),
        };
        let mut values = vec![("url", url)];
        for (name, key) in [("CLICKHOUSE_USER", "user"), ("CLICKHOUSE_DATABASE", "database")] {
            values.extend(self.get(name)?.map(|value| (key, value)));
        }
        values.extend(self.secret("CLICKHOUSE_PASSWORD")?.map(|password| ("password", password)));
        Ok(values)
    }

    /// A variable without what `$(cat file)` leaves around it.
    fn get(&self, name: &str) -> Result<Option<String>, ConfigError> {
        Ok(self.environment.get(name)?.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()))
    }

    /// A password, in which a space is a space.
    fn secret(&self, name: &str) -> Result<Option<String>, ConfigError> {
        let Some(text) = self.environment.get(name)? else { return Ok(None) };
        let secret = value::secret(text).map_err(|why| self.wrong(name, why))?;
        Ok(Some(secret.to_owned()).filter(|secret| !secret.is_empty()))
    }

    fn wrong(&self, name: &str, message: impl Into<String>) -> ConfigError {
        self.environment.wrong(name, message)
    }
}

/// A URL with a port, where it names none itself.
fn with_port(url: &str, port: Option<u16>) -> String {
    match (reqwest::Url::parse(url), port) {
        (Ok(mut parsed), Some(_)) if parsed.port().is_none() => match parsed.set_port(port) {
            Ok(()) => parsed.into(),
            Err(()) => url.to_owned(),
        },
        _ => url.to_owned(),
    }
}

fn no_port(text: &str, store: Store) -> String {
    let shown = if text.len() <= 20 { format!("{text:?} ") } else { String::new() };
    format!("{shown}is no port: write it as {} or tcp://host:{}", store.usual_port, store.usual_port)
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
    use super::super::{Config, Environment, load};

    fn loaded(set: &[(&str, &str)]) -> Result<Config, String> {
        let environment: Environment = set.iter().copied().collect();
        load(None, &environment).map_err(|error| error.to_string())
    }

    /// Where Redis and ClickHouse are; nothing where all is embedded.
    fn places(set: &[(&str, &str)]) -> Option<(String, String)> {
        let config = loaded(set).unwrap();
        Some((config.redis?.url, config.clickhouse?.url))
    }

    #[test]
    fn hosts_select_and_passwords_survive() {
        let config = loaded(&[
            ("REDIS_HOST", "redis.local"),
            ("REDIS_PASSWORD", "p@ss/w:rd"),
            ("REDIS_DB", "2"),
            ("CLICKHOUSE_HOST", "ch.local"),
            ("CLICKHOUSE_USER", "tape"),
            ("CLICKHOUSE_PASSWORD", "secret\n"),
            ("POLYTAPE_CLICKHOUSE__DATABASE", "tape"),
        ])
        .unwrap();
        let (redis, clickhouse) = (config.redis.clone().unwrap(), config.clickhouse.clone().unwrap());
        assert_eq!(redis.url, "redis://:p%40ss%2Fw%3Ard@redis.local:6379/2");
        assert_eq!(clickhouse.url, "http://ch.local:8123");
        assert_eq!((clickhouse.user.as_str(), clickhouse.database.as_str()), ("tape", "tape"));
        assert_eq!(clickhouse.password, "secret");
        let shown = config.shown();
        assert!(!shown.contains("p%40ss") && !shown.contains("secret"), "{shown}");
        assert!(!format!("{config:?}").contains("secret") && !format!("{config:?}").contains("p%40ss"));
    }

    #[test]
    fn hosts_may_have_a_port_or_a_scheme() {
        for (redis, clickhouse, expected) in [
            ("r:6380", "c:8124", ("redis://r:6380/0", "http://c:8124")),
            ("::1", "[::1]:8443", ("redis://[::1]:6379/0", "https://[::1]:8443")),
            ("rediss://u@r/3", "https://c/x", ("rediss://u@r/3", "https://c/x")),
            ("r\n", " c ", ("redis://r:6379/0", "http://c:8123")),
        ] {
            let found = places(&[("REDIS_HOST", redis), ("CLICKHOUSE_HOST", clickhouse)]).unwrap();
            assert_eq!((found.0.as_str(), found.1.as_str()), expected);
        }
        let cloud = [("REDIS_HOST", "r"), ("CLICKHOUSE_HOST", "https://c"), ("CLICKHOUSE_PORT", "8443")];
        assert_eq!(places(&cloud).unwrap().1, "https://c:8443/");
    }

    const REDIS_LINK: (&str, &str) = ("REDIS_PORT", "tcp://10.0.0.11:6380");
    const CLICKHOUSE_LINK: (&str, &str) = ("CLICKHOUSE_PORT", "tcp://10.0.0.12:8123");
    const NATIVE_LINK: (&str, &str) = ("CLICKHOUSE_PORT", "tcp://10.0.0.12:9000");

    #[test]
    fn links_of_both_services_say_where_they_are() {
        let at = |redis: &str, clickhouse: &str| Some((redis.to_owned(), clickhouse.to_owned()));
        let linked = at("redis://10.0.0.11:6380/0", "http://10.0.0.12:8123");
        assert_eq!(places(&[REDIS_LINK, CLICKHOUSE_LINK]), linked);
        let of_http = ("CLICKHOUSE_PORT_8123_TCP", "tcp://10.0.0.12:8123");
        assert_eq!(places(&[REDIS_LINK, NATIVE_LINK, of_http]), linked, "the first port is another one");
        let named = ("CLICKHOUSE_HOST", "c");
        assert_eq!(places(&[REDIS_LINK, named]), at("redis://10.0.0.11:6380/0", "http://c:8123"));
    }

    #[test]
    fn a_link_alone_selects_nothing() {
        assert_eq!(places(&[REDIS_LINK]), None);
        assert_eq!(places(&[CLICKHOUSE_LINK]), None);
        assert_eq!(places(&[REDIS_LINK, NATIVE_LINK]), None, "none of its ports speaks HTTP");
    }

    #[test]
    fn what_somebody_wrote_goes_before_a_link() {
        let redis = |set: &[(&str, &str)]| places(&[set, &[("CLICKHOUSE_HOST", "c")]].concat()).unwrap().0;
        assert_eq!(redis(&[REDIS_LINK, ("REDIS_HOST", "other.example")]), "redis://other.example:6379/0");
        assert_eq!(redis(&[REDIS_LINK, ("REDIS_HOST", "redis")]), "redis://redis:6380/0", "it is that service");
        assert_eq!(redis(&[REDIS_LINK, ("POLYTAPE_REDIS__URL", "redis://mine:1/0")]), "redis://mine:1/0");
    }

    #[test]
    fn what_is_wrong_is_told() {
        assert!(loaded(&[("REDIS_HOST", "a")]).unwrap_err().contains("[clickhouse]"));
        assert!(loaded(&[("POLYTAPE_CLICKHOUSE__USER", "a")]).unwrap_err().contains("[redis]"));
        assert_eq!(loaded(&[("REDIS_PORT", "1")]).unwrap().redis, None, "without a host it selects nothing");
        for (name, value, words) in [
            ("REDIS_PORT", "x", "REDIS_PORT in the environment: \"x\" is no port: write it as 6379 or tcp://host:6379"),
            ("REDIS_HOST", "a b", "REDIS_HOST in the environment: is no host"),
            ("REDIS_HOST", "a:1", "REDIS_HOST in the environment: names port 1, and REDIS_PORT says 2"),
            ("REDIS_HOST", "http://a", "http:// is not understood here"),
            ("REDIS_DB", "zero", "REDIS_DB in the environment: is no number"),
            ("REDIS_PASSWORD", "hid\nden", "REDIS_PASSWORD in the environment: holds a control character"),
            ("CLICKHOUSE_PASSWORD", "hid\tden", "CLICKHOUSE_PASSWORD in the environment: holds a control"),
            ("CLICKHOUSE_HOST", "clickhouse://c:9000", "CLICKHOUSE_HOST in the environment: clickhouse:// is not"),
        ] {
            let mut set = vec![("REDIS_HOST", "a"), ("CLICKHOUSE_HOST", "c"), ("REDIS_PORT", "2")];
            set.retain(|(there, _)| *there != name);
            set.push((name, value));
            let error = loaded(&set).unwrap_err();
            assert!(error.contains(words) && !error.contains("hid"), "{error}");
        }
    }
}
