//! Reads the configuration from where it may be.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::{Config, predecessor, secrets, stores};

/// Why there is no configuration. One line each, and never a URL, which may hold a key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or cannot be read.
    #[error("cannot read the config file {}: {cause}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        cause: io::Error,
    },
    /// A line of the file is wrong.
    #[error("{} line {line}{}{key}: {message}", .path.display(), if .key.is_empty() { "" } else { ", " })]
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key or section that the line belongs to.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// Redis without ClickHouse, or the reverse.
    #[error("{present} is configured and {missing} is not: both together replace the embedded store, or neither")]
    Half {
        /// The section that is there.
        present: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
    /// A variable of the environment is wrong.
    #[error("{name} in the environment: {message}")]
    Environment {
        /// The variable.
        name: String,
        /// What is wrong.
        message: String,
    },
}

/// Where the file is usually, if the system has a place for it.
pub fn default_file() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "polytape").map(|dirs| dirs.config_dir().join("config.toml"))
}

/// Reads a file, if one is named, and lays the environment over it.
pub fn load(
    named: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Config, ConfigError> {
    let environment: Vec<_> = environment.into_iter().collect();
    secrets::learn_environment(&environment);
    let table = match named {
        Some(path) => read(path)?,
        None => Table::new(),
    };
    let table = predecessor::lay(table, &environment)?;
    let config = stores::check(overlay(table, ours(environment)?)?)?;
    secrets::learn_config(&config);
    Ok(config)
}

/// What the environment holds for polytape. All else may be whatever it is.
fn ours(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Vec<(String, String)>, ConfigError> {
    let mut ours = Vec::new();
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with("POLYTAPE_")) else { continue };
        let wrong = |message: &str| ConfigError::Environment { name: name.to_owned(), message: message.to_owned() };
        if let Some(meant) = misspelt(name) {
            return Err(wrong(&format!("no such key: is {meant} meant?")));
        }
        let value = value.to_str().ok_or_else(|| wrong("is not text"))?;
        ours.push((name.to_owned(), value.to_owned()));
    }
    Ok(ours)
}

/// `POLYTAPE_WRITER__MAX_ROWS` for `POLYTAPE_WRITER_MAX_ROWS`.
fn misspelt(name: &str) -> Option<String> {
    let rest = name.strip_prefix("POLYTAPE_").filter(|rest| !rest.contains("__"))?;
    let sections = [
        "SOURCES_POLYGON",
        "SOURCES_FILLS",
        "SOURCES_GAMMA",
        "SOURCES_DATA_API",
        "PIPELINE",
        "WRITER",
        "STREAMS",
        "STORAGE",
        "LOG",
        "UI",
        "REDIS",
        "CLICKHOUSE",
    ];
    let (section, key) =
        sections.iter().find_map(|section| Some((section, rest.strip_prefix(section)?.strip_prefix('_')?)))?;
    Some(format!("POLYTAPE_{}__{key}", section.replace('_', "__")))
}

/// The file as a table, which by itself is a valid configuration.
fn read(path: &Path) -> Result<Table, ConfigError> {
    let text = fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
    let error = match toml::from_str::<Config>(&text) {
        Ok(_) => match text.parse() {
            Ok(table) => return Ok(table),
            Err(error) => error,
        },
        Err(error) => error,
    };
    let (line, key) = locate(&text, error.span().unwrap_or(0..0));
    let message = without_value(error.message());
    Err(ConfigError::File { path: path.to_owned(), line, key, message })
}

/// In one line, and without the text that stands where something else should: it may be a key.
fn without_value(message: &str) -> String {
    let message = message.replace('\n', " ");
    match (message.find("string \""), message.rfind("\", expected ")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &message[..from + 6], &message[to + 1..]),
        _ => message,
    }
}

/// The line on which a span begins, and the key or section that it belongs to. Nothing else of the file is shown.
fn locate(text: &str, span: Range<usize>) -> (usize, String) {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count();
    let lines: Vec<&str> = text.lines().take(line + 1).collect();
    (line + 1, lines.into_iter().rev().find_map(name_on).unwrap_or_default())
}

/// The `key` of `key = value`, or a `[section]`.
fn name_on(line: &str) -> Option<String> {
    let is_name = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
        !text.is_empty() && text.len() <= 60 && text.chars().all(plain)
    };
    let line = line.trim();
    let section = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')).filter(|name| is_name(name));
    let key = || line.split_once('=').map(|(key, _)| key.trim()).filter(|key| is_name(key));
    section.map(|name| format!("[{name}]")).or_else(|| key().map(str::to_owned))
}

/// Lays `POLYTAPE_SECTION__KEY` over a table. A value is read as TOML, else as text, else as a list of texts.
fn overlay(mut table: Table, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    let check = |table: &Table| Config::deserialize(Value::Table(table.clone()));
    let mut variables: Vec<_> =
        environment.into_iter().filter_map(|(name, value)| Some((path(&name)?, name, value))).collect();
    variables.sort();
    for (path, name, value) in variables {
        let list = value.split(',').map(|item| Value::String(item.trim().to_owned())).collect();
        let candidates = [
            format!("value = {value}").parse::<Table>().ok().and_then(|mut table| table.remove("value")),
            Some(Value::String(value)),
            Some(Value::Array(list)),
        ];
        let attempts = candidates.into_iter().flatten().map(|candidate| {
            let mut table = table.clone();
            place(&mut table, &path, candidate);
            check(&table).map(|_| table)
        });
        let mut refused = None;
        let mut taken = None;
        for attempt in attempts {
            match attempt {
                Ok(table) => {
                    taken = Some(table);
                    break;
                }
                Err(error) => {
                    refused.get_or_insert(error);
                }
            }
        }
        match (taken, refused) {
            (Some(with), _) => table = with,
            (None, Some(error)) => {
                return Err(ConfigError::Environment { name, message: without_value(error.message()) });
            }
            (None, None) => {}
        }
    }
    check(&table).map_err(|error| ConfigError::Environment { name: "POLYTAPE_*".into(), message: error.to_string() })
}

/// `POLYTAPE_SOURCES__POLYGON__URLS` as `sources`, `polygon`, `urls`; other variables are none of ours.
fn path(name: &str) -> Option<Vec<String>> {
    let path: Vec<String> = name.strip_prefix("POLYTAPE_")?.split("__").map(str::to_lowercase).collect();
    (path.len() > 1).then_some(path)
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
    use bytesize::ByteSize;
    use std::time::Duration;

    fn from_text(text: &str) -> Result<Config, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let path = file.path().display().to_string();
        load(Some(file.path()), []).map_err(|error| error.to_string().replace(&path, "FILE"))
    }

    #[test]
    fn no_value_of_the_environment_is_shown() {
        for name in ["POLYTAPE_SOURCES__POLYGON", "POLYTAPE_SOURCES__POLYGON__URLS", "POLYTAPE_SOURCES__POLYGON__URL"] {
            let error = from_environment(name, "node.example/v2/KEY").unwrap_err();
            assert!(error.starts_with(name) && !error.contains("KEY"), "{error}");
        }
    }

    fn from_environment(name: &str, value: &str) -> Result<Config, String> {
        overlay(Table::new(), [(name.to_owned(), value.to_owned())]).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_the_default() {
        assert_eq!(from_text("").unwrap(), Config::default());
        assert_eq!(overlay(Table::new(), []).unwrap(), Config::default());
    }

    #[test]
    fn every_key_is_read() {
        let config = from_text(
            r#"
            [pipeline]
            name = "second"
            start = "97800000"
            [sources.fills]
            kind = "polygon"
            [sources.polygon]
            urls = ["http://127.0.0.1:8545"]
            poll_interval = "250ms"
            timeout = "5s"
            [writer]
            max_rows = 10
            linger = "1s"
            max_bytes = "1MiB"
            [streams]
            max_bytes = "64MiB"
            keep = "1h 30m"
            [storage]
            min_free = "0B"
            [log]
            level = "debug"
            dir = "/var/log/polytape"
            keep_files = 30
            "#,
        )
        .unwrap();
        assert_eq!((config.pipeline.name.as_str(), config.pipeline.start), ("second", StartSpec::Block(97_800_000)));
        assert_eq!(config.sources.polygon.urls, ["http://127.0.0.1:8545"]);
        assert_eq!(config.sources.polygon.poll_interval, Duration::from_millis(250));
        assert_eq!(config.sources.polygon.timeout, Duration::from_secs(5));
        assert_eq!((config.writer.max_rows, config.writer.linger), (10, Duration::from_secs(1)));
        assert_eq!((config.writer.max_bytes, config.streams.max_bytes), (ByteSize::mib(1), ByteSize::mib(64)));
        assert_eq!((config.streams.keep, config.storage.min_free), (Duration::from_secs(5400), ByteSize::b(0)));
        assert_eq!((config.log.level, config.log.keep_files), (tracing::Level::DEBUG, 30));
        assert_eq!(config.log.dir_for(Path::new("/data")), Path::new("/var/log/polytape"));
        assert_eq!(Config::default().log.dir_for(Path::new("/data")), Path::new("/data/logs"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_key() {
        let cases = [
            ("[writer]\nmax_row = 5", "FILE line 2, max_row: unknown field `max_row`"),
            ("\n[wrtier]", "FILE line 2, [wrtier]: unknown field `wrtier`"),
            ("[writer]\n\nmax_rows = \"many\"", "FILE line 3, max_rows: invalid type: string"),
            ("[writer]\nmax_rows = 0", "FILE line 2, max_rows: 0 rows: 1 to 1000000 are expected"),
            ("[writer]\nmax_rows = -1", "FILE line 2, max_rows: -1 rows"),
            ("[writer]\nlinger = \"soon\"", "FILE line 2, linger: \"soon\" is no duration"),
            ("[writer]\nlinger = \"-1s\"", "FILE line 2, linger: \"-1s\" is no duration"),
            ("[streams]\nmax_bytes = \"1KiB\"", "FILE line 2, max_bytes: 1.0 KiB is too little"),
            ("[log]\nlevel = \"loud\"", "FILE line 2, level: \"loud\" is no level"),
            ("[log]\nkeep_files = 0", "FILE line 2, keep_files: 0 files: 1 to 1000 are expected"),
            ("[log]\nkeep_files = 1001", "FILE line 2, keep_files: 1001 files"),
            ("[log]\ndir = 5", "FILE line 2, dir: invalid type: integer"),
            ("[pipeline]\nstart = \"tomorrow\"", "FILE line 2, start: \"tomorrow\" is no start"),
            ("[pipeline]\nname = \"a b\"", "FILE line 2, name: \"a b\" is no name"),
            ("[sources.polygon]\nurls = []", "FILE line 2, urls: at least one URL is expected"),
            ("[sources.polygon]\nurls = [\"ftp://KEY\"]", "FILE line 2, urls: URL 1 is not of the form"),
            ("[sources.fills]\nkind = \"rumours\"", "FILE line 2, kind: unknown variant `rumours`"),
            ("[rabbit]\nurl = \"x\"", "FILE line 1, [rabbit]: unknown field `rabbit`"),
            ("max_rows", "FILE line 1: "),
            ("[sources.polygon]\nurls = [\n\"http://a/KEY?x=1\"\n\"http://b\"]", "FILE line 4, urls: "),
            ("[sources]\npolygon = \"https://a/KEY\"", "FILE line 2, polygon: invalid type: string, expected struct"),
            ("[clickhouse]\npassword = 77123", "FILE line 2, password: a text in quotes is expected"),
            ("[sources.polygon]\nurls = 5", "FILE line 2, urls: a list of URLs is expected"),
        ];
        for (text, expected) in cases {
            let error = from_text(text).unwrap_err();
            assert!(error.starts_with(expected), "{text:?}: {error}");
            assert!(!error.contains('\n') && !error.contains("KEY"), "{error}");
        }
    }

    #[test]
    fn a_variable_with_one_underscore_is_told() {
        let variable = |name: &str| [(OsString::from(name), OsString::from("7"))];
        let error = ours(variable("POLYTAPE_WRITER_MAX_ROWS")).unwrap_err().to_string();
        assert!(error.ends_with("is POLYTAPE_WRITER__MAX_ROWS meant?"), "{error}");
        let error = ours(variable("POLYTAPE_SOURCES_POLYGON_URLS")).unwrap_err().to_string();
        assert!(error.ends_with("is POLYTAPE_SOURCES__POLYGON__URLS meant?"), "{error}");
        assert_eq!(ours(variable("POLYTAPE_KILLS")).unwrap().len(), 1);
        assert_eq!(ours(variable("HOME")).unwrap(), []);
    }

    #[test]
    fn a_file_that_is_not_there_is_told() {
        let error = load(Some(Path::new("/nowhere/polytape.toml")), []).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the config file /nowhere/polytape.toml: "), "{error}");
    }

    #[test]
    fn the_environment_is_laid_over_the_file() {
        let table: Table = "[writer]\nmax_rows = 5\nlinger = \"1s\"".parse().unwrap();
        let config = overlay(table, [("POLYTAPE_WRITER__MAX_ROWS".to_owned(), "7".to_owned())]).unwrap();
        assert_eq!((config.writer.max_rows, config.writer.linger), (7, Duration::from_secs(1)));

        let start = |text| from_environment("POLYTAPE_PIPELINE__START", text).unwrap().pipeline.start;
        assert_eq!(start("97800000"), StartSpec::Block(97_800_000));
        assert_eq!(start("latest"), StartSpec::Latest);
        let urls = |text| from_environment("POLYTAPE_SOURCES__POLYGON__URLS", text).unwrap().sources.polygon.urls;
        assert_eq!(urls("http://a"), ["http://a"]);
        assert_eq!(urls("http://a, http://b"), ["http://a", "http://b"]);
        assert_eq!(urls("[\"http://a\"]"), ["http://a"]);
        assert_eq!(from_environment("POLYTAPE_TEST_REDIS_URL", "x").unwrap(), Config::default());

        let error = from_environment("POLYTAPE_WRITER__MAX_ROWS", "many").unwrap_err();
        assert!(error.starts_with("POLYTAPE_WRITER__MAX_ROWS in the environment: "), "{error}");
        let error = from_environment("POLYTAPE_WRITER__MAX_ROW", "7").unwrap_err();
        assert!(error.contains("POLYTAPE_WRITER__MAX_ROW") && error.contains("unknown field `max_row`"), "{error}");
    }
}
