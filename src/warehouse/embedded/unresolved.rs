//! The list of tokens whose rows may still be completed: here the index `trades_unresolved`.
//!
//! It is in one transaction with the rows. So a token has one entry, of all its days, which is there as long as an incomplete row
//! is; nothing puts it there or removes it, and nothing has to be proved.

use std::collections::HashSet;
use std::sync::LazyLock;

use rusqlite::types::Type;
use rusqlite::{Connection, params};

use crate::model::TokenId;
use crate::warehouse::{UnresolvedEntry, UnresolvedPage, UnresolvedPlace};

/// Which rows may still be completed. All queries say it in these words, which are those of the index.
const IS_OPEN: &str = include_str!("../../../schema/embedded/queries/is_open.sql");

static TOKENS: LazyLock<String> =
    LazyLock::new(|| with_condition(include_str!("../../../schema/embedded/queries/unresolved_tokens.sql")));
static NEWEST: LazyLock<String> =
    LazyLock::new(|| with_condition(include_str!("../../../schema/embedded/queries/newest_unresolved.sql")));
static IS_UNRESOLVED: LazyLock<String> =
    LazyLock::new(|| with_condition(include_str!("../../../schema/embedded/queries/is_token_unresolved.sql")));

/// Among so many of the newest rows tokens count as new.
const NEWEST_ROWS: u32 = 2_000;

/// A statement with that condition in the places that are left for it.
pub(super) fn with_condition(sql: &str) -> String {
    sql.replace("{is_open}", IS_OPEN.trim_end())
}

/// Entries of tokens, in the order of their text.
pub(super) fn page(
    connection: &Connection,
    after: Option<UnresolvedPlace>,
    tokens: u32,
) -> rusqlite::Result<UnresolvedPage> {
    let after = after.map(|(token, _)| token.to_string()).unwrap_or_default();
    let mut select = connection.prepare_cached(&TOKENS)?;
    let found = select.query_map(params![after, tokens], token)?.collect::<Result<Vec<_>, _>>()?;
    let is_last = found.len() < tokens as usize;
    let next = found.last().filter(|_| !is_last).map(|token| (*token, String::new()));
    Ok(UnresolvedPage { entries: found.into_iter().map(entry).collect(), next })
}

/// Those among the newest rows, the newest first.
pub(super) fn newest(connection: &Connection, tokens: u32) -> rusqlite::Result<Vec<UnresolvedEntry>> {
    let mut seen = HashSet::new();
    let mut select = connection.prepare_cached(&NEWEST)?;
    let found = select.query_map([NEWEST_ROWS], token)?.collect::<Result<Vec<_>, _>>()?;
    let new = found.into_iter().filter(|token| seen.insert(*token));
    Ok(new.take(tokens as usize).map(entry).collect())
}

/// Those of these tokens that have incomplete rows.
pub(super) fn still(connection: &Connection, tokens: HashSet<TokenId>) -> rusqlite::Result<HashSet<TokenId>> {
    let mut select = connection.prepare_cached(&IS_UNRESOLVED)?;
    let mut still = HashSet::new();
    for token in tokens {
        if select.query_row([token.to_string()], |row| row.get(0))? {
            still.insert(token);
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
        for sql in crate::embedded::schema_files() {
            file.execute_batch(sql).unwrap();
        }
        let resolve = with_condition(include_str!("../../../schema/embedded/queries/resolve_trades.sql"));
        for sql in [&*TOKENS, &*IS_UNRESOLVED, &resolve] {
            let mut plan = file.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let nothing = vec![rusqlite::types::Null; plan.parameter_count()];
            let steps: Vec<String> = plan
                .query_map(rusqlite::params_from_iter(nothing), |row| row.get(3))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert!(steps.iter().any(|step| step.contains("trades_unresolved")), "{steps:#?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN trades")), "{steps:#?}");
        }
    }
}
