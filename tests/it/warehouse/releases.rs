//! The warehouse on ClickHouse of other years: the schema, every statement, every view, and the conformance suite.

use std::fs;

use polytape::flow::TableId;
use polytape::model::{NonUsdcSide, Resolution, TokenId, U256};
use polytape::warehouse::{
    ClickhouseConfig, ClickhouseWarehouse, Control, Inspection, ListScan, ListState, Scanned, Tables, TokenIndex,
    WriteRows,
};

use super::clickhouse::{ClickhouseRig, Engines};
use super::confirm::{entry, write_all};
use super::conformance::{conformance, trade};
use super::market_conformance::market;
use crate::support::clickhouse::Database;
use crate::support::gateway::{Gate, Gateway};
use crate::support::release::Release;

const QUERIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/clickhouse/queries");

/// The tests of a release. `scripts/engines` runs those that are ignored.
macro_rules! on {
    ($release:literal $conformance:ident $(#[$by_hand:meta])? $statements:ident) => {
        $(#[$by_hand])?
        #[tokio::test(flavor = "multi_thread")]
        async fn $statements() {
            every_statement_runs_on(Release::named($release)).await;
        }

        #[ignore = "by hand"]
        #[tokio::test(flavor = "multi_thread")]
        async fn $conformance() {
            struct This;
            impl Engines for This {
                fn database() -> Database {
                    Database::new_on(Release::named($release)).expect("its engine")
                }
            }
            // The engine stays for all of the suite.
            let Some(_engine) = Database::empty_on(Release::named($release)) else { return };
            conformance!(calls ClickhouseRig<This>);
        }
    };
}

on!("23.10" conformance_on_23_10 statements_on_23_10);
on!("24.8" conformance_on_24_8 statements_on_24_8);
on!("25.8" conformance_on_25_8 statements_on_25_8);
on!("26.1" conformance_on_26_1 #[ignore = "by hand"] statements_on_26_1);
on!("26.3" conformance_on_26_3 #[ignore = "by hand"] statements_on_26_3);
on!("26.5" conformance_on_26_5 #[ignore = "by hand"] statements_on_26_5);
on!("26.7" conformance_on_26_7 #[ignore = "by hand"] statements_on_26_7);
on!("26.9" conformance_on_26_9 statements_on_26_9);

/// The schema twice, everything that is ever asked or written, and the views.
async fn every_statement_runs_on(release: &Release) {
    let Some(database) = Database::empty_on(release) else { return };
    let warehouse = database.warehouse();
    assert!(warehouse.server().await.unwrap().version.starts_with(release.name));
    database.outside(&format!("DROP DATABASE {}", database.name()));
    for _ in 0..2 {
        warehouse.apply_schema().await.unwrap();
        assert_eq!(warehouse.check_tables().await.unwrap(), []);
    }
    use_all(&database).await;
    views_answer(&database);
    let executed = database.engine().statements();
    for file in fs::read_dir(QUERIES).unwrap().map(|file| file.unwrap().path()) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(executed.iter().any(|statement| holds(statement, &text)), "{} was not executed", file.display());
    }
}

/// Everything that a warehouse does, so that each of its statements is executed at least once.
async fn use_all(database: &Database) {
    // Behind something that takes the ids out of the answers, so that all that is written is also read back.
    let gateway = Gateway::to(&database.config().url).await;
    gateway.set(Gate::StripId);
    let warehouse = ClickhouseWarehouse::new(ClickhouseConfig { url: gateway.url(), ..database.config() });
    write_all(&warehouse, 1).await.into_iter().for_each(|written| written.unwrap());
    warehouse.confirmation().await.unwrap();

    assert_eq!(scan(&warehouse).await, 0);
    let token = TokenId(U256::MAX);
    let entries = [entry(token)];
    warehouse.list_unresolved(&entries).await.unwrap();
    assert_eq!(warehouse.newest_unresolved(9).await.unwrap().len(), 2, "that of the rows, and that beside it");
    let page = warehouse.unresolved_tokens(None, 9).await.unwrap();
    assert_eq!(warehouse.still_unresolved(&page.entries).await.unwrap(), [token].into());
    warehouse.resolve(&[(token, of_market())], &page.entries).await.unwrap();
    warehouse.remove_unresolved(&page.entries).await.unwrap();
    assert!(warehouse.still_unresolved(&page.entries).await.unwrap().is_empty());
    assert!(warehouse.unresolved_tokens(None, 9).await.unwrap().entries.is_empty());

    let listed = market("7", 1).token_ids[0];
    assert_eq!(warehouse.resolutions(&[listed]).await.unwrap().len(), 1);
    assert_eq!(warehouse.written_markets(&["7".to_owned()]).await.unwrap().len(), 1);
    let newest = warehouse.newest_trades(9).await.unwrap();
    assert_eq!((newest.len(), newest[0].outcome.as_str(), newest[0].price), (3, "Up", Some(0.42)));
    assert_eq!(newest[0].question, market("7", 1).question);
    assert_eq!(warehouse.row_counts().await.unwrap()[TableId::Trades], 3);
    assert!(warehouse.parts().await.unwrap().unwrap()[TableId::Trades] > 0);
    assert_eq!(warehouse.desired_states("main").await.unwrap().len(), 1);
    assert_eq!(warehouse.jobs("main", 9).await.unwrap().len(), 1);
    assert_eq!(warehouse.commands("main", 9).await.unwrap().len(), 1);

    wrong_times_are_found_and_removed(database, &warehouse).await;
}

/// The list is filled, and compared with the rows: a part of them, and a token alone.
async fn scan(warehouse: &ClickhouseWarehouse) -> u64 {
    let ListState { is_filled, due } = warehouse.list_state().await.unwrap();
    assert_eq!((is_filled, due.as_slice()), (false, &["202607".to_owned()][..]));
    let mut found = 0;
    for is_fill in [true, false] {
        let whole = ListScan::of(due[0].clone(), is_fill);
        let alone = ListScan { from: TokenId(U256::MAX), ..whole.clone() };
        for part in [whole, alone] {
            let Scanned::Found { count, .. } = warehouse.scan_list(&part).await.unwrap() else { panic!("it is small") };
            found += count;
        }
    }
    warehouse.note_scan(Some(&due[0]), found).await.unwrap();
    warehouse.note_scan(None, 0).await.unwrap();
    assert_eq!(warehouse.list_state().await.unwrap(), ListState { is_filled: true, due: Vec::new() });
    found
}

/// A trade under a second time is found, and goes with all of its block; a probe is found and removed, too.
async fn wrong_times_are_found_and_removed(database: &Database, warehouse: &ClickhouseWarehouse) {
    assert_eq!(warehouse.trade_times().await.unwrap().doubled, 0);
    let mut probe = trade(9, 9, of_market());
    (probe.fill.source_id, probe.fill.timestamp) = ("probe".into(), 7);
    let mut late = trade(8, 1, of_market());
    late.fill.block_number += 5;
    let mut early = late.clone();
    early.fill.timestamp -= 90 * 86_400;
    warehouse.write_rows(&[probe, late, early]).await.unwrap();
    assert_eq!(warehouse.probe_rows("probe").await.unwrap(), 1);
    warehouse.remove_probe("main", "probe").await.unwrap();
    assert_eq!(warehouse.probe_rows("probe").await.unwrap(), 0);
    // One that had seen it takes it for hidden.
    assert_eq!(database.warehouse().checkpoint("main", "polygon").await.unwrap(), None);

    let times = warehouse.trade_times().await.unwrap();
    assert_eq!((times.doubled, times.impossible, times.is_whole), (1, Some(0), true));
    database.execute(&times.removal(database.name()).unwrap());
    assert_eq!(warehouse.trade_times().await.unwrap().doubled, 0);
    assert_eq!(database.number("SELECT count() FROM trades FINAL"), 3);
}

/// Every view gives what it says of three trades and two markets.
fn views_answer(database: &Database) {
    let views =
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%View' ORDER BY name";
    let answers = [
        ("candles_1m", "minute, open, high, low, close, usd_volume, token_volume, trades"),
        ("market_tokens_of_markets", "count()"),
        ("markets_final", "id, condition_id, outcomes, closed_at, volume, raw"),
        ("trades_all", "log_index, timestamp, exchange, token_id, outcome, nonusdc_side, price, usd_amount, version"),
        ("trades_final", "log_index, timestamp, exchange, token_id, outcome, nonusdc_side, price, usd_amount, version"),
        ("volume_by_market_day", "day, market_id, trades, usd_volume, token_volume"),
    ]
    .map(|(view, columns)| {
        format!("{view}\n{}", database.execute(&format!("SELECT {columns} FROM {view} ORDER BY 1")))
    });
    let names: Vec<&str> = answers.iter().filter_map(|answer| answer.lines().next()).collect();
    assert_eq!(database.execute(views).lines().collect::<Vec<_>>(), names);
    assert_eq!(answers.concat(), include_str!("views.golden"));
}

fn of_market() -> Resolution {
    let (condition_id, outcome, market_id) = ("0xc0".into(), "Up".into(), "7".into());
    Resolution::Market { condition_id, outcome, market_id, side: NonUsdcSide(1) }
}

/// Whether a statement holds what stands in a file, with whatever in its places for values and conditions.
fn holds(statement: &str, file: &str) -> bool {
    let code: Vec<&str> = file.lines().filter(|line| !line.starts_with("--")).collect();
    let mut rest = statement;
    fixed(&code.join("\n")).iter().all(|text| match rest.split_once(text.as_str()) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

/// What of a statement is the same however often it is asked: all that is between `?` and `{…}`.
fn fixed(sql: &str) -> Vec<String> {
    let (mut texts, mut is_place) = (vec![String::new()], false);
    for letter in sql.trim().chars() {
        match letter {
            '?' | '{' => {
                is_place = letter == '{';
                texts.push(String::new());
            }
            '}' => is_place = false,
            _ if is_place => {}
            _ => texts.last_mut().expect("there is one").push(letter),
        }
    }
    texts.retain(|text| !text.trim().is_empty());
    texts
}

#[test]
fn a_statement_is_found_by_what_is_fixed_in_it() {
    let file = "-- Why.\nSELECT a FROM {table}\nWHERE b = ? AND c IN (?)\n";
    assert_eq!(
        fixed(file.lines().skip(1).collect::<Vec<_>>().join("\n").as_str()),
        ["SELECT a FROM ", "\nWHERE b = ", " AND c IN (", ")"]
    );
    assert!(holds("-- Why.\nSELECT a FROM t\nWHERE b = 'x?' AND c IN ([1, 2])", file));
    for other in
        ["SELECT a FROM t", "SELECT a FROM t WHERE b = 7 AND c IN (1)", "SELECT b FROM t\nWHERE b = 7 AND c IN (1)"]
    {
        assert!(!holds(other, file), "{other}");
    }
}

/// `CODEC` was in front of `COMMENT` once, which ClickHouse before 26.9 does not read. The tables are the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_comment_and_codec_changes_no_table_on_26_9() {
    let Some(database) = Database::new_on(Release::named("26.9")) else { return };
    let schema = include_str!("../../../schema/clickhouse/0001_tables.sql");
    let now = "raw          String                       COMMENT 'all that Gamma said, as JSON' CODEC(ZSTD(3)),";
    let before = "raw          String CODEC(ZSTD(3))        COMMENT 'all that Gamma said, as JSON',";
    assert!(schema.contains(now));
    let tables = || {
        let names = database.execute("SHOW TABLES");
        let table = |name: &str| database.execute(&format!("SHOW CREATE TABLE {name}"));
        names.lines().map(table).collect::<Vec<_>>()
    };
    let made = tables();
    assert!(made.len() > 10 && made.iter().any(|table| table.contains("CODEC(ZSTD(3))")), "{made:?}");
    for table in ["market_tokens_of_markets", "markets", "market_tokens", "dead_letters"] {
        database.execute(&format!("DROP TABLE {table} SYNC"));
    }
    database.script(&schema.replace(now, before));
    assert_eq!(tables(), made);
}
