//! `[sources.goldsky]`: a subgraph of fills, as it is configured.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::value;

/// The public subgraph. It holds the V1 exchanges only, its newest fill is of 2026-04-28T11:00:40Z, and it needs no token.
pub const URL: &str =
    "https://api.goldsky.com/api/public/project_cl6mb8i9h0003e201j6li0diw/subgraphs/orderbook-subgraph/0.0.1/gn";

/// `[sources.goldsky]`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GoldskySection {
    /// Whether it is read.
    #[serde(deserialize_with = "value::switch")]
    pub enabled: bool,
    /// The GraphQL endpoint.
    #[serde(deserialize_with = "value::api_url")]
    pub url: String,
    /// What is sent as a bearer; empty for none.
    #[serde(deserialize_with = "value::password")]
    pub token: String,
    /// How often new fills are asked for.
    #[serde(with = "value::duration")]
    pub poll_interval: Duration,
    /// The most rows of a request.
    #[serde(deserialize_with = "value::page")]
    pub page: usize,
    /// Younger fills are not read yet.
    #[serde(with = "value::duration")]
    pub settle: Duration,
    /// How long a request may take.
    #[serde(with = "value::duration")]
    pub timeout: Duration,
}

impl Default for GoldskySection {
    fn default() -> Self {
        Self {
            enabled: false,
            url: URL.to_owned(),
            token: String::new(),
            poll_interval: Duration::from_secs(5),
            page: 1_000,
            settle: Duration::from_secs(60),
            timeout: Duration::from_secs(30),
        }
    }
}

/// Without what may be a key.
impl fmt::Debug for GoldskySection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoldskySection").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}
