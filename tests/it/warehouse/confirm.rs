//! What counts as written, on the real engine behind something that answers for it.

use std::time::SystemTime;

use polytape::failure::FailureClass;
use polytape::model::{DeadLetter, Resolution, TokenId, Trade, U256};
use polytape::warehouse::{
    Checkpoint, ClickhouseConfig, ClickhouseError, ClickhouseWarehouse, CommandRecord, Confirmation, Control,
    Inspection, JobRecord, JobState, Tables, TokenIndex, UnresolvedEntry, WarehouseError, WriteRows,
};

use super::conformance::trade;
use super::market_conformance::market;
use crate::support::clickhouse::Database;
use crate::support::gateway::{Gate, Gateway};

struct Behind {
    database: Database,
    gateway: Gateway,
    warehouse: ClickhouseWarehouse,
}

/// A warehouse behind a gateway. What its URL holds beside its address is nobody's business.
async fn behind() -> Behind {
    let database = Database::new();
    let gateway = Gateway::to(&database.config().url).await;
    let url = format!("{}/?token=hidden", gateway.url());
    let warehouse = ClickhouseWarehouse::new(ClickhouseConfig { url, ..database.config() });
    Behind { database, gateway, warehouse }
}

fn trades(count: u32, resolution: &Resolution) -> Vec<Trade> {
    (0..count).map(|log_index| trade(1, log_index, resolution.clone())).collect()
}

fn of_token() -> Resolution {
    Resolution::Token { condition_id: "0xc0".into(), outcome: "Yes".into() }
}

fn letter() -> DeadLetter {
    let text = String::from;
    let (source, position, stage) = (text("polygon"), text("it's\n0x1:\\1"), text("ingest-fills"));
    DeadLetter { source, position, stage, reason: text("side is 2"), raw: vec![0, 7], first_seen: 100 }
}

fn checkpoint(watermark: &str) -> Checkpoint {
    Checkpoint { world: "chain:137".into(), start: "{}".into(), watermark: watermark.into() }
}

fn job(done: u64) -> JobRecord {
    let (text, state) = (String::new, JobState::Running);
    let (begin, until, cursor, reason) = (text(), text(), text(), text());
    let (id, stage) = ("a".to_owned(), "write-trades".to_owned());
    JobRecord {
        id,
        stage,
        begin,
        until,
        cursor,
        total: 9,
        done,
        moved: 0,
        state,
        reason,
        started_at: 7,
        ended_at: None,
    }
}

/// Everything that is ever written, once; what of it failed.
pub async fn write_all(warehouse: &ClickhouseWarehouse, n: u64) -> Vec<Result<(), WarehouseError>> {
    let later = format!("{n}");
    vec![
        warehouse.write_rows(&[trades(3, &Resolution::Unknown), trades(2, &of_token())].concat()).await,
        warehouse.write_rows(&[market("7", n), market("8", n + 1)]).await,
        warehouse.write_rows(&[letter()]).await,
        warehouse.set_checkpoint("main", "polygon", &checkpoint(&later)).await,
        warehouse.set_desired_state("main", "resolver", &later).await,
        warehouse.set_job("main", &job(n)).await,
        warehouse.add_commands("main", &[command(n)]).await,
    ]
}

/// One that was just given: those of years ago would expire.
fn command(n: u64) -> CommandRecord {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let text = String::from;
    CommandRecord {
        at: i64::try_from(now.as_millis()).unwrap(),
        id: n.to_string(),
        user: text("ann"),
        tty: String::new(),
        pid: 0,
        command: text("pause resolver"),
        outcome: text("done"),
        said: text("resolver is paused"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_id_is_read_back_and_what_was_swallowed_is_missed() {
    let Behind { database, gateway, warehouse } = behind().await;
    assert_eq!(warehouse.confirmation().await.unwrap(), Confirmation::ByAnswer);
    write_all(&warehouse, 1).await.into_iter().for_each(|written| written.unwrap());
    assert_eq!(gateway.read_backs(), 0, "what is confirmed costs no read");
    for (gate, n) in [(Gate::StripId, 2), (Gate::ReplaceId, 3)] {
        gateway.set(gate);
        assert_eq!(warehouse.confirmation().await.unwrap(), Confirmation::ByReadingBack);
        let before = gateway.read_backs();
        write_all(&warehouse, n).await.into_iter().for_each(|written| written.unwrap());
        assert_eq!(gateway.read_backs() - before, 1, "trades of two versions are asked for at once");
    }
    // Nothing was there of these, or only something poorer or older.
    for table in ["trades", "dead_letters"] {
        database.execute(&format!("TRUNCATE TABLE {table}"));
    }
    database.warehouse().write_rows(&trades(3, &Resolution::Unknown)).await.unwrap();
    gateway.set(Gate::Swallow);
    for written in write_all(&warehouse, 4).await {
        let error = written.unwrap_err();
        let is_unconfirmed = matches!(error, WarehouseError::Clickhouse(ClickhouseError::Unconfirmed { .. }));
        assert!(is_unconfirmed && error.class() == FailureClass::Retry && !error.asks_for_less(), "{error}");
    }
    let token = TokenId(U256::MAX);
    let entries = [entry(token)];
    warehouse.resolve(&[(token, of_token())], &entries).await.unwrap_err();
    warehouse.list_unresolved(&entries).await.unwrap_err();
    gateway.set(Gate::StripId);
    warehouse.resolve(&[(token, of_token())], &entries).await.unwrap();
    warehouse.list_unresolved(&entries).await.unwrap();
    gateway.set(Gate::Swallow);
    warehouse.remove_unresolved(&entries).await.unwrap_err();
    assert_eq!(database.number("SELECT count() FROM trades FINAL WHERE version = 1"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_exceptions_are_said_without_the_url_and_asked_again() {
    let Behind { gateway, warehouse, database: _running } = behind().await;
    warehouse.write_rows(&trades(1, &of_token())).await.unwrap();
    for (gate, words) in [
        (Gate::Page, "something else answered in its place: HTTP 200: <html><body>Please log in"),
        // What begins with a read is told no status.
        (Gate::NotFound, "404 page not found"),
        (Gate::Exception(209), ""),
    ] {
        gateway.set(gate);
        for written in write_all(&warehouse, 1).await {
            let error = written.unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(words) && text.contains(&gateway.url()) && !text.contains("hidden"), "{text}");
            assert_eq!(error.class(), FailureClass::Retry, "{text}");
        }
    }
    gateway.set(Gate::NotFound);
    let error = warehouse.row_counts().await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Retry, "{error}");
    assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_says_so_and_reads_of_many_are_asked_in_parts() {
    let Behind { gateway, warehouse, database: _running } = behind().await;
    let ids: Vec<String> = (0..4_000).map(|id| format!("{id}")).collect();
    let tokens: Vec<TokenId> = (0..1_000_u64).map(|n| TokenId(U256::MAX - U256::from(n))).collect();
    warehouse.write_rows(&[market("7", 1)]).await.unwrap();
    warehouse.write_rows(&trades(3, &Resolution::Unknown)).await.unwrap();
    for gate in [Gate::NoLongerThan(8 << 10), Gate::CutsAt(8 << 10)] {
        gateway.set(gate);
        let rows: Vec<Trade> = (0..300).map(|n| trade((n % 250) as u8, n * 7_919, of_token())).collect();
        let varied = rows.into_iter().enumerate().map(|(n, mut row)| {
            row.fill.order_hash = alloy_primitives::keccak256(n.to_le_bytes());
            row
        });
        let error = warehouse.write_rows(&varied.collect::<Vec<_>>()).await.unwrap_err();
        assert!(error.asks_for_less() && error.class() == FailureClass::Retry, "{error}");
    }
    gateway.set(Gate::NoLongerThan(8 << 10));
    assert_eq!(warehouse.written_markets(&ids).await.unwrap().len(), 1);
    warehouse.resolutions(&tokens).await.unwrap();
    let known: Vec<_> = tokens.iter().map(|token| (*token, of_token())).collect();
    assert_eq!(warehouse.resolve(&known, &tokens.iter().copied().map(entry).collect::<Vec<_>>()).await.unwrap(), 3);
    assert!(gateway.spoiled() > 3, "nothing was too large: the test shows nothing");
}

/// The names beside the codes are those of the engine.
#[tokio::test(flavor = "multi_thread")]
async fn every_code_has_the_name_that_the_engine_gives_it() {
    let database = Database::empty();
    for line in include_str!("../../../src/warehouse/clickhouse/error/classes.golden").lines() {
        let mut words = line.split(' ');
        let (code, name) = (words.next().unwrap(), words.next().unwrap());
        assert_eq!(database.execute(&format!("SELECT errorCodeToName({code})")).trim(), name);
    }
}

/// An entry of the list, of the day of the trades here.
pub fn entry(token: TokenId) -> UnresolvedEntry {
    UnresolvedEntry { token, insert: "1-202607".into(), first: 1_784_965_486, last: 1_784_965_486 }
}
