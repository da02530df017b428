//! The `markets` table and the tokens that its rows list.

use std::collections::{HashMap, HashSet};

use clickhouse::{Row, types::UInt256};
use serde::Deserialize;

use super::{connection::Connection, error::Result, token::token_of};
use crate::model::{ConditionId, PositionId, Resolution, TokenId, TokenPlaces};
use crate::warehouse::tables::WrittenMarket;

const WRITTEN: &str = include_str!("../../../schema/clickhouse/queries/written_markets.sql");
const OF_TOKENS: &str = include_str!("../../../schema/clickhouse/queries/markets_of_tokens.sql");

/// Ids or tokens that one query asks about.
const AT_ONCE: usize = 5_000;

#[derive(Row, Deserialize)]
struct Written {
    id: String,
    lasting_hash: u64,
    version: u64,
}

/// Of these markets those that are there.
pub(super) async fn written(connection: &Connection, ids: &[String]) -> Result<HashMap<String, WrittenMarket>> {
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
pub(super) async fn resolutions(connection: &Connection, tokens: &[TokenId]) -> Result<HashMap<TokenId, Resolution>> {
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
