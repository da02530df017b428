//! Columns and what is in them. Each kind of value is a type in either store, and is written by the method of its name.

use alloy_primitives::hex;

use crate::model::{Amount, RawJson, TokenId};

/// A column of both stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type in ClickHouse, …
    pub clickhouse: &'static str,
    /// … and in SQLite.
    pub sqlite: &'static str,
}

macro_rules! kinds {
    ($($kind:ident: $clickhouse:literal, $sqlite:literal;)*) => {
        impl Column {
            $(pub(in crate::warehouse) const fn $kind(name: &'static str) -> Self {
                Self { name, clickhouse: $clickhouse, sqlite: $sqlite }
            })*
        }
    };
}

kinds! {
    text: "String", "TEXT NOT NULL";
    word: "LowCardinality(String)", "TEXT NOT NULL";
    hex: "String", "TEXT NOT NULL";
    bytes: "String", "BLOB NOT NULL";
    json: "String", "BLOB NOT NULL";
    flag: "Bool", "INTEGER NOT NULL";
    u8: "UInt8", "INTEGER NOT NULL";
    u32: "UInt32", "INTEGER NOT NULL";
    u8_if_known: "Nullable(UInt8)", "INTEGER";
    u32_if_known: "Nullable(UInt32)", "INTEGER";
    u64: "UInt64", "INTEGER NOT NULL";
    hash: "UInt64", "INTEGER NOT NULL";
    second: "DateTime('UTC')", "INTEGER NOT NULL";
    second_if_any: "Nullable(DateTime64(0, 'UTC'))", "INTEGER";
    millis: "DateTime64(3, 'UTC')", "INTEGER NOT NULL";
    millis_if_any: "Nullable(DateTime64(3, 'UTC'))", "INTEGER";
    now: "DateTime64(3, 'UTC')", "INTEGER NOT NULL";
    amount: "Decimal(38, 6)", "TEXT NOT NULL";
    price: "Nullable(Float64)", "REAL";
    token: "UInt256", "TEXT NOT NULL";
    tokens: "Array(UInt256)", "TEXT NOT NULL";
    texts: "Array(String)", "TEXT NOT NULL";
}

/// Takes the values of a row, one after the other.
pub trait Cells {
    /// A text.
    fn text(&mut self, text: &str);

    /// A text that many rows share.
    fn word(&mut self, word: &str) {
        self.text(word);
    }

    /// A hash or an address, as lower-case `0x…`.
    fn hex<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.text(hex::Buffer::<N, true>::new().format(bytes));
    }

    /// Bytes that are no text.
    fn bytes(&mut self, bytes: &[u8]);

    /// What a source said.
    fn json(&mut self, json: &RawJson);

    /// Yes or no.
    fn flag(&mut self, flag: bool) {
        self.u8(flag.into());
    }

    /// A number.
    fn u8(&mut self, number: u8) {
        self.u64(number.into());
    }

    /// A number.
    fn u32(&mut self, number: u32) {
        self.u64(number.into());
    }

    /// A number, of what need not be known.
    fn u8_if_known(&mut self, number: Option<u8>);

    /// The same.
    fn u32_if_known(&mut self, number: Option<u32>);

    /// A number that SQLite can hold.
    fn u64(&mut self, number: u64);

    /// 64 bits.
    fn hash(&mut self, hash: u64) {
        self.u64(hash);
    }

    /// A time in unix seconds.
    fn second(&mut self, second: u64) {
        self.u64(second);
    }

    /// The same, of what need not have been yet.
    fn second_if_any(&mut self, second: Option<i64>);

    /// A time in unix milliseconds.
    fn millis(&mut self, millis: i64);

    /// When the row is written.
    fn now(&mut self);

    /// Dollars or shares.
    fn amount(&mut self, amount: Amount);

    /// Dollars a share.
    fn price(&mut self, price: Option<f64>);

    /// A token.
    fn token(&mut self, token: TokenId);

    /// Tokens.
    fn tokens(&mut self, tokens: &[TokenId]);

    /// Texts.
    fn texts(&mut self, texts: &[String]);
}

/// The columns of a row, each with the kind of its values and that of this row: `name: kind(value)`.
macro_rules! columns {
    ($row:ident; $($name:ident: $kind:ident($($value:expr)?),)*) => {
        fn cells(&self, cells: &mut impl $crate::warehouse::table::cells::Cells) {
            let $row = self;
            $(cells.$kind($($value)?);)*
        }

        const TABLE: Table = Table {
            columns: &[$(Column::$kind(stringify!($name))),*],
            ..TABLE
        };
    };
}
pub(in crate::warehouse) use columns;
