//! The `markets` table and the tokens that its rows list.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::rows::{Writing, decimals, replace};
use crate::model::{ConditionId, Market, PositionId, Resolution, TokenId, TokenPlaces};
use crate::warehouse::{error::Result, table::row::TableRow, tables::WrittenMarket};

const OF_TOKEN: &str = include_str!("../../../schema/embedded/queries/market_of_token.sql");

/// Inserts what is new and replaces what is not newer, with the tokens that it lists. Says how many rows are new.
pub(in crate::warehouse) fn upsert(tx: &Transaction<'_>, rows: &[Market]) -> Result<usize> {
    let mut find = tx.prepare_cached("SELECT version, token_ids, position_ids FROM markets WHERE id = ?")?;
    let mut write = Writing::new(tx.prepare_cached(&replace(&Market::TABLE))?);
    let mut new = 0;
    for market in rows {
        let find = find.query_row([&market.id], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
        let before: Option<(u64, (String, String))> = find.optional()?;
        if before.as_ref().is_some_and(|(version, _)| *version > market.version) {
            continue;
        }
        write.execute(market)?;
        new += usize::from(before.is_none());
        let before = before.map(|(_, listed)| listed);
        let is_listed =
            |listed: &(String, String)| *listed == (decimals(&market.token_ids), decimals(&market.position_ids));
        if !before.as_ref().is_some_and(is_listed) {
            index_tokens(tx, market, before)?;
        }
    }
    Ok(new)
}

/// Puts the tokens of a market into the index, in place of those that it listed before.
fn index_tokens(tx: &Transaction<'_>, market: &Market, before: Option<(String, String)>) -> Result<()> {
    if let Some((tokens, positions)) = before {
        let mut delete = tx.prepare_cached("DELETE FROM market_tokens WHERE token_id = ? AND market_id = ?")?;
        for token in texts(&tokens).iter().chain(&texts(&positions)) {
            delete.execute([token, &market.id])?;
        }
    }
    let mut insert = tx.prepare_cached("INSERT INTO market_tokens VALUES (?, ?) ON CONFLICT DO NOTHING")?;
    for token in market.tokens() {
        insert.execute([&token.to_string(), &market.id])?;
    }
    Ok(())
}

/// Of these markets those that are there.
pub(super) fn written(connection: &Connection, ids: Vec<String>) -> rusqlite::Result<HashMap<String, WrittenMarket>> {
    let mut find = connection.prepare_cached("SELECT lasting_hash, version FROM markets WHERE id = ?")?;
    let mut written = HashMap::with_capacity(ids.len());
    for id in ids {
        let row = |row: &Row<'_>| {
            Ok(WrittenMarket { lasting_hash: row.get::<_, i64>(0)?.cast_unsigned(), version: row.get(1)? })
        };
        if let Some(market) = find.query_row([&id], row).optional()? {
            written.insert(id, market);
        }
    }
    Ok(written)
}

/// What the markets tell of tokens.
pub(super) fn resolutions(
    connection: &Connection,
    tokens: &[TokenId],
) -> rusqlite::Result<HashMap<TokenId, Resolution>> {
    let mut find = connection.prepare_cached(OF_TOKEN)?;
    let mut resolutions = HashMap::new();
    for token in tokens {
        let named = PositionId::of(*token).map(|position| position.condition.to_string()).unwrap_or_default();
        let found = find.query_row([token.to_string(), named], |row| resolution(row, *token));
        let resolution = found.optional()?.flatten();
        resolutions.extend(resolution.map(|resolution| (*token, resolution)));
    }
    Ok(resolutions)
}

fn resolution(row: &Row<'_>, token: TokenId) -> rusqlite::Result<Option<Resolution>> {
    let list = |column: &str| Ok::<_, rusqlite::Error>(texts(&row.get::<_, String>(column)?));
    let tokens = |column: &str| Ok::<_, rusqlite::Error>(list(column)?.iter().flat_map(|text| text.parse()).collect());
    let places = TokenPlaces {
        market_id: row.get("id")?,
        condition_id: row.get::<_, String>("condition_id")?.parse::<ConditionId>().ok(),
        outcomes: list("outcomes")?,
        token_ids: tokens("token_ids")?,
        position_ids: tokens("position_ids")?,
    };
    Ok(places.resolution(token))
}

/// The texts of a JSON list that was written here.
fn texts(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_default()
}
