//! Where things are: the configuration and the store.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::{args::PlaceArgs, error::CliError};
use crate::config::default_file;

fn dirs() -> Result<ProjectDirs, CliError> {
    ProjectDirs::from("", "", "polytape").ok_or(CliError::NoHome)
}

/// The configuration to read: as told, or the one in its usual place, if there is one.
pub(super) fn config_file(told: Option<&Path>) -> Option<PathBuf> {
    told.map(Path::to_owned).or_else(|| default_file().filter(|file| file.exists()))
}

/// Where the store is kept: as told, or in the place that the system has for it.
pub(super) fn data_dir(told: Option<&Path>) -> Result<PathBuf, CliError> {
    told.map_or_else(|| Ok(dirs()?.data_dir().to_owned()), |dir| Ok(dir.to_owned()))
}

/// Where the demo keeps its store, unless it is told otherwise.
pub(super) fn demo_data_dir() -> Result<PathBuf, CliError> {
    Ok(dirs()?.cache_dir().join("demo"))
}

/// Where a running pipeline keeps its store.
pub(super) fn place(place: &PlaceArgs) -> Result<PathBuf, CliError> {
    match &place.data_dir {
        None if place.demo => demo_data_dir(),
        told => data_dir(told.as_deref()),
    }
}
