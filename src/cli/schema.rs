//! `polytape schema`: the tables in ClickHouse.

use super::{args::SchemaCommand, environment, error::CliError, paths, print::print};
use crate::config::{ClickhouseSection, load};
use crate::{app::stores, warehouse::ClickhouseWarehouse};

/// Prints the schema, or applies it.
pub(super) async fn run(command: SchemaCommand) -> Result<(), CliError> {
    let (SchemaCommand::Apply { config: file } | SchemaCommand::Print { config: file }) = &command;
    let config = load(paths::config_file(file.as_deref()).as_deref(), &environment::all()?)?;
    match command {
        SchemaCommand::Print { .. } => {
            let database = config.clickhouse.unwrap_or_default().database;
            print(&ClickhouseWarehouse::print_schema(&database));
            Ok(())
        }
        SchemaCommand::Apply { .. } => {
            let Some(section) = config.clickhouse else { return Err(CliError::NoClickhouse) };
            stores::clickhouse(&section).apply_schema().await?;
            let ClickhouseSection { database, .. } = section;
            print(&format!("database {database}: tables and views are as they should be\n"));
            Ok(())
        }
    }
}
