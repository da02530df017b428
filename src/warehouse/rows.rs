//! Rows on their way into a table.

use std::ops::Deref;
use std::sync::OnceLock;

use bytes::Bytes;

/// Rows that are written together. Whoever must encode them does so once, however often they are sent: a batch may wait a long
/// time for its table, and what is sent again is the same to the last byte.
#[derive(Debug)]
pub struct Rows<T> {
    rows: Vec<T>,
    /// In as many pieces as they are sent in.
    encoded: OnceLock<Vec<Bytes>>,
}

impl<T> Rows<T> {
    /// None yet.
    pub const fn new() -> Self {
        Self { rows: Vec::new(), encoded: OnceLock::new() }
    }

    /// A copy of these.
    pub fn of(rows: &(impl AsRef<[T]> + ?Sized)) -> Self
    where
        T: Clone,
    {
        rows.as_ref().to_vec().into()
    }

    /// Adds one.
    pub fn push(&mut self, row: T) {
        self.encoded.take();
        self.rows.push(row);
    }

    /// Their bytes, which are made by `encode` where that was not done before.
    pub(super) fn encoded<E>(&self, encode: impl FnOnce(&[T]) -> Result<Vec<Bytes>, E>) -> Result<&[Bytes], E> {
        if let Some(encoded) = self.encoded.get() {
            return Ok(encoded);
        }
        let encoded = encode(&self.rows)?;
        Ok(self.encoded.get_or_init(|| encoded))
    }
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, encoded: OnceLock::new() }
    }
}

impl<T> Deref for Rows<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.rows
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_encoded_once_and_anew_when_there_are_more() {
        let mut rows: Rows<u8> = vec![1, 2].into();
        let copy = |rows: &[u8]| Ok::<_, ()>(vec![Bytes::copy_from_slice(rows)]);
        assert_eq!(rows.encoded(|_| Err("no")), Err("no"));
        assert_eq!(rows.encoded(copy), Ok(&[Bytes::from_static(&[1, 2])][..]));
        assert_eq!(rows.encoded(|_| Err("not asked again")), Ok(&[Bytes::from_static(&[1, 2])][..]));
        rows.push(3);
        assert_eq!(rows.encoded(copy), Ok(&[Bytes::from_static(&[1, 2, 3])][..]));
        assert_eq!(rows.len(), 3);
    }
}
