//! Rows of any table as they are sent: `Native` blocks in the table's order, in compressed frames, in pieces that are not too large.
//!
//! Only the frames are kept as long as the rows are: they take a third of what is in them.

use super::{frames::Frames, frames::add_frames, native::Block, row_binary::RowBinary};
use crate::clock::unix_ms;
use crate::model::{Amount, RawJson, TokenId};
use crate::warehouse::{error::Result, error::WarehouseError, table::cells::Cells, table::row::TableRow};

/// Rows of one block, at most.
const BLOCK: usize = 4_096;

/// Bytes of one block, about.
const BLOCK_BYTES: usize = 2 << 20;

/// The rows as they are sent.
pub(in crate::warehouse) fn encode<R: TableRow>(rows: &[R]) -> Result<Vec<Frames>> {
    let unsendable = |text: String| WarehouseError::Rows(text);
    let (mut pieces, mut piece, mut plain) = (Vec::new(), Frames::new(), 0);
    let new = || Filled { block: Block::new(R::TABLE.columns), now: unix_ms(), refused: None };
    let mut filled = new();
    let mut rest = in_order(rows).into_iter().peekable();
    while let Some(row) = rest.next() {
        row.cells(&mut filled);
        if let Some(why) = filled.refused {
            return Err(unsendable(format!("{}: {why}", row.words())));
        }
        let is_last = rest.peek().is_none();
        let ends_piece = is_last || plain + filled.block.len() >= R::TABLE.most_bytes;
        if ends_piece || filled.block.rows() == BLOCK || filled.block.len() >= BLOCK_BYTES {
            plain += filled.block.len();
            add_frames(&mut piece, &std::mem::replace(&mut filled, new()).block.finish()).map_err(unsendable)?;
        }
        if ends_piece {
            pieces.push(std::mem::take(&mut piece));
            plain = 0;
        }
    }
    Ok(pieces)
}

/// Rows about as the table sorts them, which the server does otherwise.
fn in_order<R: TableRow>(rows: &[R]) -> Vec<&R> {
    let mut places: Vec<([u64; 4], &R)> = rows.iter().map(|row| (row.place(), row)).collect();
    // Rows of one place stay in the order in which they came.
    places.sort_by_key(|(place, _)| *place);
    places.into_iter().map(|(_, row)| row).collect()
}

/// Rows that go into one block.
struct Filled {
    block: Block,
    now: i64,
    /// Why the last row cannot be sent.
    refused: Option<String>,
}

impl Cells for Filled {
    fn text(&mut self, text: &str) {
        self.block.value(|row| row.text(text));
    }

    fn word(&mut self, word: &str) {
        self.block.word(word);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.block.value(|row| row.bytes(bytes));
    }

    fn json(&mut self, json: &RawJson) {
        match json.unpack() {
            Ok(text) => self.text(&text),
            Err(error) => self.refused = Some(format!("its JSON cannot be unpacked: {error}")),
        }
    }

    fn u8(&mut self, number: u8) {
        self.block.value(|row| row.u8(number));
    }

    fn u32(&mut self, number: u32) {
        self.block.value(|row| row.u32(number));
    }

    fn u8_if_known(&mut self, number: Option<u8>) {
        self.block.nullable(number, RowBinary::u8);
    }

    fn u32_if_known(&mut self, number: Option<u32>) {
        self.block.nullable(number, RowBinary::u32);
    }

    fn u64(&mut self, number: u64) {
        self.block.value(|row| row.u64(number));
    }

    fn second(&mut self, second: u64) {
        match u32::try_from(second) {
            Ok(second) => self.u32(second),
            Err(_) => self.refused = Some(format!("second {second} is later than a DateTime can be")),
        }
    }

    fn second_if_any(&mut self, second: Option<i64>) {
        self.block.nullable(second, RowBinary::i64);
    }

    fn millis(&mut self, millis: i64) {
        self.block.value(|row| row.i64(millis));
    }

    fn now(&mut self) {
        self.millis(self.now);
    }

    fn amount(&mut self, amount: Amount) {
        self.block.value(|row| row.amount(amount));
    }

    fn price(&mut self, price: Option<f64>) {
        self.block.nullable(price, RowBinary::f64);
    }

    fn token(&mut self, token: TokenId) {
        self.block.value(|row| row.token(token));
    }

    fn tokens(&mut self, tokens: &[TokenId]) {
        self.block.list(tokens, |row, token| row.token(*token));
    }

    fn texts(&mut self, texts: &[String]) {
        self.block.list(texts, |row, text| row.text(text));
    }
}
