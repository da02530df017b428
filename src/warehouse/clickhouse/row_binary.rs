//! ClickHouse's `RowBinary`: the values of a row one after the other, in the order of the columns.

use crate::model::{Amount, TokenId};

/// Rows as bytes.
#[derive(Debug, Default)]
pub(super) struct RowBinary(Vec<u8>);

impl RowBinary {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn into_vec(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// `String`, and `LowCardinality(String)`, which is the same here.
    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A `String` that is not text.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// `Bool` and `UInt8`.
    pub(super) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    /// `UInt32`, and `DateTime` in unix seconds.
    pub(super) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// `Int64`, and `DateTime64` in its own ticks.
    pub(super) fn i64(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// `UInt256`.
    pub(super) fn token(&mut self, token: TokenId) {
        self.0.extend_from_slice(&token.0.to_le_bytes::<32>());
    }

    /// `Decimal(38, 6)`: millionths in 128 bits, which is what an amount is.
    pub(super) fn amount(&mut self, amount: Amount) {
        self.0.extend_from_slice(&amount.micros().to_le_bytes());
    }

    /// `Float64`.
    pub(super) fn f64(&mut self, value: f64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A length: seven bits a byte, the lowest first.
    pub(super) fn length(&mut self, length: usize) {
        let mut rest = length;
        while rest >= 0x80 {
            self.0.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_format_says() {
        let mut row = RowBinary::default();
        row.text("ab");
        row.i64(1);
        assert_eq!(row.0, [2, b'a', b'b', 1, 0, 0, 0, 0, 0, 0, 0]);
        let mut row = RowBinary::default();
        row.bytes(&[7; 300]);
        assert_eq!(row.0[..3], [0xac, 2, 7]);
    }
}
