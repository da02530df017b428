//! The configuration: one struct, its defaults, its checks.
//!
//! Defaults, then the file, then `POLYTAPE_SECTION__KEY` from the environment; flags are laid over it by the command
//! line. A key that is not known and a value that cannot be are errors that name the key and where it stands.

mod load;
mod value;

use std::time::Duration;

use bytesize::ByteSize;
use serde::Deserialize;

pub use load::{ConfigError, default_file, load};
pub use value::StartSpec;
pub(crate) use value::parse_duration;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The pipeline as a whole.
    pub pipeline: PipelineConfig,
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
}

/// `[pipeline]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PipelineConfig {
    /// The name under which its checkpoints are kept.
    #[serde(deserialize_with = "value::name")]
    pub name: String,
    /// Where a first run begins.
    pub start: StartSpec,
}

/// `[sources]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourcesConfig {
    /// Which source of fills is read.
    pub fills: FillsConfig,
    /// Polygon nodes.
    pub polygon: PolygonSection,
}

/// `[sources.fills]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FillsConfig {
    /// The kind of source.
    pub kind: FillsKind,
}

/// A kind of source of fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FillsKind {
    /// A Polygon JSON-RPC node.
    #[default]
    Polygon,
}

/// `[sources.polygon]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolygonSection {
    /// The nodes, which take turns.
    #[serde(deserialize_with = "value::urls")]
    pub urls: Vec<String>,
    /// How often the head is asked for.
    #[serde(deserialize_with = "value::duration")]
    pub poll_interval: Duration,
    /// How long a request may take.
    #[serde(deserialize_with = "value::duration")]
    pub timeout: Duration,
}

/// `[writer]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WriterConfig {
    /// Rows of one batch, at most.
    #[serde(deserialize_with = "value::rows")]
    pub max_rows: usize,
    /// How long a batch waits to be filled.
    #[serde(deserialize_with = "value::duration")]
    pub linger: Duration,
    /// Bytes of one batch, at most.
    #[serde(deserialize_with = "value::bytes")]
    pub max_bytes: ByteSize,
}

/// `[streams]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StreamsConfig {
    /// Bytes of one stream, at most. Half of them may be unread before the stage in front of it waits.
    #[serde(deserialize_with = "value::bytes")]
    pub max_bytes: ByteSize,
    /// How long entries are kept that everybody has read, as long as there is room.
    #[serde(deserialize_with = "value::duration")]
    pub keep: Duration,
}

/// `[storage]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// Bytes that must stay free where the data directory is.
    pub min_free: ByteSize,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// The least level that is logged.
    #[serde(deserialize_with = "value::level")]
    pub level: tracing::Level,
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
        Self { level: tracing::Level::INFO }
    }
}
