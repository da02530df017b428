//! Reads the configuration from where it may be.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::Table;

use super::{
    environment::Environment, error::ConfigError, overlay, predecessor, retired, schema::Schema, secrets,
    sections::Config, sources,
};
use crate::io_words::why;
use crate::toml_file::{self, Fault};

/// Where the file is usually, if the system has a place for it.
pub fn default_file() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "polytape").map(|dirs| dirs.config_dir().join("config.toml"))
}

/// Reads a file, if one is named, and lays the environment over it.
pub fn load(named: Option<&Path>, environment: &Environment) -> Result<Config, ConfigError> {
    secrets::learn_environment(environment);
    let schema = Schema::new();
    let (table, warning) = match named {
        Some(path) => read(&schema, path)?,
        None => (Table::new(), None),
    };
    let table = predecessor::lay(table, environment)?;
    let mut config = sources::check(both_or_neither(overlay::lay(&schema, table, environment)?)?)?;
    config.warnings.splice(0..0, warning);
    secrets::learn_config(&config);
    Ok(config)
}

/// Refuses Redis without ClickHouse, and the reverse.
fn both_or_neither(config: Config) -> Result<Config, ConfigError> {
    let (present, missing) = match (&config.redis, &config.clickhouse) {
        (Some(_), None) => ("[redis]", "[clickhouse]"),
        (None, Some(_)) => ("[clickhouse]", "[redis]"),
        _ => return Ok(config),
    };
    Err(ConfigError::Half { present, missing })
}

/// The file as a table, which by itself is a valid configuration, and what somebody should know of it.
fn read(schema: &Schema, path: &Path) -> Result<(Table, Option<String>), ConfigError> {
    let text = fs::read_to_string(path).map_err(|cause| {
        let is_missing = cause.kind() == std::io::ErrorKind::NotFound;
        ConfigError::Unreadable { path: path.to_owned(), why: why(&cause), is_missing }
    })?;
    let (table, warning) = understood(schema, &text)
        .map_err(|fault| ConfigError::File { path: path.to_owned(), fault: fault.to_string() })?;
    Ok((table, warning.map(|warning| format!("{} {warning}", path.display()))))
}

fn understood(schema: &Schema, text: &str) -> Result<(Table, Option<String>), Fault> {
    let mut document = toml_file::parse(text)?;
    let warning = retired::take(text, document.get_mut());
    schema.check(text, document.get_ref())?;
    let wrong = |error: toml::de::Error| {
        let span = error.span().unwrap_or(0..0);
        let path = toml_file::path_at(document.get_ref(), span.start);
        Fault::at(text, &span, path.last().cloned().unwrap_or_default(), error.message())
    };
    Config::deserialize(toml::de::Deserializer::from(document.clone())).map_err(wrong)?;
    let mut table: Table = text.parse().map_err(wrong)?;
    if warning.is_some() {
        retired::remove(&mut table);
    }
    Ok((table, warning))
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
        load(Some(file.path()), &Environment::default()).map_err(|error| error.to_string().replace(&path, "FILE"))
    }

    #[test]
    fn nothing_is_the_default() {
        assert_eq!(from_text("").unwrap(), Config::default());
        assert_eq!(load(None, &Environment::default()).unwrap(), Config::default());
    }

    #[test]
    fn every_key_is_read() {
        let config = from_text(
            r#"
            [pipeline]
            name = "second"
            start = "97800000"
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
            ("[writer]\nmax_row = 5", "line 2, max_row: there is no such key in [writer]: is max_rows meant?"),
            (
                "[streams]\nmax_rows = 5",
                "line 2, max_rows: there is no such key in [streams]: it belongs under [writer]",
            ),
            ("max_rows = 5", "line 1, max_rows: there is no such key outside of sections: it belongs under [writer]"),
            (
                "url = \"x\"",
                "line 1, url: there is no such key outside of sections: it is a key of [clickhouse], [redis]",
            ),
            (
                "[writer]\ncolour = 1",
                "line 2, colour: there is no such key in [writer]: there are linger, max_bytes and max_rows",
            ),
            ("\n[wrtier]", "line 2, [wrtier]: there is no such section: is [writer] meant?"),
            ("[gamma]\nscan = \"all\"", "line 1, [gamma]: there is no such section: is [sources.gamma] meant?"),
            ("[rabbit]\nurl = \"x\"", "line 1, [rabbit]: there is no such section: there are [clickhouse]"),
            ("[[writer]]\nmax_rows = 5", "line 1, writer: a section is written with one bracket: [writer]"),
            ("[writer.max_rows]\nx = 5", "line 1, [writer.max_rows]: is a key, not a section: max_rows = 50000"),
            (
                "[sources]\npolygon = \"https://a/KEY\"",
                "line 2, polygon: is a section: write [sources.polygon] and below it",
            ),
            (
                "[writer]\n\nmax_rows = \"many\"",
                "line 3, max_rows: \"many\" is no whole number: 1 to 1000000 rows are expected",
            ),
            ("[writer]\nmax_rows = 1.5", "line 2, max_rows: a number with a fraction is no whole number"),
            (
                "[writer]\nmax_rows = 5_000_000_000_000_000_000_000",
                "line 2, max_rows: so large a number is no whole number: 1 to 1000000 rows are expected",
            ),
            ("[writer]\nmax_rows = 0", "line 2, max_rows: 0 is out of bounds: 1 to 1000000 rows are expected"),
            ("[writer]\nmax_rows = -1", "line 2, max_rows: -1 is out of bounds"),
            ("[writer]\nlinger = \"soon\"", "line 2, linger: \"soon\" is no duration: write it as \"250ms\""),
            (
                "[writer]\nlinger = \"30\"",
                "line 2, linger: \"30\" is no duration, it lacks a unit: write it as \"250ms\"",
            ),
            ("[writer]\nlinger = 30", "line 2, linger: 30 is no duration, it lacks a unit"),
            ("[writer]\nlinger = [1]", "line 2, linger: a list is no duration"),
            ("[writer]\nlinger = \"-1s\"", "line 2, linger: \"-1s\" is no duration"),
            ("[streams]\nkeep = \"400d\"", "line 2, keep: 9600h is out of bounds: a duration from 1ms to 366d"),
            ("[streams]\nmax_bytes = \"1KiB\"", "line 2, max_bytes: 1.0 KiB is too little"),
            ("[streams]\nmax_bytes = \"5 sacks\"", "line 2, max_bytes: \"5 sacks\" is no size: write it as \"32MiB\""),
            ("[log]\nlevel = \"loud\"", "line 2, level: \"loud\" is not possible here: one of \"error\""),
            ("[log]\nlevel = \"warning\"", "is expected, is \"warn\" meant?"),
            ("[log]\nkeep_files = 1001", "line 2, keep_files: 1001 is out of bounds: 1 to 1000 files are expected"),
            ("[log]\ndir = 5", "line 2, dir: 5 is no text: a path stands in quotes"),
            (
                "[ui]\ntheme = \"ansy\"",
                "line 2, theme: \"ansy\" is not possible here: one of \"ansi\", \"cvd\" and \"mono\"",
            ),
            ("[pipeline]\nstart = \"tomorrow\"", "line 2, start: \"tomorrow\" is no start"),
            (
                "[pipeline]\nstart = 51866068",
                "line 2, start: 51866068 is no start: the number of a block stands in quotes",
            ),
            ("[pipeline]\nname = \"a b\"", "line 2, name: \"a b\" is no name"),
            ("[sources.polygon]\nurls = []", "line 2, urls: at least one URL is expected"),
            ("[sources.polygon]\nurls = [\"ftp://KEY\"]", "line 2, urls: URL 1: ftp:// is not understood here"),
            ("[sources.polygon]\nurls = [\"a.b/KEY\"]", "line 2, urls: URL 1: a URL of the form"),
            ("[sources.polygon]\nurls = 5", "line 2, urls: a list of URLs is expected"),
            ("[sources.fills]\nkind = \"rumours\"", "line 1, [sources.fills]: there is no such section"),
            (
                "[redis]\nurl = \"http://KEY\"",
                "line 2, url: http:// is not understood here: write \"redis://host:6379/0\"",
            ),
            (
                "[clickhouse]\nurl = \"tcp://h:9000\"",
                "line 2, url: tcp:// is not understood here: port 9000 is that of",
            ),
            ("[clickhouse]\npassword = 77123", "line 2, password: a text in quotes is expected"),
            ("[clickhouse]\npassword = \"KE\\nY\"", "line 2, password: holds a control character"),
        ];
        for (text, expected) in cases {
            let error = from_text(text).unwrap_err();
            assert!(error.starts_with("FILE ") && error.contains(expected), "{text:?}: {error}");
            assert!(!error.contains('\n') && !error.contains("KEY"), "{error}");
        }
    }

    #[test]
    fn what_nobody_reads_any_more_is_told_once_and_costs_nothing() {
        let cases = [
            ("\n[sources.fills]\nkind = \"polygon\"\n[writer]\nmax_rows = 5", 3),
            ("[sources.fills]\n[writer]\nmax_rows = 5", 1),
            ("sources.fills.kind = \"Polygon\"\nwriter.max_rows = 5", 1),
            ("[writer]\nmax_rows = 5\n[sources]\nfills = { kind = \"polygon\" }", 4),
        ];
        for (text, line) in cases {
            let config = from_text(text).unwrap();
            let [warning] = config.warnings.as_slice() else { panic!("{:?}", config.warnings) };
            assert!(warning.contains(&format!(" line {line}, sources.fills.kind: it is not needed")), "{warning}");
            assert_eq!(config.writer.max_rows, 5);
            assert!(!config.shown().contains("fills"), "{}", config.shown());
        }
        let variable = [("POLYTAPE_SOURCES__FILLS__KIND", "polygon"), ("POLYTAPE_WRITER__MAX_ROWS", "5")];
        let config = load(None, &variable.into_iter().collect()).unwrap();
        let [warning] = config.warnings.as_slice() else { panic!("{:?}", config.warnings) };
        assert!(warning.starts_with("POLYTAPE_SOURCES__FILLS__KIND in the environment: "), "{warning}");
        assert_eq!(config.writer.max_rows, 5);
        assert!(load(None, &[("POLYTAPE_SOURCES__FILLS__KIND", "rumours")].into_iter().collect()).is_err());
        assert!(from_text("[sources.fills]\nkind = \"polygon\"\nsize = 5").is_err());
    }

    #[test]
    fn what_a_run_cannot_do_without_is_not_off() {
        assert!(!from_text("[sources.gamma]\nenabled = false").unwrap().sources.gamma.enabled);
        let error = from_text("[sources.polygon]\nenabled = false").unwrap_err();
        assert!(error.starts_with("sources.polygon.enabled = false: "), "{error}");
        let error = from_text("[sources.gamma]\nenabled = \"maybe\"").unwrap_err();
        assert_eq!(error, "FILE line 2, enabled: \"maybe\" is not possible here: true or false is expected");
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let cases = [
            ("max_rows", "line 1: neither a [section] nor a value: name = value"),
            ("[writer\nmax_rows = 5", "line 1: the bracket of a section is not closed"),
            ("[writer]\nmax_rows =\n\nlinger = \"1s\"", "line 2, max_rows: there is no value behind the ="),
            (
                "[sources.polygon]\nurls = [\n\"http://a/KEY\",\n[log]\nkeep_files = 7",
                "line 2, urls: the list that begins here has no end",
            ),
            ("[log]\ndir = \"\"\"/KEY\nlevel = \"info\"", "line 2, dir: the text that begins here has no end"),
            ("[writer]\nmax_rows = 05", "line 2, max_rows: a number is written without zeros before it"),
            ("[writer]\nlinger = 30s", "line 2, linger: what is more than a number stands in quotes"),
            ("[log]\nlevel = debug", "line 2, level: a text stands in quotes"),
            ("[log]\ndir = \"/var", "line 2, dir: a quote is not closed"),
            ("[log]\ndir = “/var”", "line 2, dir: quotes of this kind"),
            ("[log]\nlevel: debug", "line 2, [log]: neither a [section] nor a value"),
            ("[log]\nlevel = \"info\" dir = \"x\"", "line 2, level: something stands behind the value"),
            ("[log]\nlevel = \"info\"\nlevel = \"warn\"", "line 3, level: stands there twice: it is on line 2 already"),
            ("[log]\n[ui]\n[log]", "line 3, [log]: stands there twice: it is on line 1 already"),
            ("[sources.polygon]\nurls = [\n\"http://a/KEY?x=1\"\n\"http://b\"]", "line 4, urls: a list lacks a comma"),
            ("[sources.polygon]\nurls = [\"http://a/KEY\"", "line 2, urls: a list lacks a comma or its end"),
            ("[clickhouse]\npassword = KEY", "line 2, password: a text stands in quotes"),
        ];
        for (text, expected) in cases {
            let error = from_text(text).unwrap_err();
            assert!(error.starts_with(&format!("FILE {expected}")), "{text:?}: {error}");
            assert!(!error.contains('\n') && !error.contains("KEY"), "{error}");
        }
    }

    #[test]
    fn what_people_write_is_understood() {
        let config = from_text(
            "[writer]\nlinger = \"30 sec\"\nmax_bytes = \"5 GB\"\n[streams]\nmax_bytes = \"5g\"\nkeep = \"2 days\"\n\
             [storage]\nmin_free = 1000\n[ui]\ntheme = \"CVD\"\n[redis]\nurl = \"localhost:6379\"\n[clickhouse]\n\
             url = \"localhost:8123\"\npassword = \"\"\"p$w\n\"\"\"",
        )
        .unwrap();
        assert_eq!(
            (config.writer.linger, config.streams.keep),
            (Duration::from_secs(30), Duration::from_secs(172_800))
        );
        assert_eq!((config.writer.max_bytes, config.streams.max_bytes), (ByteSize::gb(5), ByteSize::gb(5)));
        assert_eq!((config.storage.min_free, config.ui.theme), (ByteSize::b(1000), crate::config::UiTheme::Cvd));
        let (redis, clickhouse) = (config.redis.unwrap(), config.clickhouse.unwrap());
        assert_eq!((redis.url.as_str(), clickhouse.url.as_str()), ("redis://localhost:6379", "http://localhost:8123"));
        assert_eq!(clickhouse.password, "p$w");
    }

    #[test]
    fn a_file_that_is_not_there_is_told() {
        let error = load(Some(Path::new("/nowhere/polytape.toml")), &Environment::default()).unwrap_err().to_string();
        let words =
            "cannot read the config file /nowhere/polytape.toml: it is not there; polytape config init writes one";
        assert_eq!(error, words);
    }
}
