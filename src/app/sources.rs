//! The sources of a configuration.

use std::{sync::Arc, thread};

use jiff::Timestamp;

use crate::config::{Config, DataApiSection, GammaSection};
use crate::flow::StageId;
use crate::source::{ApiConfig, Chain, data_api::DataApi, gamma::Gamma, goldsky::Goldsky, registry::Provider};
use crate::streams::Fills;

use super::AppError;

/// All sources. Each reads the system's certificates, which takes its time: they do so side by side.
pub(crate) fn all(config: &Config) -> Result<(Chain, Gamma, DataApi), AppError> {
    thread::scope(|scope| {
        let gamma = scope.spawn(|| gamma(config));
        let data_api = scope.spawn(|| data_api(config));
        let chain = chain(config);
        let panicked = |_| AppError::Start(std::io::Error::other("a source panicked while it was made"));
        Ok((chain?, gamma.join().map_err(panicked)??, data_api.join().map_err(panicked)??))
    })
}

/// The sources of fills that stand beside the chain, each with the stage that reads it.
pub(crate) fn beside(config: &Config, now: Timestamp) -> Result<Vec<Fills>, AppError> {
    let section = &config.sources.goldsky;
    if !section.enabled {
        return Ok(Vec::new());
    }
    let source = Arc::new(goldsky(config)?);
    let (stage, poll_interval) = (StageId::IngestGoldsky, section.poll_interval);
    let start = section.start.as_ref().unwrap_or(&config.pipeline.start).at(now);
    Ok(vec![Fills { source, stage, start, poll_interval }])
}

pub(crate) fn goldsky(config: &Config) -> Result<Goldsky, AppError> {
    Goldsky::new(&config.sources.goldsky).map_err(|(key, why)| AppError::Setting(key, why))
}

/// The chain, by all providers that are read.
fn chain(config: &Config) -> Result<Chain, AppError> {
    let build = |provider: &Provider| (provider.build)(&config.sources);
    let built: Result<_, _> = config.sources.providers().map(build).collect();
    Ok(Chain::new(built.map_err(|(key, why)| AppError::Setting(key, why))?))
}

pub(crate) fn gamma(config: &Config) -> Result<Gamma, AppError> {
    let GammaSection { url, timeout, max_rate, .. } = config.sources.gamma.clone();
    Gamma::new(&ApiConfig { timeout, max_rate, ..ApiConfig::at(url) })
        .map_err(|error| AppError::Setting("sources.gamma.url", error.to_string()))
}

pub(crate) fn data_api(config: &Config) -> Result<DataApi, AppError> {
    let DataApiSection { url, timeout, max_rate } = config.sources.data_api.clone();
    DataApi::new(&ApiConfig { timeout, max_rate, ..ApiConfig::at(url) })
        .map_err(|error| AppError::Setting("sources.data_api.url", error.to_string()))
}
