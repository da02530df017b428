//! The `markets` table and the tokens that its rows list.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::clock::unix_ms;
use crate::model::{ConditionId, Market, PositionId, Resolution, TokenId, TokenPlaces};
use crate::warehouse::{WarehouseError, WrittenMarket};

const UPSERT: &str = include_str!("../../../schema/embedded/queries/upsert_market.sql");
const OF_TOKEN: &str = include_str!("../../../schema/embedded/queries/market_of_token.sql");

/// Inserts what is new and replaces what is not newer. Says how many rows are new.
pub(super) fn upsert(tx: &Transaction<'_>, rows: &[Market]) -> Result<usize, WarehouseError> {
    let mut find = tx.prepare_cached("SELECT version, token_ids, position_ids FROM markets WHERE id = ?")?;
    let mut write = tx.prepare_cached(UPSERT)?;
    let ingested_at = unix_ms();
    let mut new = 0;
    for market in rows {
        let [token_ids, position_ids] = [&market.token_ids, &market.position_ids].map(|tokens| decimals(tokens));
        let find = find.query_row([&market.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let before: Option<(u64, String, String)> = find.optional()?;
        if before.as_ref().is_some_and(|(version, ..)| *version > market.version) {
            continue;
        }
        write.execute(params![
            market.id,
            market.condition_id.map(|id| id.to_string()).unwrap_or_default(),
            market.question,
            market.slug,
            json(&market.outcomes),
            token_ids,
            position_ids,
            market.neg_risk,
            market.event.id,
            market.event.slug,
            market.event.title,
            json(&market.tags),
            market.created_at,
            market.end_at,
            market.closed_at,
            market.active,
            market.closed,
            market.volume,
            market.liquidity,
            market.raw.as_packed(),
            market.version,
            market.lasting_hash().cast_signed(),
            ingested_at,
        ])?;
        new += usize::from(before.is_none());
        let before = before.map(|(_, tokens, positions)| (tokens, positions));
        if before.as_ref() != Some(&(token_ids, position_ids)) {
            index_tokens(tx, market, before)?;
        }
    }
    Ok(new)
}

/// Puts the tokens of a market into the index, in place of those that it listed before.
fn index_tokens(tx: &Transaction<'_>, market: &Market, before: Option<(String, String)>) -> Result<(), WarehouseError> {
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

/// A list of texts as JSON.
fn json(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}

/// Tokens as a JSON list of decimals as text: as numbers they would lose their digits in most readers.
fn decimals(tokens: &[TokenId]) -> String {
    json(&tokens.iter().map(TokenId::to_string).collect::<Vec<_>>())
}

/// The texts of a JSON list that was written here.
fn texts(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_default()
}
