//! The list of tokens whose rows may still be completed: the table `unresolved_tokens`, and what is done by it.
//!
//! Nothing here looks for rows: the list says in which days which token has some, and the key of a table of trades begins with the
//! day and the token. So what is read is those tokens' granules of those days, however many rows there are beside them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use clickhouse::{Row, types::UInt256};
use serde::Deserialize;

use super::{
    answer::Written, connection::Connection, error::Result, frames::add_frames, pins::WITHOUT_INDEXES,
    read_back::check_kept, row_binary::RowBinary, summary::QueryCost, token::token_of,
};
use crate::clock::unix_ms;
use crate::model::{Resolution, TokenId};
use crate::warehouse::table::declaration::{OUTCOME_SLOT, Table, VERSION, WRITTEN_AT, listed};
use crate::warehouse::unresolved::{UnresolvedEntry, UnresolvedPage, UnresolvedPlace};
use crate::warehouse::{error::WarehouseError, table::cells::Column, unresolved};

const INSERT: &str = include_str!("../../../schema/clickhouse/queries/insert_unresolved.sql");
const LISTED: &str = include_str!("../../../schema/clickhouse/queries/listed_unresolved.sql");
const PAGE: &str = include_str!("../../../schema/clickhouse/queries/unresolved_tokens.sql");
const NEWEST: &str = include_str!("../../../schema/clickhouse/queries/newest_unresolved.sql");

/// The statements about each table of trades.
static TABLES: LazyLock<Vec<OfTable>> = LazyLock::new(|| Table::of_trades().map(OfTable::new).collect());

/// The statements about the rows of a table.
struct OfTable {
    /// The tokens that have open rows in the days of some entries.
    still: String,
    /// Those of these rows that know less than is known: how many they are, …
    poorer: String,
    /// … and they themselves, richer.
    resolve: String,
}

impl OfTable {
    fn new(table: &Table) -> Self {
        let rows = with_condition(include_str!("../../../schema/clickhouse/queries/entries_rows.sql"));
        let rows = table.statement(&rows);
        let poorer =
            include_str!("../../../schema/clickhouse/queries/poorer_trades.sql").replace("{entries_rows}", &rows);
        Self {
            still: format!("SELECT DISTINCT token_id {rows}"),
            resolve: format!("{} {poorer}", insert_richer(table)),
            poorer: format!("SELECT count() AS rows {poorer}"),
        }
    }
}

/// What stands in front of the rows that are written once more.
fn insert_richer(table: &Table) -> String {
    let value = |column: &Column| match column.name {
        "condition_id" | "market_id" | "outcome" | "nonusdc_side" | VERSION => format!("known.{}", column.name),
        OUTCOME_SLOT => format!("coalesce(poor.{OUTCOME_SLOT}, known.{OUTCOME_SLOT})"),
        WRITTEN_AT => "fromUnixTimestamp64Milli(toInt64(?), 'UTC')".to_owned(),
        kept => format!("poor.{kept}"),
    };
    table
        .statement(include_str!("../../../schema/clickhouse/queries/resolve_trades.sql"))
        .replace("{columns}", &table.names())
        .replace("{values}", &listed(table.columns, value))
}

/// Rows of the list that one page is made of, removals included.
const PAGE_ROWS: usize = 1_500;

/// What counts as new, in seconds.
const NEW: u32 = 60;

/// Days of tokens that one statement asks about.
const DAYS_AT_ONCE: usize = 2_000;

/// Entries that one question about entries asks about.
const ENTRIES_AT_ONCE: usize = 2_000;

/// A statement about rows that may still be completed.
pub(super) fn with_condition(sql: &str) -> String {
    unresolved::with_condition(sql, "startsWith(condition_id, '0x03')")
}

/// A row of the list.
#[derive(Row, Deserialize)]
pub(super) struct Listed {
    token_id: UInt256,
    insert_id: String,
    first: u32,
    last: u32,
    removed: u8,
}

/// A token with open rows.
#[derive(Row, Deserialize)]
struct Open {
    token_id: UInt256,
}

impl Listed {
    fn entry(self) -> UnresolvedEntry {
        UnresolvedEntry { token: token_of(self.token_id), insert: self.insert_id, first: self.first, last: self.last }
    }
}

/// Puts entries on the list. When it returns they are there.
pub(super) async fn list(connection: &Connection, entries: &[UnresolvedEntry]) -> Result<(), WarehouseError> {
    insert(connection, entries, false).await
}

/// Removes entries from the list. When it returns they are gone.
pub(super) async fn remove(connection: &Connection, entries: &[UnresolvedEntry]) -> Result<(), WarehouseError> {
    insert(connection, entries, true).await
}

async fn insert(connection: &Connection, entries: &[UnresolvedEntry], removed: bool) -> Result<(), WarehouseError> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut row = RowBinary::with_capacity(entries.len() * 80);
    for UnresolvedEntry { token, insert, first, last } in entries {
        row.token(*token);
        row.text(insert);
        row.u32(*first);
        row.u32(*last);
        row.u8(u8::from(removed));
        row.u8(u8::from(removed));
    }
    let mut frames = Vec::new();
    add_frames(&mut frames, row.as_bytes()).map_err(WarehouseError::List)?;
    match connection.insert(INSERT, &frames).await.map_err(not_of_rows)? {
        Written::Confirmed(_) => Ok(()),
        Written::Unproved => Ok(read_back(connection, entries, removed).await?),
    }
}

/// An entry that is refused is no fault of the rows that it stands for: they must not become dead letters by it.
fn not_of_rows(error: WarehouseError) -> WarehouseError {
    match error {
        WarehouseError::Rows(text) => WarehouseError::List(text),
        error => error,
    }
}

/// Whether entries or their removals are there.
async fn read_back(connection: &Connection, entries: &[UnresolvedEntry], removed: bool) -> Result<()> {
    let items: Vec<_> = entries.iter().map(|entry| (entry.token.to_string(), &entry.insert)).collect();
    let query = |items: &[_]| connection.query(LISTED).bind(items).bind(u8::from(removed));
    let found = connection.count_in_parts("unresolved tokens: read back", &items, ENTRIES_AT_ONCE, query).await?;
    check_kept("list of unresolved tokens", found >= items.len() as u64, connection)
}

/// Some of the list, behind `after`.
pub(super) async fn page(
    connection: &Connection,
    after: Option<&UnresolvedPlace>,
    tokens: u32,
) -> Result<UnresolvedPage> {
    let (token, insert) = after.map_or_else(|| ("0".into(), ""), |(token, insert)| (token.to_string(), insert));
    // The list is read in its order, and in small blocks no further than needed.
    let query = connection.query(PAGE).wish("max_block_size", PAGE_ROWS);
    let query = query.bind(&token).bind(&token).bind(insert).bind(PAGE_ROWS as u32);
    let rows = connection.periodic("unresolved tokens: list", query).await?;
    Ok(page_of(rows, tokens as usize, PAGE_ROWS))
}

/// A page of rows of which at most `most` were asked for. Rows of one entry are beside each other, in no order.
fn page_of(rows: Vec<Listed>, tokens: usize, most: usize) -> UnresolvedPage {
    let is_cut = rows.len() >= most;
    let mut entries: BTreeMap<UnresolvedPlace, (UnresolvedEntry, bool)> = BTreeMap::new();
    for row in rows {
        let (is_removed, entry) = (row.removed != 0, row.entry());
        let known = entries.entry((entry.token, entry.insert.clone())).or_insert((entry, false));
        known.1 |= is_removed;
    }
    // Of the last entry a removal may be behind the end, unless the page is nothing else.
    if is_cut && entries.len() > 1 {
        entries.pop_last();
    }
    let mut page = UnresolvedPage::default();
    let (mut seen, mut last) = (HashSet::new(), None);
    let mut is_full = false;
    for (place, (entry, is_removed)) in entries {
        if !is_removed {
            if !seen.contains(&entry.token) && seen.len() == tokens {
                is_full = true;
                break;
            }
            seen.insert(entry.token);
            page.entries.push(entry);
        }
        last = Some(place);
    }
    page.next = last.filter(|_| is_cut || is_full);
    page
}

/// What was listed within the last minute, the newest first.
pub(super) async fn newest(connection: &Connection, tokens: u32) -> Result<Vec<UnresolvedEntry>> {
    // A removal is later than what it removes, so the index of times hides none.
    let query = connection.query(NEWEST).bind(NEW).bind(2 * tokens);
    let rows: Vec<Listed> = connection.periodic("unresolved tokens: newest", query).await?;
    let mut seen = HashSet::new();
    let mut entries: Vec<UnresolvedEntry> = rows.into_iter().map(Listed::entry).collect();
    entries.retain(|entry| {
        if seen.len() < tokens as usize {
            seen.insert(entry.token);
        }
        seen.contains(&entry.token)
    });
    Ok(entries)
}

/// The days of these entries by their tokens.
fn days(entries: &[UnresolvedEntry]) -> BTreeMap<TokenId, BTreeSet<u16>> {
    let mut days: BTreeMap<TokenId, BTreeSet<u16>> = BTreeMap::new();
    for UnresolvedEntry { token, first, last, .. } in entries {
        // There are fewer than 2^16 days in 2^32 seconds.
        days.entry(*token).or_default().extend((first / 86_400) as u16..=(last / 86_400) as u16);
    }
    days
}

/// Tokens with their days, in parts that one statement takes: a token is in one of them.
fn in_parts(days: BTreeMap<TokenId, BTreeSet<u16>>) -> Vec<Vec<(TokenId, BTreeSet<u16>)>> {
    let (mut parts, mut room) = (Vec::<Vec<_>>::new(), 0);
    for (token, days) in days {
        if room < days.len() || parts.is_empty() {
            parts.push(Vec::new());
            room = DAYS_AT_ONCE;
        }
        room = room.saturating_sub(days.len());
        if let Some(part) = parts.last_mut() {
            part.push((token, days));
        }
    }
    parts
}

/// As the statements take them.
fn bound(part: &[(TokenId, BTreeSet<u16>)]) -> Vec<(String, u16)> {
    part.iter().flat_map(|(token, days)| days.iter().map(move |day| (token.to_string(), *day))).collect()
}

/// The tokens of these entries that have open rows in their days.
pub(super) async fn still(connection: &Connection, entries: &[UnresolvedEntry]) -> Result<HashSet<TokenId>> {
    let mut still = HashSet::new();
    let mut parts = in_parts(days(entries));
    while let Some(mut part) = parts.pop() {
        match open_rows(connection, &part).await {
            Ok(rows) => still.extend(rows.into_iter().map(|row| token_of(row.token_id))),
            Err(error) if part.len() > 1 && error.asks_for_less() => {
                let second = part.split_off(part.len() / 2);
                parts.extend([second, part]);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(still)
}

/// The tokens of a part that have open rows, of each table.
async fn open_rows(connection: &Connection, part: &[(TokenId, BTreeSet<u16>)]) -> Result<Vec<Open>> {
    let days = bound(part);
    let of_each = TABLES.iter().map(|of_table| of_table.still.as_str()).collect::<Vec<_>>().join(" UNION ALL ");
    let query = TABLES.iter().fold(connection.query(&of_each).wish_of(WITHOUT_INDEXES), |query, _| query.bind(&days));
    connection.periodic("unresolved tokens: look at their rows", query).await
}

/// Completes rows of tokens in the days of their entries, where they are. Says how many there were.
pub(super) async fn resolve(
    connection: &Connection,
    tokens: &[(TokenId, Resolution)],
    entries: &[UnresolvedEntry],
) -> Result<u64, WarehouseError> {
    // Of what is said of one token what says most, and among equals what was said last.
    let mut best: HashMap<TokenId, &Resolution> = HashMap::with_capacity(tokens.len());
    for (token, resolution) in tokens {
        let known = best.entry(*token).or_insert(resolution);
        if resolution.version() >= known.version() {
            *known = resolution;
        }
    }
    let mut days = days(entries);
    days.retain(|token, _| best.contains_key(token));
    let mut resolved = 0;
    let mut parts = in_parts(days);
    while let Some(mut part) = parts.pop() {
        match resolve_part(connection, &best, &part).await {
            Ok(rows) => resolved += rows,
            Err(error) if part.len() > 1 && error.asks_for_less() => {
                let second = part.split_off(part.len() / 2);
                parts.extend([second, part]);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(resolved)
}

/// Completes rows of so many tokens as one statement takes.
async fn resolve_part(
    connection: &Connection,
    known: &HashMap<TokenId, &Resolution>,
    part: &[(TokenId, BTreeSet<u16>)],
) -> Result<u64, WarehouseError> {
    let days = bound(part);
    let items: Vec<_> = part
        .iter()
        .filter_map(|(token, _)| {
            let to = known.get(token)?;
            let slot = to.outcome_slot(*token).map_or_else(String::new, |slot| slot.to_string());
            let (token, side) = (token.to_string(), to.nonusdc_side());
            Some((token, to.condition_id(), to.market_id(), to.outcome(), side, to.version(), slot))
        })
        .collect();
    let (mut done, mut rows) = (QueryCost::ZERO, 0);
    for OfTable { resolve, poorer, .. } in &*TABLES {
        let query = |sql| connection.query(sql).wish_of(WITHOUT_INDEXES);
        match connection.move_rows(query(resolve).bind(unix_ms()).bind(&days).bind(&items)).await? {
            Written::Confirmed(cost) => {
                rows += cost.written_rows.unwrap_or(0);
                done = done.and(cost);
            }
            Written::Unproved => {
                let left: Vec<u64> = connection.rows(query(poorer).bind(&days).bind(&items)).await?;
                check_kept("completion of rows", left == [0], connection)?;
                done = done.and(QueryCost::default());
            }
        }
    }
    connection.costs().note("unresolved tokens: complete their rows", done);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::U256;

    fn row(token: u64, insert: &str, removed: u8) -> Listed {
        let token_id = UInt256::from_le_bytes(U256::from(token).to_le_bytes());
        Listed { token_id, insert_id: insert.into(), first: 86_399, last: 86_401, removed }
    }

    fn places(page: &UnresolvedPage) -> Vec<(u64, &str)> {
        page.entries.iter().map(|entry| (entry.token.0.to::<u64>(), entry.insert.as_str())).collect()
    }

    #[test]
    fn a_removal_counts_wherever_it_comes_and_is_never_cut_off() {
        let rows =
            || vec![row(1, "a", 1), row(1, "a", 0), row(1, "b", 0), row(2, "a", 0), row(2, "a", 1), row(3, "a", 0)];
        let whole = page_of(rows(), 9, 100);
        assert_eq!((places(&whole), whole.next.clone()), (vec![(1, "b"), (3, "a")], None));
        let cut = page_of(rows().into_iter().take(4).collect(), 9, 4);
        assert_eq!(places(&cut), [(1, "b")], "whether 2 is removed is not known yet");
        assert_eq!(cut.next, Some((TokenId(U256::ONE), "b".into())));
        let two = page_of(rows(), 1, 100);
        assert_eq!(places(&two), [(1, "b")]);
        assert_eq!(two.next, Some((TokenId(U256::from(2)), "a".into())), "what is removed need not be read again");
        let removed = page_of(vec![row(7, "a", 1), row(8, "a", 0), row(8, "a", 1)], 9, 3);
        assert_eq!(places(&removed), []);
        assert_eq!(removed.next, Some((TokenId(U256::from(7)), "a".into())));
    }

    #[test]
    fn entries_are_of_days_and_a_token_is_asked_about_in_one_statement() {
        let entry = |token: u64, first, last| UnresolvedEntry {
            token: TokenId(U256::from(token)),
            insert: String::new(),
            first,
            last,
        };
        let found = days(&[entry(1, 86_399, 86_400), entry(1, 5, 9), entry(2, u32::MAX - 5, u32::MAX)]);
        let found: Vec<Vec<u16>> = found.into_values().map(|days| days.into_iter().collect()).collect();
        assert_eq!(found, [vec![0, 1], vec![49_710]]);
        let many: Vec<_> = (0..150).map(|token| entry(token, 0, 30 * 86_400)).collect();
        let parts = in_parts(days(&many));
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [64, 64, 22]);
        assert_eq!(in_parts(days(&[entry(1, 0, u32::MAX)]))[0].len(), 1, "one that is too large goes alone");
    }
}
