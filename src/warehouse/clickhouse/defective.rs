//! What a planted defect asks of this store and nothing else does.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::warehouse::ClickhouseWarehouse;
use crate::{
    model::Trade, warehouse::defective::Retract, warehouse::error::WarehouseError, warehouse::table::row::TableRow,
};

const RICHER: &str = "version > ? AND concat(transaction_hash, ':', toString(log_index)) IN (SELECT arrayJoin(?))";

/// Rows that one statement is about.
const AT_ONCE: usize = 1_000;

#[async_trait]
impl Retract for ClickhouseWarehouse {
    async fn retract_richer(&self, rows: &[Trade]) -> Result<(), WarehouseError> {
        let connection = self.ready().await?;
        let mut by_version: BTreeMap<u8, Vec<String>> = BTreeMap::new();
        for row in rows {
            by_version.entry(row.resolution.version()).or_default().push(row.position());
        }
        for (version, positions) in &by_version {
            for part in positions.chunks(AT_ONCE) {
                let query = |sql: &str| connection.query(&format!("{sql} {RICHER}")).bind(version).bind(part);
                let found: Vec<u64> = connection.rows(query("SELECT count() FROM trades WHERE")).await?;
                // A mutation takes long, and there is mostly nothing to remove.
                if found != [0] {
                    let deleted = query("ALTER TABLE trades DELETE WHERE").wish("mutations_sync", 2);
                    let _ = connection.execute(deleted).await?;
                }
            }
        }
        Ok(())
    }
}
