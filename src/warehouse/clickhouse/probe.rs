//! What a probe leaves, and how that goes away again.

use super::{rights, warehouse::ClickhouseWarehouse};
use crate::warehouse::error::Result;

const ROWS: &str = include_str!("../../../schema/clickhouse/queries/probe_rows.sql");
const REMOVE_ROWS: &str = include_str!("../../../schema/clickhouse/queries/remove_probe.sql");
const REMOVE_CHECKPOINTS: &str = include_str!("../../../schema/clickhouse/queries/remove_checkpoints.sql");

/// The id of no probe.
const NOBODY: &str = "check-";

impl ClickhouseWarehouse {
    /// How many rows a reader sees of a probe, by its source id. A probe is of the first day of 1970.
    pub async fn probe_rows(&self, source_id: &str) -> Result<u64> {
        let connection = self.ready().await?;
        let rows: Vec<u64> = connection.rows(connection.query(ROWS).bind(source_id)).await?;
        Ok(rows.first().copied().unwrap_or_default())
    }

    /// Whether a probe could be removed again. Asked before one is sent.
    pub async fn may_remove_probe(&self) -> Result<()> {
        match rights::to_remove_probe(self.ready().await?).await? {
            Some(()) => Ok(()),
            // Of one that is not there nothing is changed.
            None => self.remove_probe(NOBODY, NOBODY).await,
        }
    }

    /// Removes a probe and what was kept of its pipeline.
    pub async fn remove_probe(&self, pipeline: &str, source_id: &str) -> Result<()> {
        let connection = self.ready().await?;
        // What is left of a probe is seen by whoever looks for it, so that no proof is needed.
        for (sql, of) in [(REMOVE_ROWS, source_id), (REMOVE_CHECKPOINTS, pipeline)] {
            let remove = connection.query(sql.trim_end()).bind(of).wish("mutations_sync", 2);
            let _ = connection.execute(remove).await?;
        }
        Ok(())
    }
}
