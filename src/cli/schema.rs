//! `polytape schema`: the tables in ClickHouse.

use super::{args::SchemaCommand, environment, error::CliError, paths, print::print};
use crate::app::stores;
use crate::config::{ClickhouseSection, load};
use crate::warehouse::{ClickhouseWarehouse, Migration};

/// Prints the schema, or applies it.
pub(super) async fn run(command: SchemaCommand) -> Result<(), CliError> {
    let (SchemaCommand::Apply { config: file, .. } | SchemaCommand::Print { config: file }) = &command;
    let config = load(paths::config_file(file.as_deref()).as_deref(), &environment::all()?)?;
    match command {
        SchemaCommand::Print { .. } => {
            let database = config.clickhouse.unwrap_or_default().database;
            print(&ClickhouseWarehouse::print_schema(&database));
            Ok(())
        }
        SchemaCommand::Apply { drop_old, .. } => {
            let Some(section) = config.clickhouse else { return Err(CliError::NoClickhouse) };
            let warehouse = stores::clickhouse(&section);
            warehouse.apply_schema().await?;
            let ClickhouseSection { database, .. } = section;
            print(&format!("database {database}: tables and views are as they should be\n"));
            if warehouse.has_former_trades().await? {
                print(
                    "trades is brought into the layout of today, a month after the other; this may be interrupted and begun again\n",
                );
            }
            let migrated = match warehouse.migrate_trades().await? {
                Migration::Kept(_) if drop_old => warehouse.drop_former_trades().await?,
                migrated => migrated,
            };
            match migrated {
                Migration::NotNeeded => {}
                Migration::Impossible(why) => {
                    print(&format!("trades keeps its layout, in which it works as before: {why}\n"))
                }
                Migration::Kept(kept) => print(&format!(
                    "trades is in the layout of today; {kept} is what it was before: schema apply --drop-old drops it\n"
                )),
                Migration::Dropped => print("trades is in the layout of today; what it was before is dropped\n"),
            }
            Ok(())
        }
    }
}
