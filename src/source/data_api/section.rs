//! `[sources.data_api]`: the API of tokens, as it is configured.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{source::http::ApiConfig, value};

/// Where Polymarket's own Data API is. It needs no key.
pub const URL: &str = "https://data-api.polymarket.com";

/// `[sources.data_api]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataApiSection {
    /// Its base URL.
    #[serde(deserialize_with = "value::api_url")]
    pub url: String,
    /// How long a request may take.
    #[serde(with = "value::duration")]
    pub timeout: Duration,
    /// The most requests in a second.
    #[serde(deserialize_with = "value::rate")]
    pub max_rate: NonZeroU32,
}

impl Default for DataApiSection {
    fn default() -> Self {
        let ApiConfig { url, timeout, max_rate, .. } = ApiConfig::at(URL);
        Self { url, timeout, max_rate }
    }
}
