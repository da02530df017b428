//! Recorded logs of the real chain through the binary: the rows are known, column by column.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use polytape::demo::{DeadLetterRow, Price, TradeRow};
use rusqlite::Connection;
use serde_json::Value;

use crate::support::node::{Node, Recording, number};
use crate::support::process::Workplace;
use crate::support::tables::{dead_letters, dump, trades};

const FILLS: &str = include_str!("../vectors/orderfilled_logs.jsonl");
const NEG_RISK_BLOCK: &str = include_str!("../vectors/v1_negrisk_block.jsonl");
const OTHER_CONTRACTS: &str = include_str!("../vectors/other_contract.jsonl");
const EXPECTED: &str = include_str!("../vectors/expected_decode.jsonl");

/// A block whose logs do not tell its time, so that it is the header that does.
const BLOCK_WITHOUT_TIME: (u64, u64) = (51_866_068, 1_704_228_944);

const UNTIL_CAUGHT_UP: [&str; 4] = ["--no-tui", "--until-caught-up", "--timeout", "30s"];

/// A place where everything that was recorded has been read, and the node to read it from again.
struct Read {
    place: Workplace,
    recording: Arc<Recording>,
    _node: Node,
}

impl Read {
    async fn all() -> Self {
        let recording = Recording::new(&[FILLS, NEG_RISK_BLOCK, OTHER_CONTRACTS], &[BLOCK_WITHOUT_TIME]);
        let recording = Arc::new(recording);
        let node = Node::of(Arc::clone(&recording)).await;
        let place = Workplace::new(&format!(
            r#"
            pipeline.start = "{}"
            sources.polygon = {{ urls = ["{url}"], poll_interval = "10ms" }}
            sources.gamma = {{ url = "{url}", max_rate = 10000 }}
            sources.data_api = {{ url = "{url}", max_rate = 10000 }}
            writer.linger = "10ms"
            storage.min_free = "0B"
            "#,
            BLOCK_WITHOUT_TIME.0,
            url = node.url(),
        ));
        let read = Self { place, recording, _node: node };
        read.again();
        read
    }

    fn again(&self) {
        let ended = self.place.run(&UNTIL_CAUGHT_UP, Duration::from_secs(60));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains("6 trades, 0 markets, 4 dead letters"), "{}", ended.stdout);
    }

    fn store(&self) -> Connection {
        self.place.store().unwrap()
    }
}

/// The rows that the recording must become, made of the expected fields alone.
fn expected_trades() -> Vec<TradeRow> {
    let rows: Vec<_> = EXPECTED.lines().map(|line| expected_trade(&serde_json::from_str(line).unwrap())).collect();
    // None of these transactions has more than one match.
    let end = |of: &TradeRow| {
        let mut rows = rows.iter().filter(|row| row.transaction_hash == of.transaction_hash && row.is_taker_row);
        rows.next().map(|row| row.log_index)
    };
    rows.iter().map(|row| TradeRow { match_log_index: end(row), ..row.clone() }).collect()
}

fn expected_trade(fields: &Value) -> TradeRow {
    let text = |name: &str| fields[name].as_str().unwrap().to_owned();
    let (maker_direction, taker_direction) = match fields["side"].as_str() {
        Some("BUY") => ("BUY", "SELL"),
        Some("SELL") => ("SELL", "BUY"),
        side => panic!("{side:?}"),
    };
    let (exchange, is_v1) = match fields["exchange"].as_str() {
        Some("0x4bfb41d5b3570defd03c39a9a4d8de6bd8b8982e") => ("ctf_v1", true),
        Some("0xc5d563a36ae78145c45a50134d48a1215220f80a") => ("neg_risk_v1", true),
        Some("0xe111180000d2663c0091e4f400237545b87b996b") => ("ctf_v2", false),
        address => panic!("{address:?}"),
    };
    let (usd, shares) = (text("usd_raw"), text("shares_raw"));
    TradeRow {
        timestamp: fields["block_timestamp"].as_i64().unwrap_or(1_704_228_944),
        block_number: fields["block_number"].as_i64().unwrap(),
        log_index: fields["log_index"].as_i64().unwrap(),
        transaction_hash: text("transaction_hash"),
        order_hash: text("order_hash"),
        source_id: String::new(),
        exchange: exchange.into(),
        token_id: text("token_id"),
        condition_id: String::new(),
        market_id: String::new(),
        outcome: String::new(),
        nonusdc_side: String::new(),
        maker: text("maker"),
        taker: text("taker"),
        maker_direction: maker_direction.into(),
        taker_direction: taker_direction.into(),
        price: Some(Price::new(usd.parse::<f64>().unwrap() / shares.parse::<f64>().unwrap())),
        usd_amount: six_places(&usd),
        token_amount: six_places(&shares),
        fee_amount: six_places(&text("fee_raw")),
        fee_unit: if is_v1 && maker_direction == "BUY" { "shares" } else { "usd" }.into(),
        is_taker_row: fields["is_taker_row"].as_bool().unwrap(),
        version: 0,
        match_log_index: None,
        outcome_slot: None,
    }
}

/// `13180` as `0.013180`.
fn six_places(raw: &str) -> String {
    let digits = format!("{raw:0>7}");
    let (whole, places) = digits.split_at(digits.len() - 6);
    format!("{whole}.{places}")
}

/// What is served and is no fill.
fn expected_dead_letters(recording: &Recording) -> Vec<DeadLetterRow> {
    let place = |row: &TradeRow| format!("{}:{}", row.transaction_hash, row.log_index);
    let fills: BTreeSet<String> = expected_trades().iter().map(place).collect();
    let letter = |served: &str| {
        let log: Value = serde_json::from_str(served).unwrap();
        let position = format!("{}:{}", log["transactionHash"].as_str().unwrap(), number(&log["logIndex"]).unwrap());
        let raw = served.as_bytes().to_vec();
        DeadLetterRow { source: "polygon".into(), position, stage: "ingest-fills".into(), raw }
    };
    recording.logs().map(letter).filter(|letter| !fills.contains(&letter.position)).collect()
}

fn sorted<T: Ord>(mut rows: Vec<T>) -> Vec<T> {
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn become_exactly_the_expected_rows() {
    let read = Read::all().await;
    assert_eq!(sorted(trades(&read.store())), sorted(expected_trades()));
    assert_eq!(trades(&read.store()).len(), 6);

    let expected = expected_dead_letters(&read.recording);
    assert_eq!(expected.len(), 4, "OrdersMatched, and three logs of other contracts");
    assert_eq!(sorted(dead_letters(&read.store())), sorted(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn read_again_change_nothing() {
    let read = Read::all().await;
    let tables = || ["trades", "dead_letters", "row_counts", "checkpoints"].map(|table| dump(&read.store(), table));
    let before = tables();
    read.again();
    assert_eq!(tables(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_lost_store_come_back_the_same() {
    let read = Read::all().await;
    std::fs::remove_dir_all(read.place.data_dir()).unwrap();
    read.again();
    assert_eq!(sorted(trades(&read.store())), sorted(expected_trades()));
}

#[tokio::test(flavor = "multi_thread")]
async fn count_the_volume_of_a_match_once() {
    let read = Read::all().await;
    let of_match =
        |row: &TradeRow| row.transaction_hash == "0x82ea0e5a13f6365049fb1ed1dd1dad91adc954f6116c031862f5a72f817c5686";
    let rows: Vec<TradeRow> = trades(&read.store()).into_iter().filter(of_match).collect();
    let volume = |rows: &mut dyn Iterator<Item = &TradeRow>| -> u64 {
        rows.map(|row| row.usd_amount.replace('.', "").parse::<u64>().unwrap()).sum()
    };
    assert_eq!(volume(&mut rows.iter().filter(|row| row.is_taker_row)), 2_355_200);
    assert_eq!(volume(&mut rows.iter()), 2 * 2_355_200, "both sides of the match are there");
}
