//! `write-trades`: `stream:trades` to the `trades` table.

use super::StageName;
use super::life::Life;
use super::write::{Row, dead_letter};
use crate::broker::Group;
use crate::model::entry::{Entry, EntryError};
use crate::model::{DeadLetter, Trade};
use crate::warehouse::{AnyBatch, Batch, Table};

impl Row for Trade {
    const STAGE: StageName = StageName::WriteTrades;
    const TABLE: Table = Table::Trades;

    fn group(life: &Life) -> Group {
        life.groups.trade_writers.clone()
    }

    fn any(batch: &Batch<Self>) -> AnyBatch<'_> {
        AnyBatch::Trades(batch)
    }

    fn of_damaged(_: &str, _: &[u8], _: &EntryError) -> Option<Self> {
        None
    }

    fn refused(&self, from: &str, reason: &str) -> Option<DeadLetter> {
        let position = format!("{:#x}:{}", self.fill.transaction_hash, self.fill.log_index);
        Some(dead_letter(Self::STAGE, from, Some(position), &self.encode(), reason))
    }
}
