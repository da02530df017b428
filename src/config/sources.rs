//! What of the sources a run cannot do without.

use super::{error::ConfigError, sections::Config};
use crate::source::registry::PROVIDERS;

/// Fails unless fills are read from somewhere.
pub(super) fn check(config: Config) -> Result<Config, ConfigError> {
    if config.sources.providers().next().is_some() {
        return Ok(config);
    }
    Err(ConfigError::Off {
        section: PROVIDERS[0].section,
        why: "nothing else reads the chain, so there would be no fills",
    })
}
