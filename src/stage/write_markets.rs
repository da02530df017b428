//! `write-markets`: `stream:markets` to the `markets` table.

use super::StageName;
use super::life::Life;
use super::write::{Row, dead_letter};
use crate::broker::Group;
use crate::model::entry::{Entry, EntryError};
use crate::model::{DeadLetter, Market};
use crate::warehouse::{AnyBatch, Batch, Table};

impl Row for Market {
    const STAGE: StageName = StageName::WriteMarkets;
    const TABLE: Table = Table::Markets;

    fn group(life: &Life) -> Group {
        life.groups.market_writers.clone()
    }

    fn any(batch: &Batch<Self>) -> AnyBatch<'_> {
        AnyBatch::Markets(batch)
    }

    fn of_damaged(_: &str, _: &[u8], _: &EntryError) -> Option<Self> {
        None
    }

    fn refused(&self, from: &str, reason: &str) -> Option<DeadLetter> {
        Some(dead_letter(Self::STAGE, from, Some(self.id.clone()), &self.encode(), reason))
    }
}
