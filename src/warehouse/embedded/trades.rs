//! The `trades` table.

use std::borrow::Cow;
use std::sync::LazyLock;

use alloy_primitives::hex;
use rusqlite::{Connection, Transaction, params};

use super::unresolved::with_condition;
use crate::clock::unix_ms;
use crate::model::{Resolution, TokenId, Trade};
use crate::planted::{Bug, planted};
use crate::warehouse::{TapeLine, WarehouseError};

const INSERT: &str = include_str!("../../../schema/embedded/queries/insert_trade.sql");
const UPDATE: &str = include_str!("../../../schema/embedded/queries/update_trade.sql");
const NEWEST: &str = include_str!("../../../schema/embedded/queries/newest_trades.sql");

/// Its condition is that of the index, which is said in one place.
static RESOLVE: LazyLock<String> =
    LazyLock::new(|| with_condition(include_str!("../../../schema/embedded/queries/resolve_trades.sql")));

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
) -> Result<(u64, Vec<(TokenId, Resolution)>), WarehouseError> {
    let mut update = tx.prepare_cached(&RESOLVE)?;
    let mut room = RESOLVED_AT_ONCE;
    while let Some((token, to)) = tokens.last() {
        let rows = update.execute(params![
            token.to_string(),
            to.condition_id(),
            to.market_id(),
            to.outcome(),
            to.nonusdc_side(),
            to.version(),
            unix_ms(),
            room,
        ])?;
        room -= rows.min(room);
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

/// The statement that replaces a row.
fn update() -> Cow<'static, str> {
    match planted(Bug::VersionByClock) {
        true => UPDATE.replace("AND version <= ?23", "").into(),
        false => UPDATE.into(),
    }
}

/// Lower-case `0x…` text of `N` bytes.
type HexBuffer<const N: usize> = hex::Buffer<N, true>;

/// Inserts what is new and updates what was poorer. Says how many rows are new.
pub(super) fn upsert(tx: &Transaction<'_>, rows: &[Trade]) -> Result<usize, WarehouseError> {
    let mut insert = tx.prepare_cached(INSERT)?;
    let mut update = tx.prepare_cached(&update())?;
    let mut new = 0;
    let ingested_at = unix_ms();
    let (mut transaction_hash, mut order_hash) = (HexBuffer::<32>::new(), HexBuffer::<32>::new());
    let (mut maker, mut taker) = (HexBuffer::<20>::new(), HexBuffer::<20>::new());
    for Trade { fill, resolution } in rows {
        let price = fill.price();
        let token_id = fill.token_id.to_string();
        let [usd, shares, fee] = [fill.usd, fill.shares, fill.fee].map(|amount| amount.to_string());
        let nonusdc_side = resolution.nonusdc_side();
        let transaction_hash = transaction_hash.format(&fill.transaction_hash.0);
        let order_hash = order_hash.format(&fill.order_hash.0);
        let maker = maker.format(&fill.maker.0.0);
        let taker = taker.format(&fill.taker.0.0);
        let (fee_unit, is_taker_row, version) = (fill.fee_unit().label(), fill.is_taker_row(), resolution.version());
        let values = params![
            fill.timestamp,
            fill.block_number,
            fill.log_index,
            &*transaction_hash,
            &*order_hash,
            fill.source_id,
            fill.exchange.label(),
            token_id,
            resolution.condition_id(),
            resolution.market_id(),
            resolution.outcome(),
            nonusdc_side,
            &*maker,
            &*taker,
            fill.side.label(),
            fill.side.opposite().label(),
            price,
            usd,
            shares,
            fee,
            fee_unit,
            is_taker_row,
            version,
            ingested_at,
        ];
        if insert.execute(values)? == 1 {
            new += 1;
        } else {
            update.execute(values)?;
        }
    }
    Ok(new)
}
