//! The sources of a configuration.

use std::thread;

use crate::config::{Config, DataApiSection, GammaSection, PolygonSection};
use crate::source::polygon::{Polygon, PolygonConfig};
use crate::source::{ApiConfig, data_api::DataApi, gamma::Gamma};

use super::CliError;

/// All sources. Each reads the system's certificates, which takes its time: they do so side by side.
pub(super) fn all(config: &Config) -> Result<(Polygon, Gamma, DataApi), CliError> {
    thread::scope(|scope| {
        let gamma = scope.spawn(|| gamma(config));
        let data_api = scope.spawn(|| data_api(config));
        let polygon = polygon(&config.sources.polygon, config.sources.polygon.urls.clone());
        let panicked = |_| CliError::Start(std::io::Error::other("a source panicked while it was made"));
        Ok((polygon?, gamma.join().map_err(panicked)??, data_api.join().map_err(panicked)??))
    })
}

/// The nodes at some URLs, as the section says how to ask them.
pub(super) fn polygon(section: &PolygonSection, urls: Vec<String>) -> Result<Polygon, CliError> {
    let config = PolygonConfig { urls, timeout: section.timeout, ..PolygonConfig::default() };
    Polygon::new(config).map_err(|error| CliError::Source("sources.polygon.urls", error.to_string()))
}

pub(super) fn gamma(config: &Config) -> Result<Gamma, CliError> {
    let GammaSection { url, timeout, max_rate, .. } = config.sources.gamma.clone();
    Gamma::new(&ApiConfig { timeout, max_rate, ..ApiConfig::at(url) })
        .map_err(|error| CliError::Source("sources.gamma.url", error.to_string()))
}

pub(super) fn data_api(config: &Config) -> Result<DataApi, CliError> {
    let DataApiSection { url, timeout, max_rate } = config.sources.data_api.clone();
    DataApi::new(&ApiConfig { timeout, max_rate, ..ApiConfig::at(url) })
        .map_err(|error| CliError::Source("sources.data_api.url", error.to_string()))
}
