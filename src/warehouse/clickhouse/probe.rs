//! What a probe leaves, and how that goes away again.

use super::ClickhouseWarehouse;
use crate::warehouse::WarehouseError;

const ROWS: &str = include_str!("../../../schema/clickhouse/queries/probe_rows.sql");
const REMOVE_ROWS: &str = include_str!("../../../schema/clickhouse/queries/remove_probe.sql");
const REMOVE_CHECKPOINTS: &str = include_str!("../../../schema/clickhouse/queries/remove_checkpoints.sql");

impl ClickhouseWarehouse {
    /// How many rows a reader sees of a probe, by its source id. A probe is of the first day of 1970.
    pub async fn probe_rows(&self, source_id: &str) -> Result<u64, WarehouseError> {
        let connection = self.ready().await?;
        let rows: Vec<u64> = connection.rows(connection.query(ROWS).bind(source_id)).await?;
        Ok(rows.first().copied().unwrap_or_default())
    }

    /// Removes a probe and what was kept of its pipeline.
    pub async fn remove_probe(&self, pipeline: &str, source_id: &str) -> Result<(), WarehouseError> {
        let connection = self.ready().await?;
        // What is left of a probe is seen by whoever looks for it, so that no proof is needed.
        let _ = connection.execute(connection.query(REMOVE_ROWS.trim_end()).bind(source_id)).await?;
        let _ = connection.execute(connection.query(REMOVE_CHECKPOINTS.trim_end()).bind(pipeline)).await?;
        Ok(())
    }
}
