//! What is configured under `[sources.NAME]`, and who delivers the chain.
//!
//! A provider of the chain is a section with its defaults and an entry in [`PROVIDERS`]: how it is built, and what of it is
//! checked one by one. `run` and `check` know providers by this list only.

use serde::{Deserialize, Serialize};

use super::{
    data_api::DataApiSection, gamma::GammaSection, goldsky::GoldskySection, http::host_of, polygon::PolygonSection,
};

pub use super::chain::Built;

/// `[sources]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourcesConfig {
    /// Polygon nodes.
    pub polygon: PolygonSection,
    /// The API of markets.
    pub gamma: GammaSection,
    /// The API of tokens.
    pub data_api: DataApiSection,
    /// A subgraph of fills.
    pub goldsky: GoldskySection,
}

/// A kind of provider of the chain.
pub struct Provider {
    /// Its section: `polygon`.
    pub section: &'static str,
    /// Whether it is read.
    pub is_enabled: fn(&SourcesConfig) -> bool,
    /// The provider as a run asks it.
    pub build: fn(&SourcesConfig) -> Built,
    /// What of it is checked one by one, each as a provider of its own, with its host and port.
    pub parts: fn(&SourcesConfig) -> Vec<(String, Built)>,
}

/// All kinds, in the order in which they are asked.
pub const PROVIDERS: &[Provider] = &[POLYGON];

const POLYGON: Provider = Provider {
    section: "polygon",
    is_enabled: |sources| sources.polygon.enabled,
    build: |sources| sources.polygon.build(sources.polygon.urls.clone()),
    parts: |sources| {
        let node = |url: &String| (host_of(url), sources.polygon.build(vec![url.clone()]));
        sources.polygon.urls.iter().map(node).collect()
    },
};

impl SourcesConfig {
    /// The providers that are read.
    pub fn providers(&self) -> impl Iterator<Item = &'static Provider> {
        PROVIDERS.iter().filter(|provider| (provider.is_enabled)(self))
    }
}
