//! How many rows and parts there are, without reading them all each time.
//!
//! A partition that is one part holds no row twice, and how many it holds is on record. Only one of several parts must be read
//! with FINAL to be counted; what that gave is kept until its parts change. Above [`COUNTED`] rows in several parts a
//! partition is estimated by what is on record, which is too high by the rows that are there twice until they are merged: such a
//! count says that it is an estimate.

use std::{collections::HashMap, sync::Arc};

use clickhouse::Row;
use parking_lot::Mutex;
use serde::Deserialize;

use super::{connection::Connection, error::Result};
use crate::flow::TableId;
use crate::warehouse::inspection::{PartCounts, RowCount, RowCounts};

const PARTS: &str = include_str!("../../../schema/clickhouse/queries/parts.sql");

/// Rows in several parts of one partition that are still counted: about a tenth of a second.
const COUNTED: u64 = 2_000_000;

/// Counts that hold until parts change. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Counts(Arc<Mutex<HashMap<Place, Counted>>>);

/// A table and a partition of it.
type Place = (TableId, String);

/// What the parts were, and how many rows that is.
type Counted = (u64, u64);

#[derive(Row, Deserialize)]
struct Partition {
    table: String,
    partition_id: String,
    parts: u64,
    rows: u64,
    has_deletes: u8,
    state: u64,
}

/// The partitions of the tables. One of another table is nobody's.
async fn partitions(connection: &Connection) -> Result<Vec<(TableId, Partition)>> {
    let tables = TableId::ALL.map(TableId::as_str);
    let rows: Vec<Partition> = connection.periodic("parts", connection.query(PARTS).bind(&tables[..])).await?;
    Ok(rows.into_iter().filter_map(|row| Some((TableId::named(&row.table)?, row))).collect())
}

/// The most parts that a partition has, of each table.
pub(super) async fn parts(connection: &Connection) -> Result<PartCounts> {
    let mut most = PartCounts::default();
    for (table, partition) in partitions(connection).await? {
        most[table] = partition.parts.max(most[table]);
    }
    Ok(most)
}

impl Counts {
    pub(super) async fn read(&self, connection: &Connection) -> Result<RowCounts> {
        let mut counts = RowCounts::default();
        for (table, partition) in partitions(connection).await? {
            counts[table] += self.rows(connection, table, &partition).await?;
        }
        Ok(counts)
    }

    async fn rows(&self, connection: &Connection, table: TableId, partition: &Partition) -> Result<RowCount> {
        let Partition { partition_id, parts, rows, has_deletes, state, .. } = partition;
        if *parts == 1 && *has_deletes == 0 {
            return Ok((*rows).into());
        }
        if *rows > COUNTED {
            return Ok(RowCount { rows: *rows, is_estimate: true });
        }
        let key = (table, partition_id.clone());
        if let Some((_, counted)) = self.0.lock().get(&key).filter(|(at, _)| at == state) {
            return Ok((*counted).into());
        }
        let sql = format!("SELECT count() AS rows FROM {table} FINAL WHERE _partition_id = ?");
        let counted: Vec<u64> = connection.periodic("row counts", connection.query(&sql).bind(partition_id)).await?;
        let counted = counted.first().copied().unwrap_or_default();
        self.0.lock().insert(key, (*state, counted));
        Ok(counted.into())
    }
}
