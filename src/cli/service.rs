//! `polytape service`: the unit file for systemd.

use std::fs;
use std::path::{Path, PathBuf};

use super::{args::ServiceCommand, error::CliError, print::print};
use crate::app::AppError;

const UNIT: &str = include_str!("../../assets/polytape.service");

/// Where units of the system are that no package has brought.
const UNITS: &str = "/etc/systemd/system";

pub(super) fn run(command: ServiceCommand) -> Result<(), CliError> {
    let binary = std::env::current_exe().map_err(AppError::Start)?;
    match command {
        ServiceCommand::Print => print(&unit(&binary)?),
        ServiceCommand::Install { directory, force } => {
            let path = directory.unwrap_or_else(|| PathBuf::from(UNITS)).join("polytape.service");
            if path.exists() && !force {
                return Err(CliError::ConfigExists(path));
            }
            fs::write(&path, unit(&binary)?)
                .map_err(|cause| CliError::ConfigUnwritable { path: path.clone(), cause })?;
            print(&format!(
                "{} is written: systemctl daemon-reload && systemctl enable --now polytape\n\
                 configuration: /etc/polytape/config.toml, which `polytape config init --config /etc/polytape/config.toml` begins\n",
                path.display()
            ));
        }
    }
    Ok(())
}

/// The unit of a binary.
fn unit(binary: &Path) -> Result<String, CliError> {
    let name = binary.display().to_string();
    // A unit has quoting rules of its own, by which a plain path is itself.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    match name.chars().all(is_plain) {
        true => Ok(UNIT.replace("@BINARY@", &name)),
        false => {
            Err(CliError::Usage(format!("{name} cannot stand in a unit file: put polytape in /usr/local/bin first")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_runs_this_binary() {
        let unit_of = |path: &str| unit(Path::new(path));
        let text = unit_of("/usr/local/bin/polytape").unwrap();
        assert!(text.contains("\nExecStart=/usr/local/bin/polytape run --no-tui ") && !text.contains("@BINARY@"));
        assert!(unit_of("/home/a b/polytape").is_err() && unit_of("/opt/100%/polytape").is_err());
    }
}
