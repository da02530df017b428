//! The `trades` table.

use std::collections::HashMap;

use alloy_primitives::hex;
use bytes::Bytes;
use clickhouse::Row;
use serde::Deserialize;

use super::ClickhouseError;
use super::connection::Connection;
use super::row_binary::RowBinary;
use crate::clock::unix_ms;
use crate::model::Trade;
use crate::warehouse::{TapeLine, WarehouseError};

pub(super) const INSERT: &str = include_str!("../../../schema/clickhouse/queries/insert_trades.sql");
const NEWEST: &str = include_str!("../../../schema/clickhouse/queries/newest_trades.sql");
const QUESTIONS: &str = include_str!("../../../schema/clickhouse/queries/questions.sql");

/// About how many bytes a row takes.
const BYTES_PER_ROW: usize = 520;

/// How far back the newest rows are looked for, in seconds: ten minutes, six hours, a week, and then everywhere.
const WINDOWS: [i64; 4] = [600, 6 * 3_600, 7 * 86_400, i64::MAX / 2];

/// Lower-case `0x…` text of `N` bytes.
type HexBuffer<const N: usize> = hex::Buffer<N, true>;

/// The rows, in the order of the columns in `insert_trades.sql`.
pub(super) fn encode(rows: &[Trade]) -> Result<Vec<Bytes>, WarehouseError> {
    let mut row = RowBinary::with_capacity(rows.len() * BYTES_PER_ROW);
    let ingested_at = unix_ms();
    let (mut transaction_hash, mut order_hash) = (HexBuffer::<32>::new(), HexBuffer::<32>::new());
    let (mut maker, mut taker) = (HexBuffer::<20>::new(), HexBuffer::<20>::new());
    for Trade { fill, resolution } in rows {
        let timestamp = u32::try_from(fill.timestamp).map_err(|_| {
            let place = format!("{:#x}:{}", fill.transaction_hash, fill.log_index);
            WarehouseError::Rows(format!("{place}: second {} is later than a DateTime can be", fill.timestamp))
        })?;
        row.u32(timestamp);
        row.u64(fill.block_number);
        row.u32(fill.log_index);
        row.text(transaction_hash.format(&fill.transaction_hash.0));
        row.text(order_hash.format(&fill.order_hash.0));
        row.text(&fill.source_id);
        row.text(fill.exchange.label());
        row.token(fill.token_id);
        row.text(resolution.condition_id());
        row.text(resolution.market_id());
        row.text(resolution.outcome());
        row.text(&resolution.nonusdc_side());
        row.text(maker.format(&fill.maker.0.0));
        row.text(taker.format(&fill.taker.0.0));
        row.text(fill.side.label());
        row.text(fill.side.opposite().label());
        row.nullable(fill.price(), RowBinary::f64);
        row.amount(fill.usd);
        row.amount(fill.shares);
        row.amount(fill.fee);
        row.text(fill.fee_unit().label());
        row.u8(u8::from(fill.is_taker_row()));
        row.u8(resolution.version());
        row.i64(ingested_at);
    }
    Ok(vec![row.into_bytes()])
}

#[derive(Row, Deserialize)]
struct Line {
    at: i64,
    block_number: u64,
    log_index: u32,
    exchange: String,
    maker_direction: String,
    token_amount: String,
    usd_amount: String,
    price: Option<f64>,
    token_id: String,
    outcome: String,
    market_id: String,
    is_taker_row: bool,
}

#[derive(Row, Deserialize)]
struct Question {
    id: String,
    question: String,
}

/// The newest rows, each with the question of its market.
pub(super) async fn newest(connection: &Connection, limit: u32) -> Result<Vec<TapeLine>, ClickhouseError> {
    let lines: Vec<Line> = newest_of(connection, NEWEST, limit).await?;
    let mut ids: Vec<&str> = lines.iter().map(|line| line.market_id.as_str()).filter(|id| !id.is_empty()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut questions = HashMap::new();
    if !ids.is_empty() {
        let query = |ids: &[&str]| connection.query(QUESTIONS).bind(ids);
        let found: Vec<Question> = connection.rows_in_parts("newest trades: questions", &ids, ids.len(), query).await?;
        questions.extend(found.into_iter().map(|Question { id, question }| (id, question)));
    }
    let tape_line = |line: Line| TapeLine {
        timestamp: line.at,
        block_number: line.block_number,
        log_index: line.log_index,
        exchange: line.exchange,
        maker_direction: line.maker_direction,
        token_amount: line.token_amount,
        usd_amount: line.usd_amount,
        price: line.price,
        token_id: line.token_id,
        outcome: line.outcome,
        question: questions.get(&line.market_id).cloned().unwrap_or_default(),
        is_taker_row: line.is_taker_row,
    };
    Ok(lines.into_iter().map(tape_line).collect())
}

/// Asks for the newest rows, further and further back until there are enough.
async fn newest_of<T: clickhouse::RowOwned + clickhouse::RowRead>(
    connection: &Connection,
    sql: &str,
    limit: u32,
) -> Result<Vec<T>, ClickhouseError> {
    let mut rows = Vec::new();
    for window in WINDOWS {
        // The time is in the key, so that an index of it hides no version of a row.
        let query = connection.query(sql).with_setting("use_skip_indexes_if_final", "1");
        rows = connection.periodic("newest trades", query.bind(window).bind(limit)).await?;
        if rows.len() >= limit as usize {
            break;
        }
    }
    Ok(rows)
}
