//! Whose store a directory holds, before anything is written to it: the demo's or that of a real run.

use crate::warehouse::{StoreOrigin, origin};
use crate::{demo::WorldConfig, sqlite::DataDir};

use super::error::CliError;

/// What a pipeline on Redis and ClickHouse keeps in its directory.
const INSTANCE: &str = "instance";

/// Fails unless the directory holds a store of the demo, or none with anything in it. Says whether nothing is in it.
pub(super) fn check_demo(data_dir: &DataDir) -> Result<bool, CliError> {
    let refused = |holds: String| Err(CliError::NoDemoStore { path: data_dir.path().to_owned(), holds });
    if !data_dir.database().exists() {
        return match data_dir.path().join(INSTANCE).exists() {
            true => refused("a pipeline on Redis and ClickHouse".into()),
            false => Ok(true),
        };
    }
    let StoreOrigin { is_demo, worlds, has_rows } = origin(&data_dir.database())?;
    let is_empty = worlds.is_empty() && !has_rows;
    if is_demo {
        return Ok(is_empty);
    }
    match worlds.iter().find(|world| !WorldConfig::is_demo_world(world)) {
        Some(other) => refused(other.clone()),
        None if worlds.is_empty() && has_rows => refused("rows of an unknown chain".into()),
        None => Ok(is_empty),
    }
}

/// Fails where the directory holds a store that the demo made.
pub(super) fn check_real(data_dir: &DataDir) -> Result<(), CliError> {
    let file = data_dir.database();
    if file.exists() && origin(&file)?.is_demo {
        return Err(CliError::DemoStore(data_dir.path().to_owned()));
    }
    Ok(())
}
