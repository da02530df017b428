//! Rows that are written together, and what was made of them to send them.

use std::{any::Any, ops::Range, sync::OnceLock};

use rusqlite::Transaction;

use super::clickhouse::{Frames, encode, identity};
use super::{error::Result, table::declaration::Table, table::row::TableRow, unresolved::UnresolvedEntry};

/// Rows that are written together. What a warehouse makes of them to send them is kept beside them as long as they are what they
/// are: every attempt sends the same bytes, and all of it goes with the batch.
#[derive(Clone, Debug)]
pub struct Batch<T> {
    rows: Vec<T>,
    encoded: OnceLock<Vec<Frames>>,
}

impl<T> Batch<T> {
    /// One without rows.
    pub const fn empty() -> Self {
        Self { rows: Vec::new(), encoded: OnceLock::new() }
    }

    /// Its rows.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// Makes room for rows at once.
    pub fn reserve(&mut self, rows: usize) {
        self.rows.reserve(rows);
    }

    /// Lets go of its rows, and keeps their room for the next ones, but where that is many times what these took.
    pub fn clear(&mut self) {
        let taken = self.rows.len();
        self.encoded.take();
        self.rows.clear();
        self.rows.shrink_to(taken * 8);
    }

    /// Adds a row.
    pub fn push(&mut self, row: T) {
        self.encoded.take();
        self.rows.push(row);
    }

    /// Its rows as bytes, in as many pieces as are sent; made by `encode` the first time.
    fn encoded(&self, encode: impl FnOnce(&[T]) -> Result<Vec<Frames>>) -> Result<&[Frames]> {
        if let Some(encoded) = self.encoded.get() {
            return Ok(encoded);
        }
        let encoded = encode(&self.rows)?;
        Ok(self.encoded.get_or_init(|| encoded))
    }
}

impl<T> From<Vec<T>> for Batch<T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, encoded: OnceLock::new() }
    }
}

/// A batch of any table.
#[derive(Clone, Copy)]
pub struct AnyBatch<'a>(pub(super) &'a dyn Rows);

impl<'a> AnyBatch<'a> {
    /// Its rows, where they are of this kind.
    pub fn rows<R: TableRow>(self) -> Option<&'a [R]> {
        (self.0 as &dyn Any).downcast_ref::<Batch<R>>().map(Batch::rows)
    }
}

impl<'a, R: TableRow> From<&'a Batch<R>> for AnyBatch<'a> {
    fn from(batch: &'a Batch<R>) -> Self {
        Self(batch)
    }
}

/// What both stores do with rows, whichever they are.
pub(super) trait Rows: Any + Send + Sync {
    fn table(&self) -> &'static Table;

    fn len(&self) -> usize;

    /// As ClickHouse takes them.
    fn pieces(&self) -> Result<&[Frames]>;

    /// By what they are found again there.
    fn identities(&self) -> Vec<Vec<String>>;

    /// What must be on the list of unresolved tokens once they are there.
    fn entries(&self) -> Vec<UnresolvedEntry>;

    /// How the embedded store takes some of them.
    fn upsert(&self, part: Range<usize>) -> Upsert;
}

/// Puts rows into the embedded store. Says how many are new.
pub(super) type Upsert = Box<dyn FnOnce(&Transaction<'_>) -> Result<usize> + Send>;

impl<R: TableRow> Rows for Batch<R> {
    fn table(&self) -> &'static Table {
        &R::TABLE
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn pieces(&self) -> Result<&[Frames]> {
        self.encoded(encode::encode)
    }

    fn identities(&self) -> Vec<Vec<String>> {
        identity::identities(&self.rows)
    }

    fn entries(&self) -> Vec<UnresolvedEntry> {
        R::entries(&self.rows)
    }

    fn upsert(&self, part: Range<usize>) -> Upsert {
        let rows = self.rows[part].to_vec();
        Box::new(move |tx| R::upsert(tx, &rows))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::warehouse::WarehouseError;

    fn bytes(of: u8) -> Vec<Frames> {
        vec![vec![Bytes::copy_from_slice(&[of])]]
    }

    #[test]
    fn what_was_made_of_rows_stays_until_they_are_others() {
        let mut batch = Batch::from(vec![1]);
        assert_eq!(batch.encoded(|_| Ok(bytes(1))).unwrap(), bytes(1));
        assert_eq!(batch.encoded(|_| panic!("it was made before")).unwrap(), bytes(1));
        batch.push(2);
        let refused = batch.encoded(|_| Err(WarehouseError::Rows("no".into())));
        assert!(refused.is_err(), "a failure is not kept");
        assert_eq!(batch.encoded(|rows| Ok(bytes(rows.len() as u8))).unwrap(), bytes(2));
        batch.reserve(1_000);
        batch.clear();
        assert_eq!((batch.rows().len(), batch.rows.capacity() < 100), (0, true));
        batch.push(3);
        assert_eq!(batch.encoded(|rows| Ok(bytes(rows[0]))).unwrap(), bytes(3));
    }
}
