//! `write-trades`: `stream:trades` to the `trades` table.

use async_trait::async_trait;

use super::StageName;
use super::life::Life;
use super::write::{Row, dead_letter};
use crate::broker::Group;
use crate::model::entry::{Entry, EntryError};
use crate::model::{DeadLetter, Trade};
use crate::warehouse::{Warehouse, WarehouseError};

#[async_trait]
impl Row for Trade {
    const STAGE: StageName = StageName::WriteTrades;

    fn group(life: &Life) -> Group {
        life.groups.trade_writers.clone()
    }

    async fn write(warehouse: &dyn Warehouse, rows: &[Self]) -> Result<(), WarehouseError> {
        warehouse.write_trades(rows).await
    }

    fn of_damaged(_: &str, _: &[u8], _: &EntryError) -> Option<Self> {
        None
    }

    fn refused(&self, from: &str, reason: &str) -> Option<DeadLetter> {
        let position = format!("{:#x}:{}", self.fill.transaction_hash, self.fill.log_index);
        Some(dead_letter(Self::STAGE, from, Some(position), &self.encode(), reason))
    }
}
