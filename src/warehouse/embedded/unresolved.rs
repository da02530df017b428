//! The list of tokens whose rows may still be completed: here an index of each table of trades, `trades_unresolved`.
//!
//! It is in one transaction with the rows. So a token has one entry, of all its days, which is there as long as an incomplete row
//! is; nothing puts it there or removes it, and nothing has to be proved.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use rusqlite::{Connection, params, types::Type};

use crate::warehouse::table::declaration::{Table, listed};
use crate::warehouse::unresolved::{UnresolvedEntry, UnresolvedPage, UnresolvedPlace};
use crate::{model::TokenId, warehouse::unresolved};

static TOKENS: LazyLock<Vec<String>> =
    LazyLock::new(|| of_each(include_str!("../../../schema/embedded/queries/unresolved_tokens.sql")));
static NEWEST: LazyLock<Vec<String>> =
    LazyLock::new(|| of_each(include_str!("../../../schema/embedded/queries/newest_unresolved.sql")));
static IS_UNRESOLVED: LazyLock<Vec<String>> =
    LazyLock::new(|| of_each(include_str!("../../../schema/embedded/queries/is_token_unresolved.sql")));

/// Among so many of the newest rows tokens count as new.
const NEWEST_ROWS: u32 = 2_000;

/// A statement about rows that may still be completed, in the words of the index, of each table of trades.
pub(super) fn of_each(sql: &str) -> Vec<String> {
    let sql = unresolved::with_condition(sql, "condition_id GLOB '0x03*'");
    Table::of_trades().map(|table| of(table, &sql)).collect()
}

fn of(table: &Table, sql: &str) -> String {
    let (id, key) = (table.id, table.embedded_key);
    let is_poorer = key.iter().map(|name| format!("{id}.{name} = poorer.{name}")).collect::<Vec<_>>().join(" AND ");
    let newest_first = listed(key, |name| format!("{name} DESC"));
    let sql = table.statement(sql).replace("{key}", &key.join(", "));
    sql.replace("{is_poorer}", &is_poorer).replace("{newest_first}", &newest_first)
}

/// Entries of tokens, in the order of their text.
pub(super) fn page(
    connection: &Connection,
    after: Option<UnresolvedPlace>,
    tokens: u32,
) -> rusqlite::Result<UnresolvedPage> {
    let after = after.map(|(token, _)| token.to_string()).unwrap_or_default();
    let mut all = BTreeMap::new();
    for sql in &*TOKENS {
        for found in connection.prepare_cached(sql)?.query_map(params![after, tokens], token)? {
            let found = found?;
            all.insert(found.to_string(), found);
        }
    }
    let found: Vec<TokenId> = all.into_values().take(tokens as usize).collect();
    let is_last = found.len() < tokens as usize;
    let next = found.last().filter(|_| !is_last).map(|token| (*token, String::new()));
    Ok(UnresolvedPage { entries: found.into_iter().map(entry).collect(), next })
}

/// Those among the newest rows of each table, the newest first.
pub(super) fn newest(connection: &Connection, tokens: u32) -> rusqlite::Result<Vec<UnresolvedEntry>> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for sql in &*NEWEST {
        for token in connection.prepare_cached(sql)?.query_map([NEWEST_ROWS], token)? {
            found.push(token?);
        }
    }
    let new = found.into_iter().filter(|token| seen.insert(*token));
    Ok(new.take(tokens as usize).map(entry).collect())
}

/// Those of these tokens that have incomplete rows.
pub(super) fn still(connection: &Connection, tokens: HashSet<TokenId>) -> rusqlite::Result<HashSet<TokenId>> {
    let mut still = HashSet::new();
    for sql in &*IS_UNRESOLVED {
        let mut select = connection.prepare_cached(sql)?;
        for token in &tokens {
            if select.query_row([token.to_string()], |row| row.get(0))? {
                still.insert(*token);
            }
        }
    }
    Ok(still)
}

const fn entry(token: TokenId) -> UnresolvedEntry {
    UnresolvedEntry { token, insert: String::new(), first: 0, last: u32::MAX }
}

/// The token in the only column.
fn token(row: &rusqlite::Row<'_>) -> rusqlite::Result<TokenId> {
    let text: String = row.get(0)?;
    text.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_is_answered_by_the_index() {
        let file = Connection::open_in_memory().unwrap();
        for sql in crate::sqlite::FILES {
            file.execute_batch(sql).unwrap();
        }
        let resolve = of_each(include_str!("../../../schema/embedded/queries/resolve_trades.sql"));
        let tables = || Table::of_trades().map(|table| table.id);
        assert_eq!(tables().count(), 2);
        for (sql, table) in [&*TOKENS, &*IS_UNRESOLVED, &resolve].into_iter().flat_map(|sql| sql.iter().zip(tables())) {
            let mut plan = file.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let nothing = vec![rusqlite::types::Null; plan.parameter_count()];
            let steps: Vec<String> = plan
                .query_map(rusqlite::params_from_iter(nothing), |row| row.get(3))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert!(steps.iter().any(|step| step.contains(&format!("{table}_unresolved"))), "{steps:#?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN trades")), "{steps:#?}");
        }
    }
}
