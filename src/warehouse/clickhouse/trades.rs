//! The `trades` table.

use std::collections::HashMap;

use clickhouse::Row;
use serde::Deserialize;

use super::{connection::Connection, error::Result};
use crate::warehouse::inspection::TapeLine;

const NEWEST: &str = include_str!("../../../schema/clickhouse/queries/newest_trades.sql");
const QUESTIONS: &str = include_str!("../../../schema/clickhouse/queries/questions.sql");

/// How far back the newest rows are looked for, in seconds: ten minutes, six hours, a week, and then everywhere.
const WINDOWS: [i64; 4] = [600, 6 * 3_600, 7 * 86_400, i64::MAX / 2];

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
pub(super) async fn newest(connection: &Connection, limit: u32) -> Result<Vec<TapeLine>> {
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
) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    for window in WINDOWS {
        rows = connection.periodic("newest trades", connection.query(sql).bind(window).bind(limit)).await?;
        if rows.len() >= limit as usize {
            break;
        }
    }
    Ok(rows)
}
