//! `write-dead-letters`: `stream:dead_letters` to the `dead_letters` table.

use super::StageName;
use super::life::Life;
use super::write::{Row, dead_letter};
use crate::broker::Group;
use crate::model::DeadLetter;
use crate::model::entry::EntryError;
use crate::warehouse::{AnyBatch, Batch, Table};

impl Row for DeadLetter {
    const STAGE: StageName = StageName::WriteDeadLetters;
    const TABLE: Table = Table::DeadLetters;

    fn group(life: &Life) -> Group {
        life.groups.dead_letter_writers.clone()
    }

    fn any(batch: &Batch<Self>) -> AnyBatch<'_> {
        AnyBatch::DeadLetters(batch)
    }

    /// A damaged dead letter is a dead letter about itself.
    fn of_damaged(from: &str, bytes: &[u8], error: &EntryError) -> Option<Self> {
        Some(dead_letter(Self::STAGE, from, None, bytes, &error.to_string()))
    }

    /// There is nowhere left to put it: better stop than lose it.
    fn refused(&self, _: &str, _: &str) -> Option<DeadLetter> {
        None
    }
}
