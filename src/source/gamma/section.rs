//! `[sources.gamma]`: the API of markets, as it is configured.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{source::http::ApiConfig, value};

/// Where Polymarket's own Gamma is. It needs no key.
pub const URL: &str = "https://gamma-api.polymarket.com";

/// `[sources.gamma]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GammaSection {
    /// Whether it is read.
    #[serde(deserialize_with = "value::switch")]
    pub enabled: bool,
    /// Its base URL.
    #[serde(deserialize_with = "value::api_url")]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scan {
    /// The open ones, those that are closed from now on, and those that somebody trades.
    #[default]
    Active,
    /// All that there have ever been, too.
    All,
}

impl Default for GammaSection {
    fn default() -> Self {
        let ApiConfig { url, timeout, max_rate, .. } = ApiConfig::at(URL);
        Self { enabled: true, url, poll_interval: Duration::from_secs(30), scan: Scan::Active, timeout, max_rate }
    }
}

impl<'de> Deserialize<'de> for Scan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        value::choice(deserializer, &[("active", Self::Active), ("all", Self::All)])
    }
}
