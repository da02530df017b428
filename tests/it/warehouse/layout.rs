//! The layout of `trades`: what it takes on the disk and what questions about a time read, beside that of older releases; and that a
//! table of those is gone on with.

use polytape::model::{Resolution, TokenId};
use polytape::warehouse::{TokenIndex, WriteRows};

use super::clickhouse::{ClickhouseRig, Engines};
use super::confirm::entry;
use super::conformance::{conformance, found, trade};
use crate::support::clickhouse::{Database, wait};
use crate::support::length::short_or_long;
use crate::support::release::Release;

pub const FORMER: &str = include_str!("../../../schema/clickhouse/0001_tables.sql");
const COLUMNS: &str = include_str!("../../../schema/clickhouse/0005_trades_columns.sql");
const NOW: &str = include_str!("../../../schema/clickhouse/0000_trades.sql");
const ROWS: &str = include_str!("layout_rows.sql");
const NEWEST: &str = include_str!("../../../schema/clickhouse/queries/newest_trades.sql");

/// A database whose `trades` is of an older release.
fn of_before() -> Database {
    let database = Database::empty();
    database.script(FORMER);
    wait(database.warehouse().apply_schema()).unwrap();
    assert_eq!(sorting(&database), "token_id, timestamp, transaction_hash, log_index, source_id");
    database
}

pub fn sorting(database: &Database) -> String {
    let sql = "SELECT sorting_key FROM system.tables WHERE database = currentDatabase() AND name = 'trades'";
    database.execute(sql).trim().to_owned()
}

struct OfBefore;

impl Engines for OfBefore {
    fn database() -> Database {
        of_before()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_before_passes_the_suite() {
    // The engine stays for all of the suite.
    let _engine = Database::empty();
    conformance!(calls ClickhouseRig<OfBefore>);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_before_gets_the_columns_and_a_new_one_the_layout() {
    let database = of_before();
    let warehouse = database.warehouse();
    assert_eq!(warehouse.check_tables().await.unwrap(), []);
    let columns = || {
        database.execute("SELECT name, type, comment, compression_codec FROM system.columns WHERE database = currentDatabase() AND table = 'trades' AND name IN ('match_log_index', 'outcome_slot') ORDER BY name")
    };
    let added = columns();
    assert_eq!(added.lines().count(), 2, "{added}");

    database.execute("ALTER TABLE trades DROP COLUMN outcome_slot");
    let faults = warehouse.check_tables().await.unwrap();
    let [fault] = &faults[..] else { panic!("{faults:?}") };
    assert_eq!(fault.text, "trades: has no outcome_slot yet; polytape schema apply adds it");
    assert!(fault.is_missing && fault.lacks_columns);
    warehouse.apply_schema().await.unwrap();
    assert_eq!((warehouse.check_tables().await.unwrap(), columns()), (vec![], added.clone()));

    database.execute("DROP TABLE trades SYNC");
    warehouse.apply_schema().await.unwrap();
    assert_eq!(sorting(&database), "toDate(timestamp), token_id, timestamp, transaction_hash, log_index, source_id");
    assert_eq!(columns(), added);
}

/// It has an index of the version, by which FINAL would not see that a row was completed.
#[tokio::test(flavor = "multi_thread")]
async fn no_index_of_a_table_of_before_hides_the_richer_row() {
    let database = of_before();
    let warehouse = database.warehouse();
    for resolution in [Resolution::Unknown, found("7", 1)] {
        warehouse.write_rows(&[trade(1, 1, resolution)]).await.unwrap();
    }
    let token = TokenId(polytape::model::U256::MAX);
    let is_open = "SELECT count() FROM trades FINAL WHERE version < 2 SETTINGS use_skip_indexes_if_final = ";
    assert_eq!(database.number(&format!("{is_open}0")), 0);
    assert!(warehouse.still_unresolved(&[entry(token)]).await.unwrap().is_empty());
    assert_eq!(warehouse.resolve(&[(token, found("7", 1))], &[entry(token)]).await.unwrap(), 0);
}

/// The same rows in a table of before and in one of now, merged.
struct Both(Database);

const TABLES: [&str; 2] = ["former", "now"];

impl Both {
    fn of(release: &str, rows: u64, granularity: u64) -> Option<Self> {
        let database = Database::empty_on(Release::named(release))?;
        let (_, former) = FORMER.split_once("CREATE TABLE IF NOT EXISTS trades (").unwrap();
        let (former, _) = former.split_once(";\n").unwrap();
        let (_, now) = NOW.split_once("CREATE TABLE IF NOT EXISTS trades (").unwrap();
        for (name, columns) in TABLES.into_iter().zip([former, now.trim_end().trim_end_matches(';')]) {
            let granularity = format!("SETTINGS index_granularity = {granularity}, ");
            database.execute(&format!("CREATE TABLE {name} ({}", columns.replace("SETTINGS ", &granularity)));
        }
        database.script(&COLUMNS.replace("TABLE trades", "TABLE former"));
        const AT_ONCE: u64 = 200_000;
        for begin in (0..rows).step_by(AT_ONCE as usize) {
            let of = [("{table}", "former".to_owned()), ("{all}", rows.to_string()), ("{begin}", begin.to_string())];
            let sql = of.iter().fold(ROWS.to_owned(), |sql, (name, value)| sql.replace(name, value));
            database.execute(&sql.replace("{count}", &AT_ONCE.min(rows - begin).to_string()));
        }
        database.execute("INSERT INTO now SELECT * FROM former");
        for table in TABLES {
            database.execute(&format!("OPTIMIZE TABLE {table} FINAL"));
            assert_eq!(database.number(&format!("SELECT count() FROM {table}")), rows);
        }
        Some(Self(database))
    }

    /// Bytes that a row takes on the disk.
    fn bytes(&self) -> [f64; 2] {
        TABLES.map(|table| {
            let sql = format!(
                "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts
                 WHERE database = currentDatabase() AND table = '{table}' AND active"
            );
            self.0.execute(&sql).trim().parse().unwrap()
        })
    }

    /// Rows that a question reads, which has the same answer of both.
    fn read_rows(&self, question: &str) -> [u64; 2] {
        let with = "SETTINGS use_skip_indexes_if_final = 1, do_not_merge_across_partitions_select_final = 1";
        let [former, now] = TABLES.map(|table| format!("{} {with}", question.replace("trades", table)));
        assert_eq!(self.0.execute(&former), self.0.execute(&now), "{question}");
        assert!(!self.0.execute(&now).trim().is_empty(), "{question}");
        [former, now].map(|sql| self.0.read_rows(&sql))
    }
}

fn a_row_is_small_on(release: &str) {
    let Some(both) = Both::of(release, short_or_long(200_000, 3_000_000), 8_192) else { return };
    let [former, now] = both.bytes();
    println!("{release}: {former:.1} bytes a row before, {now:.1} now: {:.3} times", now / former);
    assert!(now <= 130.0 && now <= 0.6 * former, "{release}: {now} bytes a row, {former} before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_small_on_24_8() {
    a_row_is_small_on("24.8");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_small_on_25_8() {
    a_row_is_small_on("25.8");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_small_on_26_9() {
    a_row_is_small_on("26.9");
}

/// In the short form the granules are as much smaller as the table is. Of 24.8 the engine here does not say what it reads.
fn questions_read_little_on(release: &str) {
    let Some(both) = Both::of(release, short_or_long(600_000, 9_000_000), short_or_long(512, 8_192)) else { return };
    let (begin, end) = ("toDateTime('2026-08-14 10:00:00', 'UTC')", "toDateTime('2026-08-14 10:26:00', 'UTC')");
    let sums = "SELECT count(), sum(usd_amount) FROM trades FINAL WHERE";
    let newest = NEWEST.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let newest = newest.replacen('?', "3600", 1).replacen('?', "100", 1);
    let cold = "reinterpretAsUInt256(SHA256('9999'))";
    for (what, question, most) in [
        ("a day", format!("{sums} toDate(timestamp) = '2026-08-14'"), 0.1),
        ("26 minutes", format!("{sums} timestamp >= {begin} AND timestamp < {end}"), 0.1),
        ("the newest 100", newest, 0.5),
        ("90 days of a cold market", format!("{sums} token_id = {cold} AND timestamp >= '2026-07-01 00:00:00'"), 4.0),
    ] {
        let [former, now] = both.read_rows(&question);
        let times = now as f64 / former as f64;
        println!("{release}: {what}: {former} rows read before, {now} now: {times:.3} times");
        assert!(now > 0 && times <= most, "{release}: {what}: {now} rows read, {former} before");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_read_little_on_25_8() {
    questions_read_little_on("25.8");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_read_little_on_26_9() {
    questions_read_little_on("26.9");
}
