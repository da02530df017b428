//! The ClickHouse warehouse in the conformance suite, and what only it has to show.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use polytape::failure::FailureClass;
use polytape::flow::TableId;
use polytape::model::{Amount, Fill, RawJson, Resolution, TokenId, Trade, U256};
use polytape::warehouse::{
    AnyBatch, Batch, ClickhouseConfig, ClickhouseWarehouse, Inspection, PartCounts, Tables, Warehouse, WarehouseError,
    WriteRows,
};
use rusqlite::types::Value;
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use super::conformance::{Columns, Rig, conformance, trade};
use crate::support::clickhouse::{Database, Engine};

/// Databases of one engine.
pub struct ClickhouseRig<E>(Database, PhantomData<E>);

/// Where a rig has its databases.
pub trait Engines {
    /// One with the schema applied.
    fn database() -> Database;
}

/// In the engine of all tests that name none.
struct Selected;

impl Engines for Selected {
    fn database() -> Database {
        Database::new()
    }
}

impl<E: Engines> Rig for ClickhouseRig<E> {
    fn new() -> Self {
        Self(E::database(), PhantomData)
    }

    fn warehouse(&self) -> Arc<dyn Warehouse> {
        self.0.warehouse()
    }

    fn restart(&mut self) {
        // Nothing is kept outside of ClickHouse, and every handle is a new one.
    }

    fn rows(&self, table: &str) -> Vec<Columns> {
        rows(&self.0, table)
    }

    fn delete_trades(&self) {
        self.0.execute("ALTER TABLE trades DELETE WHERE 1");
    }

    fn as_of_before(&self) {
        let sql = "INSERT INTO trades SELECT * REPLACE (toUInt8(2) AS version) FROM trades FINAL";
        self.0.execute("CREATE TABLE before AS trades");
        self.0.execute(&sql.replace("INTO trades", "INTO before"));
        self.0.execute("TRUNCATE TABLE trades");
        self.0.execute("INSERT INTO trades SELECT * FROM before");
    }

    fn refuse(&self, log_index: u32) {
        self.0.execute(&format!("ALTER TABLE trades ADD CONSTRAINT refuse CHECK log_index <> {log_index}"));
    }
}

/// The rows of a table as a reader sees them, with values as the embedded store has them.
fn rows(database: &Database, table: &str) -> Vec<Columns> {
    let (columns, key) = match table {
        "markets" => (MARKETS, "id"),
        "trades" | "trades_goldsky" | "trades_all" => (TRADES, "transaction_hash, log_index, source_id"),
        _ => ("* REPLACE (hex(raw) AS raw)", "source, position, stage"),
    };
    let whole = if table == "trades_all" { "" } else { "FINAL" };
    let sql = format!("SELECT {columns} FROM {table} {whole} ORDER BY {key}");
    let value = |(name, kind, value): (String, String, Json)| {
        let value = match (table, name.as_str()) {
            ("markets", "raw") => Value::Blob(RawJson::pack(value.as_str().unwrap()).as_packed().to_vec()),
            // A JSON number may lose its last bit on the way.
            (_, "price") => value.as_str().map_or(Value::Null, |text| Value::Real(text.parse().unwrap())),
            ("dead_letters", "raw") => Value::Blob(alloy_primitives::hex::decode(value.as_str().unwrap()).unwrap()),
            _ => of_type(&kind, value),
        };
        (name, value)
    };
    database.rows(&sql).into_iter().map(|row| row.into_iter().map(value).collect()).collect()
}

/// The tables as the embedded store would have them, to be compared by what compares those.
pub fn mirror(database: &Database) -> rusqlite::Connection {
    let store = rusqlite::Connection::open_in_memory().unwrap();
    for sql in [
        include_str!("../../../schema/embedded/0001_broker.sql"),
        include_str!("../../../schema/embedded/0002_warehouse.sql"),
        include_str!("../../../schema/embedded/0003_markets.sql"),
        include_str!("../../../schema/embedded/0004_control.sql"),
        include_str!("../../../schema/embedded/0005_lost.sql"),
        include_str!("../../../schema/embedded/0006_unresolved.sql"),
        include_str!("../../../schema/embedded/0007_trades_goldsky.sql"),
        include_str!("../../../schema/embedded/0008_trades_columns.sql"),
    ] {
        store.execute_batch(sql).unwrap();
    }
    // What an older polytape made has fewer.
    let there = database.execute("SHOW TABLES");
    let is_there = |table: &&str| there.lines().any(|line| line == *table);
    for table in ["trades", "markets", "dead_letters", "trades_goldsky"].into_iter().filter(is_there) {
        for mut row in rows(database, table) {
            // When something came is no part of a row.
            row.retain(|(name, _)| name != "first_seen");
            let time = if table == "dead_letters" { "first_seen" } else { "ingested_at" };
            row.push((time.into(), Value::Integer(0)));
            let (names, values): (Vec<String>, Vec<Value>) = row.into_iter().unzip();
            let places = vec!["?"; names.len()].join(", ");
            let sql = format!("INSERT INTO {table} ({}) VALUES ({places})", names.join(", "));
            store.prepare_cached(&sql).unwrap().execute(rusqlite::params_from_iter(values)).unwrap();
        }
    }
    store
}

const TRADES: &str = "* EXCEPT (ingested_at) REPLACE (
    toUnixTimestamp(timestamp) AS timestamp, toString(token_id) AS token_id, toDecimalString(usd_amount, 6) AS usd_amount,
    toString(price) AS price, toDecimalString(token_amount, 6) AS token_amount, toDecimalString(fee_amount, 6) AS fee_amount)";

const MARKETS: &str = "* EXCEPT (ingested_at) REPLACE (
    arrayMap(x -> toString(x), token_ids) AS token_ids, arrayMap(x -> toString(x), position_ids) AS position_ids,
    toInt64(created_at) AS created_at, toInt64(end_at) AS end_at, toInt64(closed_at) AS closed_at)";

/// A value as the embedded store would have it.
fn of_type(kind: &str, value: Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Integer(flag.into()),
        Json::Array(_) => Value::Text(value.to_string()),
        Json::Number(number) if kind.contains("Float") => Value::Real(number.as_f64().unwrap()),
        Json::Number(number) => Value::Integer(number.as_i64().unwrap()),
        Json::String(text) if kind.contains("UInt64") => Value::Integer(text.parse::<u64>().unwrap().cast_signed()),
        Json::String(text) if kind.contains("Int64") => Value::Integer(text.parse().unwrap()),
        Json::String(text) => Value::Text(text),
        Json::Object(_) => panic!("{kind}: {value}"),
    }
}

conformance!(ClickhouseRig<Selected>);

/// Trades of one transaction, of which nothing is known.
fn trades(log_indexes: std::ops::Range<u32>) -> Vec<Trade> {
    log_indexes.map(|log_index| trade(1, log_index, Resolution::Unknown)).collect()
}

fn of_token() -> Resolution {
    Resolution::Token { condition_id: "0xc0".into(), outcome: "Yes".into() }
}

const RAW: &str = "SELECT count() FROM trades";
const FINAL: &str = "SELECT count() FROM trades FINAL";

#[tokio::test(flavor = "multi_thread")]
async fn five_times_the_same_batch_is_one() {
    let database = Database::new();
    // Else the parts may be merged before they are counted.
    database.execute("SYSTEM STOP MERGES trades");
    let rows = trades(0..1_000);
    for _ in 0..5 {
        database.warehouse().write_rows(&rows).await.unwrap();
    }
    assert_eq!(database.number(RAW), 5_000, "nothing refuses a batch that came before");
    assert_eq!(database.number(FINAL), 1_000);
    assert_eq!(database.number("SELECT count() FROM trades_final"), 1_000);
    assert_eq!(database.warehouse().row_counts().await.unwrap()[TableId::Trades], 1_000);
    database.execute("SYSTEM START MERGES trades");
    database.execute("OPTIMIZE TABLE trades FINAL");
    assert_eq!(database.number(RAW), 1_000);
    assert_eq!(database.warehouse().row_counts().await.unwrap()[TableId::Trades], 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_cut_is_whole_when_it_comes_again() {
    let database = Database::new();
    let proxy = Proxy::to(&database.config().url).await;
    let warehouse = ClickhouseWarehouse::new(ClickhouseConfig { url: proxy.url(), ..database.config() });
    warehouse.write_rows(&trades(0..1)).await.unwrap();
    // A server may take what arrived, if it ends between two rows.
    warehouse.write_rows(&trades(0..600)).await.unwrap();

    let rows: Vec<Trade> = (0..1_000).map(|n| Trade { fill: varied(n), resolution: of_token() }).collect();
    proxy.cut(1);
    warehouse.write_rows(&rows).await.expect("the same bytes are sent once more at once");
    assert_eq!(database.number(FINAL), 1_600);

    let more = trades(600..5_000);
    proxy.cut(2);
    let error = warehouse.write_rows(&more).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Retry, "{error}");
    assert!(!matches!(error, WarehouseError::Rows(_)), "{error}");
    warehouse.write_rows(&more).await.unwrap();
    assert_eq!(database.number(FINAL), 6_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_sent_as_it_was_at_first_however_late_it_arrives() {
    let database = Database::new();
    let proxy = Proxy::to(&database.config().url).await;
    let warehouse = ClickhouseWarehouse::new(ClickhouseConfig { url: proxy.url(), ..database.config() });
    warehouse.write_rows(&trades(0..1)).await.unwrap();
    let rows = || (0..1_000).map(|n| Trade { fill: varied(n), resolution: of_token() }).collect::<Vec<_>>();
    let batch = Batch::from(rows());
    let began = unix_ms();
    for _ in 0..3 {
        proxy.cut(2);
        assert_eq!(warehouse.write(AnyBatch::from(&batch)).await.unwrap_err().class(), FailureClass::Retry);
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    let gave_up = unix_ms();
    warehouse.write(AnyBatch::from(&batch)).await.unwrap();
    let stamp = |of: &str| {
        let sql =
            format!("SELECT toUnixTimestamp64Milli({of}(ingested_at)) FROM trades FINAL WHERE condition_id = '0xc0'");
        database.number(&sql)
    };
    assert_eq!(database.number("SELECT count() FROM trades FINAL"), 1_001);
    let (first, last) = (stamp("min"), stamp("max"));
    assert!(began <= first && last < began + 300, "{first} to {last} is not the first attempt, which was at {began}");
    // Another batch of the same rows is made anew.
    warehouse.write(AnyBatch::from(&Batch::from(rows()))).await.unwrap();
    assert!(stamp("min") >= gave_up);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fullest_partition_of_each_table_is_told() {
    let database = Database::new();
    let warehouse = database.warehouse();
    assert_eq!(warehouse.parts().await.unwrap(), Some(PartCounts::default()), "nothing is there yet");
    database.execute("SYSTEM STOP MERGES trades");
    for log_index in 0..3 {
        warehouse.write_rows(&trades(log_index..log_index + 1)).await.unwrap();
    }
    let mut late = trades(9..10);
    late[0].fill.timestamp += 90 * 86_400;
    warehouse.write_rows(&late).await.unwrap();
    let parts = warehouse.parts().await.unwrap().unwrap();
    assert_eq!(parts, PartCounts::default().with(TableId::Trades, 3), "of two partitions");
}

fn unix_ms() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64
}

/// A fill whose bytes cannot be compressed away.
fn varied(n: u32) -> Fill {
    let hash = |salt: &str| polytape::model::B256::from(alloy_primitives::keccak256(format!("{salt}{n}")));
    Fill { transaction_hash: hash("transaction"), order_hash: hash("order"), ..trade(2, n, Resolution::Unknown).fill }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_deleted_comes_back_even_where_inserts_are_remembered() {
    let database = Database::new();
    let warehouse = database.warehouse();
    // Somebody switches on what the schema switches off.
    for table in ["trades", "dead_letters"] {
        database.execute(&format!("ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 1000"));
    }
    let rows = trades(0..10);
    warehouse.write_rows(&rows).await.unwrap();
    database.execute("ALTER TABLE trades DELETE WHERE log_index = 3");
    assert_eq!(warehouse.row_counts().await.unwrap()[TableId::Trades], 9);
    warehouse.write_rows(&rows).await.unwrap();
    assert_eq!(database.number(FINAL), 10);
    database.execute("DELETE FROM trades WHERE log_index < 5");
    assert_eq!(warehouse.row_counts().await.unwrap()[TableId::Trades], 5, "deleted by a mask");
    warehouse.write_rows(&rows).await.unwrap();
    assert_eq!(warehouse.row_counts().await.unwrap()[TableId::Trades], 10);

    // The test of the test: without what the warehouse sends along, such a table drops the batch.
    let insert =
        "INSERT INTO dead_letters (source, position, stage, reason, raw, first_seen) VALUES ('a', 'b', 'c', '', '', 1)";
    let knows_newer = database.number("SELECT count() FROM system.settings WHERE name = 'deduplicate_insert'") == 1;
    let switches = match knows_newer {
        true => ["deduplicate_insert = 'enable'", "deduplicate_insert = 'disable'"],
        false => ["insert_deduplicate = 1", "insert_deduplicate = 0"],
    };
    for settings in &switches {
        let insert = insert.replace(" VALUES", &format!(" SETTINGS async_insert = 0, {settings} VALUES"));
        database.execute(&insert);
        database.execute("ALTER TABLE dead_letters DELETE WHERE 1");
        database.execute(&insert);
        let there = database.number("SELECT count() FROM dead_letters");
        assert_eq!(there, u64::from(*settings == switches[1]), "{settings}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poorer_row_that_comes_again_does_not_win_by_a_merge_either() {
    let database = Database::new();
    let warehouse = database.warehouse();
    let (rich, poor) = (trade(1, 1, of_token()), trade(1, 1, Resolution::Unknown));
    for merged_in_between in [false, true] {
        warehouse.write_rows(std::slice::from_ref(&rich)).await.unwrap();
        if merged_in_between {
            database.execute("OPTIMIZE TABLE trades FINAL");
        }
        warehouse.write_rows(&[poor.clone(), poor.clone()]).await.unwrap();
        assert_eq!(database.number("SELECT version FROM trades_final"), 1);
        database.execute("OPTIMIZE TABLE trades FINAL");
        assert_eq!(database.number("SELECT version FROM trades"), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_ids_and_months_are_exact() {
    let database = Database::new();
    let largest = |token_id, timestamp, log_index| {
        let mut row = trade(1, log_index, Resolution::Unknown);
        row.fill = Fill { token_id, timestamp, usd: Amount::MAX, shares: Amount::ZERO, fee: Amount::MAX, ..row.fill };
        row
    };
    let tokens = [U256::ZERO, U256::ONE << 255, U256::MAX].map(TokenId);
    // One batch that lands in three months.
    let times = [1_600_000_000, 1_784_965_486, u64::from(u32::MAX)];
    let rows: Vec<Trade> = (0..3).map(|i| largest(tokens[i], times[i], i as u32)).collect();
    database.warehouse().write_rows(&rows).await.unwrap();
    let found = database.rows(&format!("SELECT {TRADES} FROM trades FINAL ORDER BY log_index"));
    let column =
        |row: &[(String, String, Json)], name: &str| row.iter().find(|column| column.0 == name).unwrap().2.clone();
    for (row, written) in found.iter().zip(&rows) {
        assert_eq!(column(row, "token_id"), written.fill.token_id.to_string());
        assert_eq!(column(row, "usd_amount"), Amount::MAX.to_string());
        assert_eq!(column(row, "fee_amount"), Amount::MAX.to_string());
        assert_eq!(column(row, "price"), Json::Null);
        assert_eq!(column(row, "timestamp"), written.fill.timestamp);
    }
    assert_eq!(database.warehouse().row_counts().await.unwrap()[TableId::Trades], 3);
    let late = largest(tokens[0], u64::from(u32::MAX) + 1, 9);
    let refused = database.warehouse().write_rows(&[late]).await.unwrap_err();
    assert!(matches!(&refused, WarehouseError::Rows(reason) if reason.contains("4294967296")), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn views_count_the_rows_of_takers() {
    let database = Database::new();
    let mut maker = trade(1, 1, of_token());
    maker.fill.taker = [9; 20].into();
    let taker = trade(1, 2, of_token());
    for _ in 0..2 {
        database.warehouse().write_rows(&[maker.clone(), taker.clone()]).await.unwrap();
    }
    assert_eq!(database.number(FINAL), 2);
    let volume = "SELECT day, condition_id, trades, toDecimalString(usd_volume, 6) FROM volume_by_market_day";
    assert_eq!(database.execute(volume), "2026-07-25\t0xc0\t1\t7.434000\n");
    let candle = "SELECT minute, open, high, low, close, toDecimalString(token_volume, 6), trades FROM candles_1m";
    assert_eq!(database.execute(candle), "2026-07-25 07:44:00\t0.42\t0.42\t0.42\t0.42\t17.700000\t1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_applied_once_and_says_what_is_wrong() {
    let database = Database::empty();
    let warehouse = database.warehouse();
    let printed = ClickhouseWarehouse::print_schema("polymarket");
    let files = printed.matches("INSERT INTO schema_files (number)").count();
    // Without the database and what counts the files; and trades is made as it is today first.
    let made = printed.lines().filter(|line| line.starts_with("CREATE ")).count() - 3;
    let missing = warehouse.check_tables().await.unwrap();
    assert!(missing.len() == made && missing.iter().all(|fault| fault.is_missing), "{missing:?}");
    // Whoever writes first makes what is missing.
    warehouse.write_rows(&trades(0..1)).await.unwrap();
    let applied: String = (1..=files).map(|number| format!("{number}\n")).collect();
    for _ in 0..2 {
        warehouse.apply_schema().await.unwrap();
        assert_eq!(database.execute("SELECT number FROM schema_files FINAL ORDER BY number"), applied);
        assert_eq!(warehouse.check_tables().await.unwrap(), []);
    }
    for table in database.execute("SHOW TABLES").lines() {
        assert!(printed.contains(&format!(" {table} ")), "{table} is not printed");
    }

    database.execute("DROP TABLE trades SYNC");
    database.execute("DROP VIEW market_tokens_of_markets SYNC");
    let missing: Vec<String> = warehouse.check_tables().await.unwrap().into_iter().map(|fault| fault.table).collect();
    assert_eq!(missing, ["trades", "market_tokens_of_markets"]);
    warehouse.apply_schema().await.unwrap();
    assert_eq!(warehouse.check_tables().await.unwrap(), [], "what was dropped is made again");

    database.execute(&format!("INSERT INTO schema_files (number) VALUES ({})", files + 1));
    let newer = warehouse.apply_schema().await.unwrap_err().to_string();
    assert!(newer.contains(&format!("schema {}", files + 1)) && newer.contains("run the newer one"), "{newer}");

    database.execute("ALTER TABLE markets DROP COLUMN slug");
    database.execute("ALTER TABLE trades MODIFY COLUMN outcome LowCardinality(String)");
    let faults: Vec<String> = warehouse.check_tables().await.unwrap().into_iter().map(|fault| fault.text).collect();
    assert!(faults[0].contains("its column outcome is LowCardinality(String), which must be String"), "{faults:?}");
    assert!(faults[1].contains("it has no column slug String"), "{faults:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_somebody_else_are_refused_in_words() {
    let database = Database::empty();
    let warehouse = database.warehouse();
    database.execute(
        "CREATE TABLE trades (timestamp DateTime, market_id String, price Float64, transactionHash String)
         ENGINE = MergeTree ORDER BY (timestamp, market_id, transactionHash)",
    );
    database.execute("CREATE TABLE jobs (id String, version UInt64) ENGINE = ReplacingMergeTree ORDER BY id");
    let error = warehouse.apply_schema().await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Deterministic);
    let text = error.to_string();
    assert!(
        text.contains("trades: is a table of the Python pipeline") && text.contains("RENAME TABLE trades"),
        "{text}"
    );
    assert!(text.contains("jobs: its engine does not decide by version"), "{text}");
    assert!(text.contains("it is sorted by (id), which must be (pipeline, id)"), "{text}");
    assert_eq!(database.execute("SHOW TABLES"), "jobs\ntrades\n", "and nothing was made beside them");

    database.execute("DROP TABLE trades");
    database.execute("CREATE TABLE trades AS system.one ENGINE = MergeTree ORDER BY dummy");
    let faults = warehouse.check_tables().await.unwrap();
    let fault = &faults.iter().find(|fault| fault.table == "trades").unwrap().text;
    assert!(fault.contains("its engine is MergeTree, which keeps rows twice"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_and_not_shown() {
    let engine = Engine::with_user("tape", "right-Secret");
    ClickhouseWarehouse::new(engine.config()).apply_schema().await.unwrap();
    let wrong = ClickhouseConfig { password: "wrong-Secret".into(), ..engine.config() };
    let in_url = engine.config().url.replace("//", "//tape:wrong-Secret@");
    let in_url = ClickhouseConfig { url: in_url, password: String::new(), ..engine.config() };
    for config in [wrong, in_url] {
        let warehouse = ClickhouseWarehouse::new(config.clone());
        for error in [
            warehouse.row_counts().await.unwrap_err(),
            warehouse.write_rows(&trades(0..1)).await.unwrap_err(),
            warehouse.apply_schema().await.unwrap_err(),
        ] {
            assert_eq!(error.class(), FailureClass::Deterministic, "{error}");
            let text = format!("{error} {error:?} {config:?}");
            assert!(text.contains("check user and password under [clickhouse]"), "{text}");
            assert!(!text.contains("Secret"), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_ones_own_is_trusted_and_no_other() {
    let engine = Engine::with_tls();
    let warehouse = ClickhouseWarehouse::new(engine.config());
    warehouse.apply_schema().await.unwrap();
    warehouse.write_rows(&trades(0..1_000)).await.unwrap();
    assert_eq!(warehouse.row_counts().await.unwrap()[TableId::Trades], 1_000);

    let stranger = ClickhouseWarehouse::new(ClickhouseConfig { ca: None, ..engine.config() });
    let error = stranger.row_counts().await.unwrap_err().to_string();
    assert!(error.contains("its certificate is of an authority that is not known here"), "{error}");
    let missing = ClickhouseConfig { ca: Some("/nowhere/ca.pem".into()), ..engine.config() };
    let error = ClickhouseWarehouse::new(missing).row_counts().await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Deterministic);
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_may_come_later_and_go_in_between() {
    let engine = Engine::start();
    let warehouse = ClickhouseWarehouse::new(engine.config());
    engine.kill();
    for error in [warehouse.row_counts().await.unwrap_err(), warehouse.write_rows(&trades(0..1)).await.unwrap_err()] {
        assert_eq!(error.class(), FailureClass::Retry, "{error}");
        assert!(error.to_string().contains("cannot be reached"), "{error}");
    }
    engine.begin();
    warehouse.apply_schema().await.unwrap();
    assert!(!warehouse.server().await.unwrap().is_too_old());
    warehouse.write_rows(&trades(0..10)).await.unwrap();
    engine.kill();
    assert_eq!(warehouse.write_rows(&trades(0..20)).await.unwrap_err().class(), FailureClass::Retry);
    engine.begin();
    assert_eq!(warehouse.row_counts().await.unwrap()[TableId::Trades], 10, "what was confirmed is there");
    warehouse.write_rows(&trades(0..20)).await.unwrap();
    assert_eq!(warehouse.row_counts().await.unwrap()[TableId::Trades], 20);
}

/// Something between that cuts connections in the middle of what is sent.
struct Proxy {
    address: SocketAddr,
    cuts: Arc<AtomicUsize>,
    _serving: AbortOnDropHandle<()>,
}

/// How much of a request passes before it is cut: more than its head, less than its body.
const PASSES: usize = 2_500;

impl Proxy {
    async fn to(url: &str) -> Self {
        let server = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, cuts) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let given = cuts.clone();
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Self::pass(client, TcpStream::connect(server.clone()).await.unwrap(), given.clone()));
            }
        });
        Self { address, cuts, _serving: AbortOnDropHandle::new(serving) }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next so many requests are cut.
    fn cut(&self, times: usize) {
        self.cuts.store(times, Ordering::SeqCst);
    }

    async fn pass(client: TcpStream, server: TcpStream, cuts: Arc<AtomicUsize>) {
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
            (client.into_split(), server.into_split());
        let there = async {
            let (mut buffer, mut passed) = (vec![0; 16 << 10], 0);
            while let Ok(n @ 1..) = from_client.read(&mut buffer).await {
                let is_cut = cuts.load(Ordering::SeqCst) > 0;
                let n = if is_cut { n.min(PASSES - passed) } else { n };
                let _ = to_server.write_all(&buffer[..n]).await;
                passed = if is_cut { passed + n } else { 0 };
                if passed == PASSES {
                    cuts.fetch_sub(1, Ordering::SeqCst);
                    break;
                }
            }
        };
        let back = async { tokio::io::copy(&mut from_server, &mut to_client).await.map(|_| ()) };
        tokio::select! { () = there => {}, _ = back => {} }
    }
}
