//! Rows of any table as `RowBinary`, in pieces that are not too large.

use bytes::Bytes;

use super::row_binary::RowBinary;
use crate::clock::unix_ms;
use crate::model::{Amount, RawJson, TokenId};
use crate::warehouse::{error::Result, error::WarehouseError, table::cells::Cells, table::row::TableRow};

/// The rows as they are sent.
pub(in crate::warehouse) fn encode<R: TableRow>(rows: &[R]) -> Result<Vec<Bytes>> {
    let (mut rest, mut pieces) = (rows, Vec::new());
    while !rest.is_empty() {
        let (piece, taken) = encode_piece(rest)?;
        pieces.push(piece);
        rest = &rest[taken..];
    }
    Ok(pieces)
}

/// Rows until they are large enough, and how many those are.
fn encode_piece<R: TableRow>(rows: &[R]) -> Result<(Bytes, usize)> {
    let room = R::TABLE.most_bytes.min(rows.len() * R::TABLE.row_bytes);
    let mut piece = Piece { bytes: RowBinary::with_capacity(room), now: unix_ms(), refused: None };
    let mut taken = 0;
    for row in rows {
        row.cells(&mut piece);
        if let Some(why) = piece.refused {
            return Err(WarehouseError::Rows(format!("{}: {why}", row.words())));
        }
        taken += 1;
        if piece.bytes.len() >= R::TABLE.most_bytes {
            break;
        }
    }
    Ok((piece.bytes.into_bytes(), taken))
}

/// Rows that are sent at once.
struct Piece {
    bytes: RowBinary,
    now: i64,
    /// Why the last row cannot be sent.
    refused: Option<String>,
}

impl Cells for Piece {
    fn text(&mut self, text: &str) {
        self.bytes.text(text);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.bytes(bytes);
    }

    fn json(&mut self, json: &RawJson) {
        match json.unpack() {
            Ok(text) => self.bytes.text(&text),
            Err(error) => self.refused = Some(format!("its JSON cannot be unpacked: {error}")),
        }
    }

    fn u8(&mut self, number: u8) {
        self.bytes.u8(number);
    }

    fn u32(&mut self, number: u32) {
        self.bytes.u32(number);
    }

    fn u8_if_known(&mut self, number: Option<u8>) {
        self.bytes.nullable(number, RowBinary::u8);
    }

    fn u32_if_known(&mut self, number: Option<u32>) {
        self.bytes.nullable(number, RowBinary::u32);
    }

    fn u64(&mut self, number: u64) {
        self.bytes.u64(number);
    }

    fn second(&mut self, second: u64) {
        match u32::try_from(second) {
            Ok(second) => self.bytes.u32(second),
            Err(_) => self.refused = Some(format!("second {second} is later than a DateTime can be")),
        }
    }

    fn second_if_any(&mut self, second: Option<i64>) {
        self.bytes.nullable(second, RowBinary::i64);
    }

    fn millis(&mut self, millis: i64) {
        self.bytes.i64(millis);
    }

    fn now(&mut self) {
        self.bytes.i64(self.now);
    }

    fn amount(&mut self, amount: Amount) {
        self.bytes.amount(amount);
    }

    fn price(&mut self, price: Option<f64>) {
        self.bytes.nullable(price, RowBinary::f64);
    }

    fn token(&mut self, token: TokenId) {
        self.bytes.token(token);
    }

    fn tokens(&mut self, tokens: &[TokenId]) {
        self.bytes.list(tokens, |row, token| row.token(*token));
    }

    fn texts(&mut self, texts: &[String]) {
        self.bytes.list(texts, |row, text| row.text(text));
    }
}
