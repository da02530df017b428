//! The `markets` table and the tokens that its rows list.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use clickhouse::Row;
use clickhouse::types::UInt256;
use serde::Deserialize;

use super::connection::Connection;
use super::row_binary::RowBinary;
use super::{ClickhouseError, token_of};
use crate::clock::unix_ms;
use crate::model::{ConditionId, Market, PositionId, Resolution, TokenId, TokenPlaces};
use crate::warehouse::{WarehouseError, WrittenMarket};

pub(super) const INSERT: &str = include_str!("../../../schema/clickhouse/queries/insert_markets.sql");
const WRITTEN: &str = include_str!("../../../schema/clickhouse/queries/written_markets.sql");
const OF_TOKENS: &str = include_str!("../../../schema/clickhouse/queries/markets_of_tokens.sql");

/// How many bytes of markets are sent at once, about. Their JSON makes them large.
const MAX_BYTES: usize = 16 << 20;

/// Ids or tokens that one query asks about.
const AT_ONCE: usize = 5_000;

/// The rows, in the order of the columns in `insert_markets.sql`, in pieces that are not too large.
pub(super) fn encode(rows: &[Market]) -> Result<Vec<Bytes>, WarehouseError> {
    let (mut rest, mut pieces) = (rows, Vec::new());
    while !rest.is_empty() {
        let (piece, taken) = encode_piece(rest)?;
        pieces.push(piece);
        rest = &rest[taken..];
    }
    Ok(pieces)
}

/// Rows until they are large enough, and how many those are.
fn encode_piece(rows: &[Market]) -> Result<(Bytes, usize), WarehouseError> {
    let mut row = RowBinary::with_capacity(MAX_BYTES.min(rows.len() * 8_192));
    let ingested_at = unix_ms();
    let mut taken = 0;
    for market in rows {
        let raw = market.raw.unpack().map_err(|error| {
            WarehouseError::Rows(format!("market {}: its JSON cannot be unpacked: {error}", market.id))
        })?;
        row.text(&market.id);
        row.text(&market.condition_id.map(|id| id.to_string()).unwrap_or_default());
        row.text(&market.question);
        row.text(&market.slug);
        row.list(&market.outcomes, |row, outcome| row.text(outcome));
        row.list(&market.token_ids, |row, token| row.token(*token));
        row.list(&market.position_ids, |row, token| row.token(*token));
        row.u8(u8::from(market.neg_risk));
        row.text(&market.event.id);
        row.text(&market.event.slug);
        row.text(&market.event.title);
        row.list(&market.tags, |row, tag| row.text(tag));
        row.nullable(market.created_at, RowBinary::i64);
        row.nullable(market.end_at, RowBinary::i64);
        row.nullable(market.closed_at, RowBinary::i64);
        row.u8(u8::from(market.active));
        row.u8(u8::from(market.closed));
        row.text(&market.volume);
        row.text(&market.liquidity);
        row.text(&raw);
        row.u64(market.version);
        row.u64(market.lasting_hash());
        row.i64(ingested_at);
        taken += 1;
        if row.len() >= MAX_BYTES {
            break;
        }
    }
    Ok((row.into_bytes(), taken))
}

#[derive(Row, Deserialize)]
struct Written {
    id: String,
    lasting_hash: u64,
    version: u64,
}

/// Of these markets those that are there.
pub(super) async fn written(
    connection: &Connection,
    ids: &[String],
) -> Result<HashMap<String, WrittenMarket>, ClickhouseError> {
    let query = |ids: &[String]| connection.query(WRITTEN).bind(ids);
    let rows: Vec<Written> = connection.rows_in_parts("markets: newest versions", ids, AT_ONCE, query).await?;
    let market = |Written { id, lasting_hash, version }| (id, WrittenMarket { lasting_hash, version });
    Ok(rows.into_iter().map(market).collect())
}

#[derive(Row, Deserialize)]
struct Places {
    id: String,
    condition_id: String,
    outcomes: Vec<String>,
    token_ids: Vec<UInt256>,
    position_ids: Vec<UInt256>,
}

/// What the markets tell of tokens.
pub(super) async fn resolutions(
    connection: &Connection,
    tokens: &[TokenId],
) -> Result<HashMap<TokenId, Resolution>, ClickhouseError> {
    let mut resolutions = HashMap::new();
    for tokens in tokens.chunks(AT_ONCE) {
        let texts: Vec<String> = tokens.iter().map(TokenId::to_string).collect();
        let query = |texts: &[String]| connection.query(OF_TOKENS).bind(texts);
        let rows: Vec<Places> = connection.rows_in_parts("markets of tokens", &texts, AT_ONCE, query).await?;
        let markets: Vec<TokenPlaces> = rows.into_iter().map(places).collect();
        let asked: HashSet<TokenId> = tokens.iter().copied().collect();
        let mut first: HashMap<TokenId, &TokenPlaces> = HashMap::new();
        for market in &markets {
            let listed = market.token_ids.iter().chain(&market.position_ids);
            for token in listed.filter(|token| asked.contains(token)) {
                let known = first.entry(*token).or_insert(market);
                if rank(market, *token) < rank(known, *token) {
                    *known = market;
                }
            }
        }
        resolutions.extend(first.into_iter().filter_map(|(token, market)| Some((token, market.resolution(token)?))));
    }
    Ok(resolutions)
}

/// Of two markets that list a token the one with the lower rank tells: the one of the condition that the token itself names,
/// then the smaller id. Ids are decimals of different lengths.
fn rank(market: &TokenPlaces, token: TokenId) -> (bool, usize, &str) {
    let named = PositionId::of(token).map(|position| position.condition);
    let is_named = named.is_some() && market.condition_id == named;
    (!is_named, market.market_id.len(), &market.market_id)
}

fn places(row: Places) -> TokenPlaces {
    let tokens = |tokens: Vec<UInt256>| tokens.into_iter().map(token_of).collect();
    TokenPlaces {
        market_id: row.id,
        condition_id: row.condition_id.parse::<ConditionId>().ok(),
        outcomes: row.outcomes,
        token_ids: tokens(row.token_ids),
        position_ids: tokens(row.position_ids),
    }
}
