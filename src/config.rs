//! The configuration: one struct, its defaults, its checks.
//!
//! Defaults, then the file, then `POLYTAPE_SECTION__KEY` from the environment; flags are laid over it by the command
//! line. A key that is not known and a value that cannot be are errors that name the key and where it stands.

mod example;
mod load;
mod predecessor;
mod secrets;
mod show;
mod stores;
mod value;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use crate::source::{ApiConfig, data_api, gamma};

pub use example::EXAMPLE;
pub use load::{ConfigError, default_file, load};
pub use predecessor::NAMES as PREDECESSOR_NAMES;
pub use stores::{ClickhouseSection, RedisSection};
pub use value::StartSpec;
pub(crate) use value::parse_duration;

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
    /// The log.
    pub log: LogConfig,
    /// The screen.
    pub ui: UiConfig,
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

/// `[sources]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourcesConfig {
    /// Which source of fills is read.
    pub fills: FillsConfig,
    /// Polygon nodes.
    pub polygon: PolygonSection,
    /// The API of markets.
    pub gamma: GammaSection,
    /// The API of tokens.
    pub data_api: DataApiSection,
}

/// `[sources.fills]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FillsConfig {
    /// The kind of source.
    pub kind: FillsKind,
}

/// A kind of source of fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FillsKind {
    /// A Polygon JSON-RPC node.
    #[default]
    Polygon,
}

/// `[sources.polygon]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolygonSection {
    /// The nodes, which take turns.
    #[serde(with = "value::urls")]
    pub urls: Vec<String>,
    /// How often the head is asked for.
    #[serde(with = "value::duration")]
    pub poll_interval: Duration,
    /// How long a request may take.
    #[serde(with = "value::duration")]
    pub timeout: Duration,
}

/// `[sources.gamma]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GammaSection {
    /// Its base URL.
    #[serde(with = "value::url")]
    pub url: String,
    /// How often what is new and changed is asked for.
    #[serde(with = "value::duration")]
    pub poll_interval: Duration,
    /// Which markets are read.
    pub scan: Scan,
    /// How long a request may take.
    #[serde(with = "value::duration")]
    pub timeout: Duration,
    /// The most requests in a second.
    #[serde(deserialize_with = "value::rate")]
    pub max_rate: NonZeroU32,
}

/// Which markets are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scan {
    /// The open ones, those that are closed from now on, and those that somebody trades.
    #[default]
    Active,
    /// All that there have ever been, too.
    All,
}

/// `[sources.data_api]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataApiSection {
    /// Its base URL.
    #[serde(with = "value::url")]
    pub url: String,
    /// How long a request may take.
    #[serde(with = "value::duration")]
    pub timeout: Duration,
    /// The most requests in a second.
    #[serde(deserialize_with = "value::rate")]
    pub max_rate: NonZeroU32,
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
}

/// `[storage]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// Bytes that must stay free where the data directory is.
    #[serde(with = "value::any_bytes")]
    pub min_free: ByteSize,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// The least level that is logged.
    #[serde(with = "value::level")]
    pub level: tracing::Level,
    /// Where its files are, if it is not the usual place.
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
    pub keymap: String,
}

/// Colours of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl Default for PipelineConfig {
    fn default() -> Self {
        Self { name: "main".into(), start: StartSpec::Age(Duration::from_secs(15 * 60)) }
    }
}

impl Default for PolygonSection {
    fn default() -> Self {
        Self {
            urls: crate::source::polygon::PolygonConfig::default().urls,
            poll_interval: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
        }
    }
}

impl Default for GammaSection {
    fn default() -> Self {
        let ApiConfig { url, timeout, max_rate, .. } = ApiConfig::at(gamma::URL);
        Self { url, poll_interval: Duration::from_secs(30), scan: Scan::Active, timeout, max_rate }
    }
}

impl Default for DataApiSection {
    fn default() -> Self {
        let ApiConfig { url, timeout, max_rate, .. } = ApiConfig::at(data_api::URL);
        Self { url, timeout, max_rate }
    }
}

impl Default for WriterConfig {
    fn default() -> Self {
        Self { max_rows: 50_000, linger: Duration::from_millis(250), max_bytes: ByteSize::mib(32) }
    }
}

impl Default for StreamsConfig {
    fn default() -> Self {
        Self { max_bytes: ByteSize::gib(1), keep: Duration::from_secs(10 * 60) }
    }
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self { min_free: ByteSize::gib(2) }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: tracing::Level::INFO, dir: PathBuf::new(), keep_files: 7, max_bytes: ByteSize::gib(1) }
    }
}
