//! What a table's rows are to both stores.

use std::fmt::Debug;

use rusqlite::Transaction;

use super::{cells::Cells, declaration::Table};
use crate::model::DeadLetter;
use crate::warehouse::{error::Result, unresolved::UnresolvedEntry};

/// A row of a table.
pub trait TableRow: Clone + Debug + Send + Sync + 'static {
    /// Its table.
    const TABLE: Table;

    /// Its values, in the order of the columns.
    fn cells(&self, cells: &mut impl Cells);

    /// About where the table has it, in its order: rows that are sent in that order need not be sorted by the server.
    fn place(&self) -> [u64; 4] {
        [0; 4]
    }

    /// Where it comes from, which says which row it is.
    fn position(&self) -> String;

    /// What it is called where it is refused.
    fn words(&self) -> String {
        self.position()
    }

    /// A dead letter as a row of this table, where it is theirs.
    fn of_letter(_: DeadLetter) -> Option<Self> {
        None
    }

    /// What must be on the list of unresolved tokens once these rows are there.
    fn entries(_: &[Self]) -> Vec<UnresolvedEntry> {
        Vec::new()
    }

    /// Puts rows into the embedded store. Says how many are new.
    fn upsert(tx: &Transaction<'_>, rows: &[Self]) -> Result<usize>;
}
