//! What every source shares when it asks over HTTP: requests are bounded in time and size, and silent about keys.

mod api;
mod batches;
mod body;
mod config;
mod connections;
mod elements;
mod keys;
mod pace;
pub(super) mod retry_after;
mod url;
mod words;

pub(super) use self::api::{Api, ApiError};
pub(super) use self::body::{Body, read, read_error};
pub use self::config::{ApiConfig, ApiConfigError};
pub(super) use self::connections::{Timeouts, connections};
pub(super) use self::elements::{Elements, fields};
pub use self::url::host_of;
pub(super) use self::url::{name_of, parse_url};
pub(super) use self::words::{proxy_to, words_of};
pub(super) use self::{batches::Batches, keys::Keys};
