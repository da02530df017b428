//! The embedded warehouse in the conformance suite.

use std::sync::Arc;

use polytape::warehouse::Warehouse;

use super::conformance::{Columns, Rig, conformance};
use crate::support::store::Store;

struct Embedded(Store);

impl Rig for Embedded {
    fn new() -> Self {
        Self(Store::new())
    }

    fn warehouse(&self) -> Arc<dyn Warehouse> {
        self.0.warehouse()
    }

    fn restart(&mut self) {
        self.0.reopen();
    }

    fn rows(&self, table: &str) -> Vec<Columns> {
        let key = match table {
            "markets" => "id",
            "trades" | "trades_goldsky" | "trades_all" => "transaction_hash, log_index, source_id",
            _ => "source, position, stage",
        };
        let file = self.0.file();
        let mut select = file.prepare(&format!("SELECT * FROM {table} ORDER BY {key}")).unwrap();
        let names: Vec<String> = select.column_names().map(str::to_owned).collect();
        let names: Vec<&String> = names.iter().filter(|name| *name != "ingested_at").collect();
        let column = |row: &rusqlite::Row<'_>, name: &String| Ok((name.clone(), row.get(name.as_str())?));
        let row = |row: &rusqlite::Row<'_>| names.iter().map(|name| column(row, name)).collect();
        select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn delete_trades(&self) {
        self.0.file().execute("DELETE FROM trades", []).unwrap();
    }

    fn as_of_before(&self) {
        self.0.file().execute("UPDATE trades SET version = 2 WHERE version = 3", []).unwrap();
    }

    fn refuse(&self, log_index: u32) {
        let trigger = format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON trades WHEN new.log_index = {log_index}
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        );
        self.0.file().execute_batch(&trigger).unwrap();
    }
}

conformance!(Embedded);
