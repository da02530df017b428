//! `write-markets`: `stream:markets` to the `markets` table.

use async_trait::async_trait;

use super::StageName;
use super::life::Life;
use super::write::{Row, dead_letter};
use crate::broker::Group;
use crate::model::entry::{Entry, EntryError};
use crate::model::{DeadLetter, Market};
use crate::warehouse::{Warehouse, WarehouseError};

#[async_trait]
impl Row for Market {
    const STAGE: StageName = StageName::WriteMarkets;

    fn group(life: &Life) -> Group {
        life.groups.market_writers.clone()
    }

    async fn write(warehouse: &dyn Warehouse, rows: &[Self]) -> Result<(), WarehouseError> {
        warehouse.write_markets(rows).await
    }

    fn of_damaged(_: &str, _: &[u8], _: &EntryError) -> Option<Self> {
        None
    }

    fn refused(&self, from: &str, reason: &str) -> Option<DeadLetter> {
        Some(dead_letter(Self::STAGE, from, Some(self.id.clone()), &self.encode(), reason))
    }
}
