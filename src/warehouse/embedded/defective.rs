//! What a planted defect asks of this store and nothing else does.

use async_trait::async_trait;
use rusqlite::params;

use super::warehouse::EmbeddedWarehouse;
use crate::{model::Trade, warehouse::defective::Retract, warehouse::error::Result};

const DELETE: &str = "DELETE FROM trades
    WHERE block_number = ? AND log_index = ? AND transaction_hash = ? AND source_id = ? AND version > ?";

#[async_trait]
impl Retract for EmbeddedWarehouse {
    async fn retract_richer(&self, rows: &[Trade]) -> Result<()> {
        let rows = rows.to_vec();
        let delete = move |tx: &rusqlite::Transaction<'_>| {
            let mut delete = tx.prepare_cached(DELETE)?;
            for Trade { fill, resolution } in rows {
                let hash = format!("{:#x}", fill.transaction_hash);
                delete.execute(params![
                    fill.block_number,
                    fill.log_index,
                    hash,
                    fill.source_id,
                    resolution.version()
                ])?;
            }
            Ok(())
        };
        self.database.write(delete).await
    }
}
