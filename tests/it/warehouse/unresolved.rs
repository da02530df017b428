//! The list of unresolved tokens in ClickHouse: what it costs, and how tables without one get it.

use polytape::model::{NonUsdcSide, Resolution, TokenId, Trade, U256};
use polytape::warehouse::{
    ClickhouseWarehouse, Inspection, ListScan, ListState, MOST_READ_ROWS, Scanned, TokenIndex, UnresolvedEntry,
    WriteRows,
};

use super::conformance::trade;
use crate::support::clickhouse::Database;
use crate::support::length::short_or_long;
use crate::support::periodic::ask_all;

/// What 7f898ea asked for each 200 tokens.
const OF_BEFORE: &str = include_str!("unresolved_of_7f898ea.sql");

/// Rows of a month, of which each fifth is poor and each fifth of one busy token.
const ROWS: &str = include_str!("many_rows.sql");

/// The busy token, which is complete.
const BUSY: u64 = 5;

/// Tables with so many rows and no list, as an older polytape leaves them.
fn with_rows(rows: u64) -> Database {
    let database = Database::new();
    for begin in (0..rows).step_by(1_000_000) {
        let count = (rows - begin).min(1_000_000);
        database.execute(
            &ROWS
                .replace("{begin}", &begin.to_string())
                .replace("{count}", &count.to_string())
                .replace("{all}", &rows.to_string()),
        );
    }
    database
}

/// Compares everything that is due with the list, as the resolver does it, and says what was missing.
async fn scan(warehouse: &ClickhouseWarehouse) -> u64 {
    let mut found = 0;
    loop {
        let ListState { is_filled, due } = warehouse.list_state().await.unwrap();
        for partition in &due {
            let mut rest = vec![ListScan::of(partition.clone(), !is_filled)];
            while let Some(part) = rest.pop() {
                match warehouse.scan_list(&part).await.unwrap() {
                    Scanned::TooLarge => rest.extend(part.parts().unwrap()),
                    Scanned::Found { count, .. } => found += count,
                }
                let cost = cost(warehouse, "unresolved tokens: scan");
                assert!(cost.is_none_or(|rows| rows <= MOST_READ_ROWS), "{cost:?}");
            }
            warehouse.note_scan(Some(partition), found).await.unwrap();
        }
        if due.is_empty() {
            if is_filled {
                return found;
            }
            warehouse.note_scan(None, 0).await.unwrap();
        }
    }
}

fn cost(warehouse: &ClickhouseWarehouse, query: &str) -> Option<u64> {
    warehouse.periodic_costs().into_iter().find(|cost| cost.query == query)?.read_rows
}

fn known(market: &str) -> Resolution {
    let (condition_id, outcome, market_id) = ("0xc0".into(), "Up".into(), market.into());
    Resolution::Market { condition_id, outcome, market_id, side: NonUsdcSide(1) }
}

/// What some rows cost: read by 7f898ea, by the list, and to complete what is on it.
struct Costs {
    before: u64,
    list: u64,
    complete: u64,
}

async fn costs(rows: u64) -> Costs {
    let database = with_rows(rows);
    let warehouse = database.warehouse();
    let poor = database.number("SELECT uniqExact(token_id, toYYYYMM(timestamp)) FROM trades WHERE version < 2");
    assert_eq!(scan(&warehouse).await, poor, "the list is filled");
    let before = database.read_rows(OF_BEFORE);

    let page = warehouse.unresolved_tokens(None, 200).await.unwrap();
    let tokens: std::collections::BTreeSet<TokenId> = page.entries.iter().map(|entry| entry.token).collect();
    assert_eq!(tokens.len(), 200);
    let list = cost(&warehouse, "unresolved tokens: list").unwrap();

    let resolutions: Vec<_> = tokens.iter().map(|token| (*token, known("7"))).collect();
    let open = format!(
        "SELECT count() FROM trades FINAL WHERE version < 2 AND token_id <= toUInt256('{}')",
        tokens.last().unwrap()
    );
    let rows_of_tokens = database.number(&open);
    assert_eq!(warehouse.resolve(&resolutions, &page.entries).await.unwrap(), rows_of_tokens);
    let complete = cost(&warehouse, "unresolved tokens: complete their rows").unwrap();
    assert_eq!(database.number(&open), 0);
    // A granule at each end of each part, and what was asked for.
    let parts = database
        .number("SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'trades' AND active");
    let between = database
        .number(&format!("SELECT count() FROM trades WHERE token_id <= toUInt256('{}')", tokens.last().unwrap()));
    let most = between + (2 * parts + 1) * 8_192 + 31 * 200 + 200;
    assert!(complete <= most, "{complete} rows were read of {between} in {parts} parts");
    warehouse.remove_unresolved(&page.entries).await.unwrap();
    Costs { before, list, complete }
}

/// Row 17: the list of 200 tokens, and completing them, read what there is to do, not what is there.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_costs_what_there_is_to_do() {
    let [few, many] = short_or_long([1_000_000, 5_000_000], [5_000_000, 50_000_000]);
    let (small, large) = (costs(few).await, costs(many).await);
    for (rows, Costs { before, list, complete }) in [(few, &small), (many, &large)] {
        println!(
            "{rows} rows: 7f898ea read {before} for 200 tokens, the list reads {list}, completing them {complete}"
        );
        assert!(list * 100 < *before, "{list} is not under 1 % of {before}");
    }
    let (few, many) = (small.list, large.list);
    assert!(many <= few + 16 * 512, "the list read {few} rows, and {many} where there are more trades");
}

/// Row 17: of a busy token only the days of its entries are read.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_busy_token_only_the_days_of_its_entries_are_read() {
    let database = with_rows(2_000_000);
    let warehouse = database.warehouse();
    scan(&warehouse).await;
    let busy = TokenId(U256::from(BUSY));
    let mut late = trade(9, 1, Resolution::Unknown);
    (late.fill.token_id, late.fill.timestamp) = (busy, 1_786_000_000);
    warehouse.write_rows(&[late]).await.unwrap();
    let entries: Vec<UnresolvedEntry> =
        warehouse.newest_unresolved(1_000_000).await.unwrap().into_iter().filter(|entry| entry.token == busy).collect();
    assert_eq!(entries.len(), 1);
    assert_eq!(warehouse.resolve(&[(busy, known("7"))], &entries).await.unwrap(), 1);
    let read = cost(&warehouse, "unresolved tokens: complete their rows").unwrap();
    let count = |more: &str| database.number(&format!("SELECT count() FROM trades WHERE token_id = {BUSY} {more}"));
    let (all, day) = (count(""), count("AND toDate(timestamp) = toDate(1786000000)"));
    let parts = database
        .number("SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'trades' AND active");
    assert!(all > 300_000 && day < all / 20, "{day} of {all}");
    assert!(read <= day + 2 * parts * 8_192 + 10, "{read} rows were read, of {all} of the token and {day} of the day");
}

/// Row 17: somebody writes rows and does not put them on the list, as an older polytape does beside this one.
#[tokio::test(flavor = "multi_thread")]
async fn the_daily_scan_finds_what_nobody_listed_and_nothing_else() {
    let database = Database::new();
    let warehouse = database.warehouse();
    assert_eq!(scan(&warehouse).await, 0);
    let poor = |transaction, token: u64| {
        let mut row = trade(transaction, 1, Resolution::Unknown);
        row.fill.token_id = TokenId(U256::from(token));
        row
    };
    let rows: [Trade; 3] = [poor(1, 7), poor(2, 8), Trade { resolution: known("7"), ..poor(3, 9) }];
    warehouse.write_rows(&rows).await.unwrap();
    // They came a while ago.
    let old = "INSERT INTO trades SELECT * REPLACE (ingested_at - toIntervalDay(1) AS ingested_at) FROM trades";
    database.execute(old);
    let part = ListScan::of("202607".into(), false);
    let nothing = Scanned::Found { count: 0, entries: Vec::new() };
    assert_eq!(warehouse.scan_list(&part).await.unwrap(), nothing, "all of it is listed");

    database.execute("TRUNCATE TABLE unresolved_tokens");
    let Scanned::Found { count, entries } = warehouse.scan_list(&part).await.unwrap() else { panic!("it is small") };
    let tokens: Vec<u64> = entries.iter().map(|entry| entry.token.0.to::<u64>()).collect();
    assert_eq!(
        (count, {
            let mut tokens = tokens;
            tokens.sort_unstable();
            tokens
        }),
        (2, vec![7, 8])
    );
    warehouse.list_unresolved(&entries).await.unwrap();
    assert_eq!(warehouse.scan_list(&part).await.unwrap(), nothing);
    let page = warehouse.unresolved_tokens(None, 9).await.unwrap();
    assert_eq!(warehouse.resolve(&[(entries[0].token, known("7"))], &page.entries).await.unwrap(), 1);
    warehouse.remove_unresolved(&page.entries).await.unwrap();
    let Scanned::Found { count, .. } = warehouse.scan_list(&part).await.unwrap() else { panic!("it is small") };
    assert_eq!(count, 1, "one was removed too early");
    // Rows whose entries may be on the way are no finding.
    database.execute("TRUNCATE TABLE unresolved_tokens");
    database.execute("TRUNCATE TABLE trades");
    warehouse.write_rows(&rows).await.unwrap();
    database.execute("TRUNCATE TABLE unresolved_tokens");
    assert_eq!(warehouse.scan_list(&part).await.unwrap(), nothing);
}

/// What is asked again and again says what it read, whoever asks.
#[tokio::test(flavor = "multi_thread")]
async fn every_periodic_query_says_what_it_read() {
    let database = with_rows(100_000);
    let warehouse = database.warehouse();
    scan(&warehouse).await;
    let costs = ask_all(&warehouse, known("7")).await;
    let unknown: Vec<_> = costs.iter().filter(|cost| cost.read_rows.is_none_or(|rows| rows > MOST_READ_ROWS)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let names: Vec<&str> = costs.iter().map(|cost| cost.query).collect();
    let expected = [
        "checkpoint",
        "desired states",
        "markets of tokens",
        "markets: newest versions",
        "newest trades",
        "newest trades: questions",
        "parts",
        "replays",
        "row counts",
        "unresolved tokens: complete their rows",
        "unresolved tokens: list",
        "unresolved tokens: look at their rows",
        "unresolved tokens: newest",
        "unresolved tokens: scan",
        "unresolved tokens: scans",
    ];
    assert_eq!(names, expected);
}
