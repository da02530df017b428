//! The environment, and a file `.env` in the working directory for what of ours is in it.

use std::path::Path;

use super::error::CliError;
use crate::config::{Environment, PREDECESSOR_NAMES};

/// What the configuration is read from beside its file. What the environment says goes before what the file says.
pub(super) fn all() -> Result<Environment, CliError> {
    Ok(Environment::of_process().with_file(Path::new(".env"))?)
}

/// The same for the demo, which has a store of its own, whatever is configured.
pub(super) fn without_stores() -> Environment {
    Environment::of_process().without(|name| {
        PREDECESSOR_NAMES.contains(&name)
            || name.starts_with("POLYTAPE_REDIS__")
            || name.starts_with("POLYTAPE_CLICKHOUSE__")
    })
}
