//! The tables of trades.

use std::collections::HashSet;
use std::sync::LazyLock;

use rusqlite::{Connection, Transaction, params};

use super::unresolved::{of_each, still};
use crate::clock::unix_ms;
use crate::model::{Resolution, TokenId};
use crate::warehouse::{error::Result, inspection::TapeLine};

const NEWEST: &str = include_str!("../../../schema/embedded/queries/newest_trades.sql");

/// Its condition is that of the index, which is said in one place.
static RESOLVE: LazyLock<Vec<String>> =
    LazyLock::new(|| of_each(include_str!("../../../schema/embedded/queries/resolve_trades.sql")));

/// How many rows one transaction resolves: others get their turn between two of them.
const RESOLVED_AT_ONCE: usize = 5_000;

/// The newest rows.
pub(super) fn newest(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<TapeLine>> {
    connection.prepare_cached(NEWEST)?.query_map([limit], tape_line)?.collect()
}

/// Completes rows of tokens, about [`RESOLVED_AT_ONCE`] of them. Says how many, and which tokens are left.
pub(super) fn resolve_some(
    tx: &Transaction<'_>,
    mut tokens: Vec<(TokenId, Resolution)>,
) -> Result<(u64, Vec<(TokenId, Resolution)>)> {
    let mut updates = RESOLVE.iter().map(|sql| tx.prepare_cached(sql)).collect::<rusqlite::Result<Vec<_>>>()?;
    let mut room = RESOLVED_AT_ONCE;
    while let Some((token, to)) = tokens.last() {
        // Of most tokens nothing is left to be completed, and a proof costs more than to see that.
        if still(tx, HashSet::from([*token]))?.is_empty() {
            tokens.pop();
            continue;
        }
        let slot = to.outcome_slot(*token);
        for update in &mut updates {
            let rows = update.execute(params![
                token.to_string(),
                to.condition_id(),
                to.market_id(),
                to.outcome(),
                to.nonusdc_side(),
                to.version(),
                unix_ms(),
                room,
                slot,
            ])?;
            room -= rows.min(room);
        }
        if room == 0 {
            break;
        }
        tokens.pop();
    }
    Ok(((RESOLVED_AT_ONCE - room) as u64, tokens))
}

fn tape_line(row: &rusqlite::Row<'_>) -> rusqlite::Result<TapeLine> {
    Ok(TapeLine {
        timestamp: row.get("timestamp")?,
        block_number: row.get("block_number")?,
        log_index: row.get("log_index")?,
        exchange: row.get("exchange")?,
        maker_direction: row.get("maker_direction")?,
        token_amount: row.get("token_amount")?,
        usd_amount: row.get("usd_amount")?,
        price: row.get("price")?,
        token_id: row.get("token_id")?,
        outcome: row.get("outcome")?,
        is_taker_row: row.get("is_taker_row")?,
        question: row.get("question")?,
    })
}
