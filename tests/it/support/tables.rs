//! The tables against the truth, as sets of whole rows.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::RangeInclusive;

use polytape::demo::{DeadLetterRow, Price, TradeRow, World};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

/// What is not as it should be.
#[derive(Debug, Default, PartialEq)]
pub struct Difference {
    /// Rows that should be there.
    pub missing: Vec<String>,
    /// Rows that should not be there.
    pub extra: Vec<String>,
    /// Rows that are there with other columns.
    pub altered: Vec<String>,
}

impl Difference {
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Compares both tables with what the world says of some blocks.
pub fn compare(store: &Connection, world: &World, blocks: RangeInclusive<u64>) -> Difference {
    let truth = world.truth(blocks);
    let mut difference = Difference::default();
    let key = |row: &TradeRow| (row.transaction_hash.clone(), row.log_index, row.source_id.clone());
    diff(&mut difference, trades(store), truth.trades, key);
    let key = |row: &DeadLetterRow| (row.source.clone(), row.position.clone(), row.stage.clone());
    diff(&mut difference, dead_letters(store), truth.dead_letters, key);
    difference
}

/// All rows of `trades`.
pub fn trades(store: &Connection) -> Vec<TradeRow> {
    read(store, "SELECT * FROM trades", trade_row)
}

/// All rows of `dead_letters`.
pub fn dead_letters(store: &Connection) -> Vec<DeadLetterRow> {
    read(store, "SELECT * FROM dead_letters", dead_letter_row)
}

/// A table to its last column, those that are not part of a whole row included.
pub fn dump(store: &Connection, table: &str) -> Vec<Vec<Value>> {
    read(store, &format!("SELECT * FROM {table}"), |row| (0..row.as_ref().column_count()).map(|i| row.get(i)).collect())
}

fn diff<R: Debug + PartialEq, K: Ord>(into: &mut Difference, found: Vec<R>, expected: Vec<R>, key: impl Fn(&R) -> K) {
    let mut found: BTreeMap<K, R> = found.into_iter().map(|row| (key(&row), row)).collect();
    for row in expected {
        match found.remove(&key(&row)) {
            None => into.missing.push(format!("{row:?}")),
            Some(other) if other != row => into.altered.push(format!("{other:?} instead of {row:?}")),
            Some(_) => {}
        }
    }
    into.extra.extend(found.into_values().map(|row| format!("{row:?}")));
}

fn read<R>(store: &Connection, sql: &str, row: impl Fn(&Row<'_>) -> rusqlite::Result<R>) -> Vec<R> {
    store.prepare(sql).unwrap().query_map([], |found| row(found)).unwrap().collect::<Result<_, _>>().unwrap()
}

pub fn trade_row(row: &Row<'_>) -> rusqlite::Result<TradeRow> {
    Ok(TradeRow {
        timestamp: row.get("timestamp")?,
        block_number: row.get("block_number")?,
        log_index: row.get("log_index")?,
        transaction_hash: row.get("transaction_hash")?,
        order_hash: row.get("order_hash")?,
        source_id: row.get("source_id")?,
        exchange: row.get("exchange")?,
        token_id: row.get("token_id")?,
        condition_id: row.get("condition_id")?,
        market_id: row.get("market_id")?,
        outcome: row.get("outcome")?,
        nonusdc_side: row.get("nonusdc_side")?,
        maker: row.get("maker")?,
        taker: row.get("taker")?,
        maker_direction: row.get("maker_direction")?,
        taker_direction: row.get("taker_direction")?,
        price: row.get::<_, Option<f64>>("price")?.map(Price::new),
        usd_amount: row.get("usd_amount")?,
        token_amount: row.get("token_amount")?,
        fee_amount: row.get("fee_amount")?,
        fee_unit: row.get("fee_unit")?,
        is_taker_row: row.get("is_taker_row")?,
        version: row.get("version")?,
    })
}

fn dead_letter_row(row: &Row<'_>) -> rusqlite::Result<DeadLetterRow> {
    Ok(DeadLetterRow {
        source: row.get("source")?,
        position: row.get("position")?,
        stage: row.get("stage")?,
        raw: row.get("raw")?,
    })
}
