//! The environment, and a file `.env` in the working directory for the predecessor's names in it.

use std::ffi::OsString;

use super::CliError;
use crate::config::{ConfigError, PREDECESSOR_NAMES};

/// What the configuration is read from beside its file. What the environment says goes before what the file says.
pub(super) fn all() -> Result<Vec<(OsString, OsString)>, CliError> {
    let mut all: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let file = match dotenvy::from_path_iter(".env") {
        Ok(file) => file,
        Err(error) if error.not_found() => return Ok(all),
        Err(error) => return Err(unreadable(&error)),
    };
    for line in file {
        let (name, value) = line.map_err(|error| unreadable(&error))?;
        let is_ours = PREDECESSOR_NAMES.contains(&name.as_str());
        if is_ours && !all.iter().any(|(there, _)| there.to_str() == Some(&name)) {
            all.push((name.into(), value.into()));
        }
    }
    Ok(all)
}

/// The same for the demo, which has a store of its own, whatever is configured.
pub(super) fn without_stores() -> Vec<(OsString, OsString)> {
    let names_a_store = |name: &str| {
        PREDECESSOR_NAMES.contains(&name)
            || name.starts_with("POLYTAPE_REDIS__")
            || name.starts_with("POLYTAPE_CLICKHOUSE__")
    };
    std::env::vars_os().filter(|(name, _)| !name.to_str().is_some_and(names_a_store)).collect()
}

/// Nothing of the line is repeated, which may be a password.
fn unreadable(error: &dotenvy::Error) -> CliError {
    let message = match error {
        dotenvy::Error::LineParse(_, _) => "a line of it is not NAME=value".to_owned(),
        other => other.to_string(),
    };
    CliError::Config(ConfigError::Environment { name: ".env".into(), message })
}
