//! `POLYTAPE_SECTION__KEY` of the environment, laid over the file.

use serde::Deserialize;
use toml::{Table, Value};

use super::environment::{Environment, Variable};
use super::{error::ConfigError, retired, schema::Schema, secrets::is_secret, sections::Config, service_link::is_link};
use crate::nearest::listed;

const OURS: &str = "POLYTAPE_";

/// So many letters of a name may be wrong that is meant for us, where nothing else shows that it is.
const SLIPS: usize = 2;

/// Lays what is ours over a table. A value is read as TOML, else as text, or as texts with commas between where a list is
/// expected.
pub(super) fn lay(schema: &Schema, mut table: Table, environment: &Environment) -> Result<Config, ConfigError> {
    let (mut ours, mut warnings) = (Vec::new(), Vec::new());
    for variable in environment.all().filter(|variable| variable.name.starts_with(OURS)) {
        if let Some(warning) = retired::of_environment(variable) {
            warnings.push(warning);
        } else if let Some(path) = path(schema, variable)? {
            ours.push((path, variable));
        }
    }
    ours.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (path, variable) in ours {
        table = with(schema, &table, &path, variable)?;
    }
    // Every step of it was checked.
    let config = Config::deserialize(Value::Table(table)).map_err(|error| ConfigError::Environment {
        name: "POLYTAPE_*".into(),
        place: "in the environment".into(),
        message: error.message().to_owned(),
    })?;
    Ok(Config { warnings, ..config })
}

/// `POLYTAPE_SOURCES__POLYGON__URLS` as `sources`, `polygon`, `urls`. Nothing of what others have put there: a service that is called
/// so, or a name that is like none of ours.
fn path(schema: &Schema, variable: &Variable) -> Result<Option<Vec<String>>, ConfigError> {
    let name = &variable.name;
    let value = variable.text();
    if value.as_ref().is_ok_and(|value| is_link(name, value)) {
        return Ok(None);
    }
    let rest = name.strip_prefix(OURS).unwrap_or_default();
    let known = Names::of(schema);
    if !rest.contains("__") {
        return match known.with_one_underscore(schema, rest) {
            Some(hint) => Err(variable.wrong(format!("there is no such key: {hint}"))),
            None => Ok(None),
        };
    }
    value?;
    let path: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
    if schema.has_key(&path) {
        return Ok(Some(path));
    }
    if let Some(keys) = schema.keys_of(&path) {
        let keys: Vec<String> = keys.iter().map(|key| format!("{name}__{}", key.to_uppercase())).collect();
        return Err(variable.wrong(format!("is a section: its keys are {}", listed(&keys))));
    }
    let message = match known.nearest(rest) {
        Some(meant) => format!("there is no such key: is {meant} meant?"),
        None => schema.unknown_key(&path),
    };
    Err(variable.wrong(message))
}

/// The names of all keys, without what they begin with.
struct Names(Vec<String>);

impl Names {
    fn of(schema: &Schema) -> Self {
        Self(schema.keys().iter().map(|path| path.join("__").to_uppercase()).collect())
    }

    fn nearest(&self, rest: &str) -> Option<String> {
        crate::nearest::nearest(rest, self.0.iter().map(String::as_str)).map(|known| format!("{OURS}{known}"))
    }

    /// `POLYTAPE_WRITER__MAX_ROWS` for `POLYTAPE_WRITER_MAX_ROWS`.
    fn with_one_underscore(&self, schema: &Schema, rest: &str) -> Option<String> {
        let single = |name: &str| name.replace("__", "_");
        let distance = |known: &&String| strsim::damerau_levenshtein(&single(known), rest);
        if let Some(known) = self.0.iter().min_by_key(distance).filter(|known| distance(known) <= SLIPS) {
            return Some(format!("is {OURS}{known} meant?"));
        }
        // What begins with a section is meant for it.
        let sections = schema.keys().into_iter().map(|mut path| {
            path.pop();
            path
        });
        let names_it = |section: &Vec<String>| rest.starts_with(&format!("{}_", section.join("_").to_uppercase()));
        let section = sections.filter(names_it).max_by_key(Vec::len)?;
        let keys = schema.keys_of(&section)?;
        Some(format!("there are {} in [{}]", listed(&keys), section.join(".")))
    }
}

/// A table with the value of a variable in it.
fn with(schema: &Schema, table: &Table, path: &[String], variable: &Variable) -> Result<Table, ConfigError> {
    let text = variable.text()?;
    let as_toml = || format!("value = {text}").parse::<Table>().ok()?.remove("value");
    let as_list = || Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect());
    let is_secret = path.last().is_some_and(|key| is_secret(key));
    let candidates = match is_secret {
        // Quotes in a secret are a part of it.
        true => [None, Some(Value::String(text.to_owned()))],
        false if schema.has_list(path) => [as_toml().filter(Value::is_array).or_else(|| Some(as_list())), None],
        false => [as_toml(), Some(Value::String(text.to_owned()))],
    };
    let mut refused = None;
    for candidate in candidates.into_iter().flatten() {
        let mut with = table.clone();
        place(&mut with, path, candidate);
        match Config::deserialize(Value::Table(with.clone())) {
            Ok(_) => return Ok(with),
            Err(error) => {
                refused.get_or_insert(error);
            }
        }
    }
    Err(variable.wrong(refused.map_or_else(String::new, |error| error.message().to_owned())))
}

fn place(table: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => {
            table.insert(key.clone(), value);
        }
        [section, rest @ ..] => {
            let inner = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
            if !inner.is_table() {
                *inner = Value::Table(Table::new());
            }
            if let Value::Table(inner) = inner {
                place(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::StartSpec;
    use super::*;
    use std::time::Duration;

    fn over(table: Table, name: &str, value: &str) -> Result<Config, String> {
        let environment: Environment = [(name, value)].into_iter().collect();
        lay(&Schema::new(), table, &environment).map_err(|error| error.to_string())
    }

    fn from_environment(name: &str, value: &str) -> Result<Config, String> {
        over(Table::new(), name, value)
    }

    #[test]
    fn no_value_of_the_environment_is_shown() {
        for name in ["POLYTAPE_SOURCES__POLYGON", "POLYTAPE_SOURCES__POLYGON__URLS", "POLYTAPE_SOURCES__POLYGON__URL"] {
            let error = from_environment(name, "node.example/v2/KEY").unwrap_err();
            assert!(error.starts_with(name) && !error.contains("KEY "), "{error}");
            assert!(!error.contains("v2"), "{error}");
        }
    }

    #[test]
    fn the_environment_is_laid_over_the_file() {
        let table: Table = "[writer]\nmax_rows = 5\nlinger = \"1s\"".parse().unwrap();
        let config = over(table, "POLYTAPE_WRITER__MAX_ROWS", "7").unwrap();
        assert_eq!((config.writer.max_rows, config.writer.linger), (7, Duration::from_secs(1)));

        let start = |text| from_environment("POLYTAPE_PIPELINE__START", text).unwrap().pipeline.start;
        assert_eq!(start("97800000"), StartSpec::Block(97_800_000));
        assert_eq!(start("latest"), StartSpec::Latest);
        let urls = |text| from_environment("POLYTAPE_SOURCES__POLYGON__URLS", text).unwrap().sources.polygon.urls;
        assert_eq!(urls("http://a"), ["http://a"]);
        assert_eq!(urls("http://a, http://b\n"), ["http://a", "http://b"]);
        assert_eq!(urls("[\"http://a\"]"), ["http://a"]);
    }

    #[test]
    fn a_password_is_as_it_stands_but_for_its_end() {
        for (value, expected) in [("\"quoted\"", "\"quoted\""), ("12345\n", "12345"), ("a,b", "a,b"), (" a ", " a ")] {
            let environment: Environment = [("POLYTAPE_CLICKHOUSE__PASSWORD", value)].into_iter().collect();
            let config = lay(&Schema::new(), Table::new(), &environment).unwrap();
            assert_eq!(config.clickhouse.unwrap().password, expected);
        }
        let error = from_environment("POLYTAPE_CLICKHOUSE__PASSWORD", "hid\nden").unwrap_err();
        assert!(error.contains("holds a control character") && !error.contains("hid"), "{error}");
    }

    #[test]
    fn what_is_not_known_is_told_with_what_is_near() {
        for (name, value, words) in [
            ("POLYTAPE_WRITER__MAX_ROW", "7", "is POLYTAPE_WRITER__MAX_ROWS meant?"),
            ("POLYTAPE_WRTIER__MAX_ROWS", "7", "is POLYTAPE_WRITER__MAX_ROWS meant?"),
            ("POLYTAPE_WRITER_MAX_ROWS", "7", "is POLYTAPE_WRITER__MAX_ROWS meant?"),
            ("POLYTAPE_SOURCES_POLYGON_URLS", "7", "is POLYTAPE_SOURCES__POLYGON__URLS meant?"),
            ("POLYTAPE_SOURCES_POLYGON_COLOUR", "7", "in [sources.polygon]"),
            ("POLYTAPE_RABBIT__QUEUE_NAME_OF_IT", "7", "there is no such key in [rabbit]"),
            ("POLYTAPE_SOURCES__POLYGON", "7", "is a section: its keys are POLYTAPE_SOURCES__POLYGON__ENABLED"),
            ("POLYTAPE_WRITER__MAX_ROWS", "many", "\"many\" is no whole number: 1 to 1000000 rows are expected"),
            ("POLYTAPE_SOURCES__POLYGON__URLS", "http://a, ftp://b", "URL 2: ftp:// is not understood here"),
            ("POLYTAPE_WRITER__LINGER", "30", "30 is no duration, it lacks a unit"),
        ] {
            let error = from_environment(name, value).unwrap_err();
            assert!(error.starts_with(&format!("{name} in the environment: ")), "{error}");
            assert!(error.contains(words), "{words:?} is not in {error:?}");
        }
    }

    #[test]
    fn what_others_have_put_there_is_left_alone() {
        for (name, value) in [
            ("POLYTAPE_TEST_REDIS_URL", "x"),
            ("POLYTAPE_KILLS", "7"),
            ("POLYTAPE_PORT", "tcp://10.0.0.1:9464"),
            ("POLYTAPE_REDIS_MASTER_SERVICE_HOST", "10.0.0.1"),
            ("POLYTAPE_CLICKHOUSE_PORT_8123_TCP_ADDR", "10.0.0.1"),
            ("HOME", "/root"),
        ] {
            assert_eq!(from_environment(name, value).unwrap(), Config::default(), "{name}");
        }
    }
}
