//! The tables against the truth, as sets of whole rows.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::RangeInclusive;

use polytape::demo::{DeadLetterRow, MarketRow, Price, SubgraphFaults, SubgraphTruth, TradeRow, World};
use polytape::model::RawJson;
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

/// Compares all three tables with what the world says of some blocks, and of its markets at the block `now`, to somebody who
/// has read all of them and asked about every token.
pub fn compare_whole(store: &Connection, world: &World, blocks: RangeInclusive<u64>, now: u64) -> Difference {
    let truth = world.oracle(blocks, now);
    let mut difference = Difference::default();
    let key = |row: &TradeRow| (row.transaction_hash.clone(), row.log_index, row.source_id.clone());
    diff(&mut difference, trades(store), truth.trades, key);
    let key = |row: &DeadLetterRow| (row.source.clone(), row.position.clone(), row.stage.clone());
    diff(&mut difference, dead_letters(store), truth.dead_letters, key);
    diff(&mut difference, markets(store), truth.markets, |row: &MarketRow| row.id.clone());
    difference
}

/// All rows of `markets`. What Gamma said of each is there, too, unpacked.
pub fn markets(store: &Connection) -> Vec<MarketRow> {
    read(store, "SELECT * FROM markets", |row| {
        let raw = RawJson::from_packed(row.get("raw")?).unpack().expect("what was packed");
        let id: String = row.get("id")?;
        assert!(raw.contains(&id), "the JSON of market {id}: {raw}");
        let list = |name: &str| -> rusqlite::Result<Vec<String>> {
            Ok(serde_json::from_str(&row.get::<_, String>(name)?).expect("a list"))
        };
        Ok(MarketRow {
            id,
            condition_id: row.get("condition_id")?,
            question: row.get("question")?,
            slug: row.get("slug")?,
            outcomes: list("outcomes")?,
            token_ids: list("token_ids")?,
            position_ids: list("position_ids")?,
            neg_risk: row.get("neg_risk")?,
            event_id: row.get("event_id")?,
            event_slug: row.get("event_slug")?,
            event_title: row.get("event_title")?,
            tags: list("tags")?,
            created_at: row.get("created_at")?,
            end_at: row.get("end_at")?,
            closed_at: row.get("closed_at")?,
            active: row.get("active")?,
            closed: row.get("closed")?,
        })
    })
}

/// The same of the trades and what the chain had to be refused, to somebody who has read only the open markets.
pub fn compare_trades(store: &Connection, world: &World, blocks: RangeInclusive<u64>, now: u64) -> Difference {
    let letters = world.truth(blocks.clone()).dead_letters;
    compare_chain(trades(store), world.oracle(blocks, now).trades, store, letters)
}

/// The same of what the chain alone tells: whether the markets are known depends on when that is asked.
pub fn compare_fills(store: &Connection, world: &World, blocks: RangeInclusive<u64>) -> Difference {
    let truth = world.truth(blocks);
    let fills = |rows: Vec<TradeRow>| rows.into_iter().map(without_market).collect();
    compare_chain(fills(trades(store)), fills(truth.trades), store, truth.dead_letters)
}

/// Compares what landed of the subgraph with what the world says of some seconds, to somebody who has asked about every token.
pub fn compare_goldsky(
    store: &Connection,
    world: &World,
    seconds: RangeInclusive<i64>,
    head: u64,
    faults: &SubgraphFaults,
) -> (Difference, SubgraphTruth) {
    let truth = world.goldsky_oracle(seconds, head, faults);
    let mut difference = Difference::default();
    let found = read(store, "SELECT * FROM trades_goldsky", trade_row);
    diff(&mut difference, found, truth.trades.clone(), |row: &TradeRow| row.source_id.clone());
    let key = |row: &DeadLetterRow| (row.source.clone(), row.position.clone(), row.stage.clone());
    let letters = dead_letters(store).into_iter().filter(|letter| letter.source == "goldsky").collect();
    diff(&mut difference, letters, truth.dead_letters.clone(), key);
    (difference, truth)
}

fn compare_chain(
    found: Vec<TradeRow>,
    expected: Vec<TradeRow>,
    store: &Connection,
    letters: Vec<DeadLetterRow>,
) -> Difference {
    let mut difference = Difference::default();
    let key = |row: &TradeRow| (row.transaction_hash.clone(), row.log_index, row.source_id.clone());
    diff(&mut difference, found, expected, key);
    let key = |row: &DeadLetterRow| (row.source.clone(), row.position.clone(), row.stage.clone());
    let of_chain = dead_letters(store).into_iter().filter(|letter| letter.source == "polygon").collect();
    diff(&mut difference, of_chain, letters, key);
    difference
}

fn without_market(row: TradeRow) -> TradeRow {
    let none = String::new;
    let known = TradeRow { condition_id: none(), market_id: none(), outcome: none(), nonusdc_side: none(), ..row };
    TradeRow { version: 0, outcome_slot: None, ..known }
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
    // A file that an older polytape has left lacks some.
    let if_any = |name: &str| row.as_ref().column_index(name).map_or(Ok(None), |at| row.get(at));
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
        match_log_index: if_any("match_log_index")?,
        outcome_slot: if_any("outcome_slot")?,
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
