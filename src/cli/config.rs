//! `polytape config show` and `polytape config init`.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{environment, error::CliError, paths, print::print};
use crate::config::{EXAMPLE, default_file, load};

/// Prints what is in force.
pub(super) fn show(told: Option<&Path>) -> Result<(), CliError> {
    let file = paths::config_file(told);
    let config = load(file.as_deref(), &environment::all()?)?;
    let from = file.map_or_else(|| "no file: all of it is default".to_owned(), |file| file.display().to_string());
    let warnings: String = config.warnings.iter().map(|warning| format!("# {warning}\n")).collect();
    print(&format!("# {from}, and POLYTAPE_* from the environment over it\n{warnings}\n{}", config.shown()));
    Ok(())
}

/// Writes the example where a configuration is expected.
pub(super) fn init(told: Option<PathBuf>, force: bool) -> Result<(), CliError> {
    let path = told.or_else(default_file).ok_or(CliError::NoHome)?;
    let unwritable = |cause| CliError::ConfigUnwritable { path: path.clone(), cause };
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(unwritable)?;
    }
    let mut how = OpenOptions::new();
    let how = if force { how.create(true).truncate(true) } else { how.create_new(true) };
    let mut file = how.write(true).open(&path).map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => CliError::ConfigExists(path.clone()),
        _ => unwritable(cause),
    })?;
    file.write_all(EXAMPLE.as_bytes()).map_err(unwritable)?;
    print(&format!("wrote {}\n", path.display()));
    Ok(())
}
