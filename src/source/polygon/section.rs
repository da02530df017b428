//! `[sources.polygon]`: nodes as a provider of the chain.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{config::PolygonConfig, nodes::Polygon};
use crate::{source::chain::Built, value};

/// `[sources.polygon]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolygonSection {
    /// Whether it is read.
    #[serde(deserialize_with = "value::switch")]
    pub enabled: bool,
    /// The nodes, which take turns.
    #[serde(deserialize_with = "value::urls::deserialize")]
    pub urls: Vec<String>,
    /// How often the head is asked for while it is not known when the next one is due, and the longest rest behind that.
    #[serde(with = "value::duration")]
    pub poll_interval: Duration,
    /// How long a request may take.
    #[serde(with = "value::duration")]
    pub timeout: Duration,
}

impl Default for PolygonSection {
    fn default() -> Self {
        let PolygonConfig { urls, timeout, .. } = PolygonConfig::default();
        Self { enabled: true, urls, poll_interval: Duration::from_secs(1), timeout }
    }
}

impl PolygonSection {
    /// The nodes at some URLs, asked as the section says.
    pub(in crate::source) fn build(&self, urls: Vec<String>) -> Built {
        let config = PolygonConfig { urls, timeout: self.timeout, ..PolygonConfig::default() };
        let nodes = Polygon::new(config).map_err(|error| ("sources.polygon.urls", error.to_string()))?;
        Ok(Arc::new(nodes))
    }
}
