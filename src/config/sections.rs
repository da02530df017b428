//! The sections, their keys and what they are where nobody says otherwise.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::entry::MAX_EVENTS;
use crate::source::{StartSpec, registry::SourcesConfig};
use crate::value;

use super::stores::{ClickhouseSection, RedisSection};

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The pipeline as a whole.
    pub pipeline: PipelineConfig,
    /// Where streams are; `None` for the embedded store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<RedisSection>,
    /// Where tables are; `None` for the embedded store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clickhouse: Option<ClickhouseSection>,
    /// Where data comes from.
    pub sources: SourcesConfig,
    /// The batch writers.
    pub writer: WriterConfig,
    /// The streams.
    pub streams: StreamsConfig,
    /// The disk.
    pub storage: StorageConfig,
    /// What is told over HTTP.
    pub http: HttpConfig,
    /// The log.
    pub log: LogConfig,
    /// The screen.
    pub ui: UiConfig,
    /// What somebody should know of what was given, a line each.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// `[pipeline]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PipelineConfig {
    /// The name under which its checkpoints are kept.
    #[serde(deserialize_with = "value::name")]
    pub name: String,
    /// Where a first run begins.
    pub start: StartSpec,
}

/// `[writer]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WriterConfig {
    /// Rows of one batch, at most.
    #[serde(deserialize_with = "value::rows")]
    pub max_rows: usize,
    /// How long a batch waits to be filled.
    #[serde(with = "value::duration")]
    pub linger: Duration,
    /// Bytes of one batch, at most.
    #[serde(with = "value::bytes")]
    pub max_bytes: ByteSize,
}

/// `[streams]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StreamsConfig {
    /// Bytes of one stream, at most. Half of them may be unread before the stage in front of it waits.
    #[serde(with = "value::bytes")]
    pub max_bytes: ByteSize,
    /// How long entries are kept that everybody has read, as long as there is room.
    #[serde(with = "value::duration")]
    pub keep: Duration,
    /// Events of one entry, at most.
    #[serde(deserialize_with = "value::batch")]
    pub batch: usize,
}

/// `[storage]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// Bytes that must stay free where the data directory is.
    #[serde(with = "value::any_bytes")]
    pub min_free: ByteSize,
}

/// `[http]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Where it is told, an address with a port; empty for nowhere.
    #[serde(deserialize_with = "value::listen")]
    pub listen: String,
    /// Names by which it may be asked for, beside addresses and `localhost`.
    #[serde(deserialize_with = "value::hosts")]
    pub hosts: Vec<String>,
    /// How old the newest final block and what is in the tables may be while it is ready.
    #[serde(with = "value::duration")]
    pub ready_within: Duration,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// The least level that is logged.
    #[serde(with = "value::level")]
    pub level: tracing::Level,
    /// Where its files are, if it is not the usual place.
    #[serde(deserialize_with = "value::path")]
    pub dir: PathBuf,
    /// How many of its files are kept, one a day.
    #[serde(deserialize_with = "value::files")]
    pub keep_files: usize,
    /// Bytes of one day's, at most.
    #[serde(with = "value::bytes")]
    pub max_bytes: ByteSize,
}

impl LogConfig {
    /// Where the files of a pipeline are that lives in a directory.
    pub fn dir_for(&self, data_dir: &Path) -> PathBuf {
        if self.dir.as_os_str().is_empty() { data_dir.join("logs") } else { self.dir.clone() }
    }
}

/// `[ui]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UiConfig {
    /// The colours.
    pub theme: UiTheme,
    /// The characters.
    pub charset: UiCharset,
    /// A file of keys that lies over the usual ones; empty for none.
    #[serde(deserialize_with = "value::text")]
    pub keymap: String,
}

/// Colours of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UiTheme {
    /// The terminal's own sixteen.
    #[default]
    Ansi,
    /// Told apart whatever colours a person sees.
    Cvd,
    /// None.
    Mono,
}

/// Characters of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UiCharset {
    /// As the environment says.
    #[default]
    Auto,
    /// Lines, bars and dots.
    Unicode,
    /// Seven bits.
    Ascii,
}

/// Words in place of variants, one of which is expected.
macro_rules! words {
    ($kind:ty: $($word:literal => $variant:ident),+) => {
        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                value::choice(deserializer, &[$(($word, Self::$variant)),+])
            }
        }
    };
}

words!(UiTheme: "ansi" => Ansi, "cvd" => Cvd, "mono" => Mono);
words!(UiCharset: "auto" => Auto, "unicode" => Unicode, "ascii" => Ascii);

impl Default for PipelineConfig {
    fn default() -> Self {
        Self { name: "main".into(), start: StartSpec::Age(Duration::from_secs(15 * 60)) }
    }
}

impl Default for WriterConfig {
    fn default() -> Self {
        Self { max_rows: 50_000, linger: Duration::from_millis(250), max_bytes: ByteSize::mib(32) }
    }
}

impl Default for StreamsConfig {
    fn default() -> Self {
        Self { max_bytes: ByteSize::gib(1), keep: Duration::from_secs(10 * 60), batch: MAX_EVENTS }
    }
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self { min_free: ByteSize::gib(2) }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { listen: String::new(), hosts: Vec::new(), ready_within: Duration::from_secs(2 * 60) }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: tracing::Level::INFO, dir: PathBuf::new(), keep_files: 7, max_bytes: ByteSize::gib(1) }
    }
}
