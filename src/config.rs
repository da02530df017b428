//! The configuration: one struct, its defaults, its checks.
//!
//! Defaults, then the file, then `POLYTAPE_SECTION__KEY` from the environment; flags are laid over it by the command
//! line. A key that is not known and a value that cannot be are errors that name the key, where it stands, and what would be
//! right, in words of our own: serde and TOML only say where.

mod dotenv;
mod environment;
mod error;
mod example;
mod load;
mod overlay;
mod predecessor;
mod predecessor_names;
mod retired;
mod schema;
mod secrets;
mod sections;
mod service_link;
mod show;
mod sources;
mod stores;

pub use environment::Environment;
pub use error::ConfigError;
pub use example::EXAMPLE;
pub use load::{default_file, load};
pub use predecessor_names::PREDECESSOR_NAMES;
pub use sections::{
    Config, HttpConfig, LogConfig, PipelineConfig, StorageConfig, StreamsConfig, UiCharset, UiConfig, UiTheme,
    WriterConfig,
};
pub use stores::{ClickhouseSection, RedisSection};

pub use crate::source::StartSpec;
pub use crate::source::data_api::DataApiSection;
pub use crate::source::gamma::{GammaSection, Scan};
