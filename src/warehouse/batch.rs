//! Rows that are written together, and what was made of them to send them.

use std::sync::OnceLock;

use bytes::Bytes;

use super::WarehouseError;
use crate::model::{DeadLetter, Market, Trade};

/// Rows that are written together. What a warehouse makes of them to send them is kept beside them as long as they are what they
/// are: every attempt sends the same bytes, and all of it goes with the batch.
#[derive(Clone, Debug)]
pub struct Batch<T> {
    rows: Vec<T>,
    encoded: OnceLock<Vec<Bytes>>,
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

    /// Adds a row.
    pub fn push(&mut self, row: T) {
        self.encoded.take();
        self.rows.push(row);
    }

    /// Its rows as bytes, in as many pieces as are sent; made by `encode` the first time.
    pub(super) fn encoded(
        &self,
        encode: impl FnOnce(&[T]) -> Result<Vec<Bytes>, WarehouseError>,
    ) -> Result<&[Bytes], WarehouseError> {
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
#[derive(Clone, Copy, Debug)]
pub enum AnyBatch<'a> {
    /// For `trades`.
    Trades(&'a Batch<Trade>),
    /// For `markets`.
    Markets(&'a Batch<Market>),
    /// For `dead_letters`.
    DeadLetters(&'a Batch<DeadLetter>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(of: u8) -> Vec<Bytes> {
        vec![Bytes::copy_from_slice(&[of])]
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
    }
}
