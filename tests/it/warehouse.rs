//! What every warehouse must do, shown on the embedded one.

use std::sync::Arc;

use polytape::model::{Amount, DeadLetter, Exchange, Fill, NonUsdcSide, Resolution, Side, TokenId, Trade, U256};
use polytape::warehouse::{Checkpoint, RowCounts, Warehouse, WarehouseError};
use rusqlite::types::Value;

use crate::support::store::Store;

fn trade(transaction: u8, log_index: u32, resolution: Resolution) -> Trade {
    let fill = Fill {
        block_number: 90_840_326,
        log_index,
        timestamp: 1_784_965_486,
        transaction_hash: [transaction; 32].into(),
        source_id: String::new(),
        order_hash: [2; 32].into(),
        exchange: Exchange::CtfV1,
        token_id: TokenId(U256::MAX),
        maker: [3; 20].into(),
        taker: Exchange::CtfV1.address(),
        side: Side::Buy,
        usd: Amount::from_micros(7_434_000).unwrap(),
        shares: Amount::from_micros(17_700_000).unwrap(),
        fee: Amount::from_micros(1_770_000).unwrap(),
    };
    Trade { fill, resolution }
}

fn token() -> Resolution {
    Resolution::Token { condition_id: "0xc0".into(), outcome: "Yes".into() }
}

fn market() -> Resolution {
    let (condition_id, outcome, market_id) = ("0xc0".into(), "Up".into(), "42".into());
    Resolution::Market { condition_id, outcome, market_id, side: NonUsdcSide(1) }
}

fn letter(position: &str, first_seen: i64) -> DeadLetter {
    let text = String::from;
    let (source, stage, reason) = (text("polygon"), text("ingest-fills"), text("side is 2"));
    DeadLetter { source, position: text(position), stage, reason, raw: b"{\n\n}".to_vec(), first_seen }
}

/// The columns of a table's rows, but `ingested_at`, in the order of its key.
fn rows(store: &Store, table: &str) -> Vec<Vec<(String, Value)>> {
    let key = match table {
        "trades" => "transaction_hash, log_index, source_id",
        _ => "source, position, stage",
    };
    let file = store.file();
    let mut select = file.prepare(&format!("SELECT * FROM {table} ORDER BY {key}")).unwrap();
    let names: Vec<String> = select.column_names().map(str::to_owned).collect();
    let names: Vec<&String> = names.iter().filter(|name| *name != "ingested_at").collect();
    let column = |row: &rusqlite::Row<'_>, name: &String| Ok((name.clone(), row.get(name.as_str())?));
    let row = |row: &rusqlite::Row<'_>| names.iter().map(|name| column(row, name)).collect();
    select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

#[tokio::test]
async fn a_trade_is_written_column_by_column() {
    let store = Store::new();
    store.warehouse().write_trades(&[trade(1, 1357, market())]).await.unwrap();
    let hash = |byte: &str, times| text(&format!("0x{}", byte.repeat(times)));
    let expected = [
        ("timestamp", Value::Integer(1_784_965_486)),
        ("block_number", Value::Integer(90_840_326)),
        ("log_index", Value::Integer(1357)),
        ("transaction_hash", hash("01", 32)),
        ("order_hash", hash("02", 32)),
        ("source_id", text("")),
        ("exchange", text("ctf_v1")),
        ("token_id", text("115792089237316195423570985008687907853269984665640564039457584007913129639935")),
        ("condition_id", text("0xc0")),
        ("market_id", text("42")),
        ("outcome", text("Up")),
        ("nonusdc_side", text("token1")),
        ("maker", hash("03", 20)),
        ("taker", text("0x4bfb41d5b3570defd03c39a9a4d8de6bd8b8982e")),
        ("maker_direction", text("BUY")),
        ("taker_direction", text("SELL")),
        ("price", Value::Real(0.42)),
        ("usd_amount", text("7.434000")),
        ("token_amount", text("17.700000")),
        ("fee_amount", text("1.770000")),
        ("fee_unit", text("shares")),
        ("is_taker_row", Value::Integer(1)),
        ("version", Value::Integer(2)),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(rows(&store, "trades"), [expected]);
}

#[tokio::test]
async fn writing_again_changes_nothing() {
    let store = Store::new();
    let warehouse: Arc<dyn Warehouse> = store.warehouse();
    let trades = [trade(1, 1, Resolution::Unknown), trade(1, 2, token()), trade(2, 1, market())];
    warehouse.write_trades(&trades).await.unwrap();
    let before = rows(&store, "trades");
    assert_eq!(before.len(), 3, "fills of one transaction are told apart by their log index");
    for _ in 0..5 {
        warehouse.write_trades(&trades).await.unwrap();
        warehouse.write_trades(&trades[1..]).await.unwrap();
    }
    assert_eq!(rows(&store, "trades"), before);
    assert_eq!(warehouse.row_counts().await.unwrap(), RowCounts { trades: 3, dead_letters: 0 });
}

#[tokio::test]
async fn a_poorer_row_never_wins() {
    let versions = [Resolution::Unknown, token(), market()];
    for later in &versions {
        for earlier in &versions {
            let (richer, poorer) =
                if earlier.version() > later.version() { (earlier, later) } else { (later, earlier) };
            let store = Store::new();
            store.warehouse().write_trades(&[trade(1, 1, earlier.clone())]).await.unwrap();
            store.warehouse().write_trades(&[trade(1, 1, later.clone())]).await.unwrap();
            let expected = Store::new();
            expected.warehouse().write_trades(&[trade(1, 1, richer.clone())]).await.unwrap();
            assert_eq!(rows(&store, "trades"), rows(&expected, "trades"), "{poorer:?} won over {richer:?}");
        }
    }
}

#[tokio::test]
async fn a_row_that_was_deleted_can_be_written_again() {
    let store = Store::new();
    let warehouse = store.warehouse();
    let trades = [trade(1, 1, token()), trade(1, 2, token())];
    warehouse.write_trades(&trades).await.unwrap();
    let before = rows(&store, "trades");
    store.file().execute("DELETE FROM trades", []).unwrap();
    warehouse.write_trades(&trades).await.unwrap();
    assert_eq!(rows(&store, "trades"), before);
}

#[tokio::test]
async fn large_batches_and_empty_ones_are_written_whole() {
    let store = Store::new();
    let warehouse = store.warehouse();
    let trades: Vec<Trade> = (0..12_345).map(|log_index| trade(1, log_index, Resolution::Unknown)).collect();
    warehouse.write_trades(&trades).await.unwrap();
    warehouse.write_trades(&[]).await.unwrap();
    warehouse.write_dead_letters(&[]).await.unwrap();
    assert_eq!(warehouse.row_counts().await.unwrap().trades, 12_345);
    let count: u64 = store.file().query_row("SELECT count(*) FROM trades", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 12_345);
}

#[tokio::test]
async fn the_newest_rows_come_first() {
    let store = Store::new();
    let warehouse = store.warehouse();
    let trades: Vec<Trade> = (0..5).map(|log_index| trade(1, log_index, token())).collect();
    warehouse.write_trades(&trades).await.unwrap();
    let newest = warehouse.newest_trades(2).await.unwrap();
    assert_eq!(newest.iter().map(|line| line.log_index).collect::<Vec<_>>(), [4, 3]);
    assert_eq!((newest[0].usd_amount.as_str(), newest[0].price), ("7.434000", Some(0.42)));
}

#[tokio::test]
async fn a_dead_letter_keeps_its_first_sight_and_its_bytes() {
    let store = Store::new();
    let warehouse = store.warehouse();
    warehouse.write_dead_letters(&[letter("0x1:1", 100), letter("0x1:2", 100)]).await.unwrap();
    let before = rows(&store, "dead_letters");
    assert_eq!(before[0][4], ("raw".into(), Value::Blob(b"{\n\n}".to_vec())));
    warehouse.write_dead_letters(&[letter("0x1:1", 200)]).await.unwrap();
    assert_eq!(rows(&store, "dead_letters"), before);
    assert_eq!(warehouse.row_counts().await.unwrap(), RowCounts { trades: 0, dead_letters: 2 });
}

#[tokio::test]
async fn a_refused_row_is_told_apart_from_a_failing_store() {
    let store = Store::new();
    let warehouse = store.warehouse();
    store.file().execute_batch(
        "CREATE TRIGGER refuse BEFORE INSERT ON trades WHEN new.log_index = 7 BEGIN SELECT RAISE(ABORT, 'seven'); END",
    ).unwrap();
    let refused = warehouse.write_trades(&[trade(1, 6, token()), trade(1, 7, token())]).await.unwrap_err();
    assert!(matches!(&refused, WarehouseError::Rows(reason) if reason.contains("seven")), "{refused}");
    assert_eq!(warehouse.row_counts().await.unwrap().trades, 0, "a batch is written whole or not at all");
    warehouse.write_trades(&[trade(1, 6, token())]).await.unwrap();
}

#[tokio::test]
async fn a_checkpoint_is_kept_for_each_pipeline_and_source() {
    let mut store = Store::new();
    let warehouse = store.warehouse();
    let checkpoint = |watermark: &str| {
        let text = str::to_owned;
        Checkpoint { world: text("chain:137"), start: text("{}"), watermark: text(watermark) }
    };
    assert_eq!(warehouse.checkpoint("main", "polygon").await.unwrap(), None);
    warehouse.set_checkpoint("main", "polygon", &checkpoint("1")).await.unwrap();
    warehouse.set_checkpoint("other", "polygon", &checkpoint("2")).await.unwrap();
    warehouse.set_checkpoint("main", "polygon", &checkpoint("3")).await.unwrap();
    drop(warehouse);
    store.reopen();
    let warehouse = store.warehouse();
    assert_eq!(warehouse.checkpoint("main", "polygon").await.unwrap(), Some(checkpoint("3")));
    assert_eq!(warehouse.checkpoint("other", "polygon").await.unwrap(), Some(checkpoint("2")));
    assert_eq!(warehouse.checkpoint("main", "sqd").await.unwrap(), None);
}
