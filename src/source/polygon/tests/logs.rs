//! Real logs, and logs that are none.

use alloy_primitives::keccak256;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::block::Block;
use super::super::failure::Failure;
use super::super::header::Header;
use super::super::list::{self, Said};
use super::super::log::ReadLog;
use super::super::page;
use super::super::ranges::placed;
use super::Page;
use super::chain::{self, GENESIS_TIME, block_hash};
use crate::model::ChainPosition;

const ORDER_FILLED: &str = include_str!("../../../../tests/vectors/orderfilled_logs.jsonl");
const NEG_RISK_BLOCK: &str = include_str!("../../../../tests/vectors/v1_negrisk_block.jsonl");
const OTHER_CONTRACT: &str = include_str!("../../../../tests/vectors/other_contract.jsonl");
const EXPECTED: &str = include_str!("../../../../tests/vectors/expected_decode.jsonl");

fn read(json: &str) -> ReadLog {
    ReadLog::of(json)
}

/// The page of the blocks `from` to `to`, in which there are these logs, and whose headers are as `header` says.
fn make_page(logs: &[&str], from: u64, to: u64, header: impl Fn(&ReadLog) -> Header) -> Result<Page, String> {
    let Ok(Said::Logs(logs)) = list::read(&format!("[{}]", logs.join(",")).into()) else { panic!("no logs") };
    let (blocks, unplaced) = placed(logs, from, to).map_err(|failure| match failure {
        Failure::Untrusted(cause) => cause,
        other => panic!("{other:?}"),
    })?;
    let blocks: Result<Vec<Block>, String> =
        blocks.into_values().map(|logs| Block::new(header(&logs[0]), logs)).collect();
    let blocks = blocks?;
    if let Some(cause) = blocks.iter().find_map(|block| block.misplaced.clone()) {
        return Err(cause);
    }
    Ok(page::assemble(blocks, &unplaced, ChainPosition::start_of(from), to, 1_234))
}

/// The page that these logs make, as the answer for all blocks.
fn page_of(logs: &[&str]) -> Page {
    let header = |log: &ReadLog| Header {
        number: log.block.unwrap(),
        hash: log.block_hash.unwrap(),
        parent: None,
        timestamp: log.timestamp.unwrap_or(1_704_230_000),
        transactions: None,
    };
    make_page(logs, 0, u64::MAX, header).unwrap()
}

fn check(logs: &[Value], from: u64, to: u64) -> Result<Page, String> {
    let texts: Vec<String> = logs.iter().map(Value::to_string).collect();
    let header = |log: &ReadLog| {
        let number = log.block.unwrap();
        let (hash, timestamp) = (block_hash(number).parse().unwrap(), GENESIS_TIME + number * 2);
        Header { number, hash, parent: None, timestamp, transactions: None }
    };
    make_page(&texts.iter().map(String::as_str).collect::<Vec<_>>(), from, to, header)
}

#[test]
fn real_logs_become_the_fills_that_they_are() {
    let logs: Vec<&str> = ORDER_FILLED.lines().chain(NEG_RISK_BLOCK.lines()).collect();
    let page = page_of(&logs);
    let mut expected: Vec<Value> = EXPECTED.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fills: Vec<Value> = page
        .events
        .iter()
        .filter_map(|event| event.fill.as_ref().ok())
        .map(|fill| {
            json!({
                "transaction_hash": fill.transaction_hash.to_string(),
                "block_number": fill.block_number,
                "log_index": fill.log_index,
                "block_timestamp": (fill.block_number != 51_866_068).then_some(fill.timestamp),
                "exchange": format!("{:#x}", fill.exchange.unwrap().address()),
                "order_hash": fill.order_hash.to_string(),
                "maker": format!("{:#x}", fill.maker),
                "taker": format!("{:#x}", fill.taker),
                "side": fill.side.label(),
                "token_id": fill.token_id.to_string(),
                "usd_raw": fill.usd.micros().to_string(),
                "shares_raw": fill.shares.micros().to_string(),
                "fee_raw": fill.fee.micros().to_string(),
                "is_taker_row": fill.is_taker_row(),
            })
        })
        .collect();
    expected.sort_by_key(|fill| (fill["block_number"].as_u64(), fill["log_index"].as_u64()));
    assert_eq!(fills, expected);

    let [letter] = &page.events.iter().filter_map(|event| event.fill.as_ref().err()).collect::<Vec<_>>()[..] else {
        panic!("one log of the block is no fill");
    };
    assert!(letter.reason.starts_with("not an OrderFilled event"), "{}", letter.reason);
    assert_eq!(letter.position, "0x73ca58d58325b5cbb369588671844dd555dcb33723497e96097b196b8bdfdcd8:28");
    assert_eq!((letter.source.as_str(), letter.stage.as_str()), ("polygon", "ingest-fills"));
    assert_eq!(letter.raw, NEG_RISK_BLOCK.lines().last().unwrap().as_bytes(), "as received");
    assert_eq!(letter.first_seen, 1_234);
}

#[test]
fn logs_of_other_contracts_are_dead_letters() {
    let page = page_of(&OTHER_CONTRACT.lines().collect::<Vec<_>>());
    assert_eq!(page.events.len(), 3);
    for event in page.events {
        assert!(event.fill.unwrap_err().reason.starts_with("not an exchange contract"));
    }
}

#[test]
fn a_bad_field_makes_a_dead_letter_in_its_place() {
    let good = chain::log(7, 3);
    let table = [
        ("address", json!(null), "address is missing"),
        ("address", json!("0x12"), "address has 2 hex digits, not 40"),
        ("address", json!(["0x"]), "address is not a string"),
        ("topics", json!("0x"), "topics is not a list"),
        ("topics", json!(["0x00"]), "topics has an element that has 2 hex digits, not 64"),
        ("topics", json!(vec![block_hash(1); 5]), "topics has more than 4 elements, more than a log can"),
        ("data", json!("0xzz"), "data is not hex"),
        ("data", json!(12), "data is not a string"),
        ("removed", json!("no"), "removed is not a boolean"),
        ("data", json!("0x00"), "has 224 bytes of data, not 1"),
    ];
    for (field, value, reason) in table {
        let mut bad = good.clone();
        bad[field] = value;
        let page = check(&[chain::log(7, 4), bad, chain::log(7, 2)], 5, 9).unwrap();
        let [before, letter, after] = &page.events[..] else { panic!("{field}: three events") };
        assert!(before.fill.is_ok() && after.fill.is_ok(), "{field}: one bad log spoils no other");
        assert_eq!(letter.next, ChainPosition::after(7, 3), "{field}");
        let letter = letter.fill.as_ref().unwrap_err();
        assert!(letter.reason.contains(reason), "{field}: {}", letter.reason);
        assert_eq!(letter.position, format!("{}:3", chain::transaction_hash(7, 3)), "{field}");
    }
}

#[test]
fn a_log_without_a_place_is_kept_where_nothing_is_lost() {
    let unplaced = chain::without(&chain::log(7, 3), "blockNumber");
    let unindexed = chain::without(&chain::log(7, 3), "logIndex");
    let no_transaction = chain::without(&chain::log(7, 5), "transactionHash");
    let logs = [chain::log(6, 9), unindexed, no_transaction, chain::log(7, 4), unplaced, json!("not a log")];
    let page = check(&logs, 5, 9).unwrap();
    let nexts: Vec<_> = page.events.iter().map(|event| (event.next.block, event.next.log_index)).collect();
    assert_eq!(nexts, [(5, 0), (5, 0), (6, 10), (7, 0), (7, 5), (7, 6)]);
    assert_eq!(page.next, ChainPosition::start_of(10));
    let letters: Vec<_> = page.events.iter().filter_map(|event| event.fill.as_ref().err()).collect();
    assert_eq!(letters.len(), 4);
    for letter in letters {
        let hashed = letter.position.starts_with("keccak:0x");
        assert_eq!(hashed, !letter.reason.contains("blockNumber"), "{} {}", letter.position, letter.reason);
    }
}

#[test]
fn a_reason_is_short_however_long_the_log() {
    let raw = json!("x".repeat(10_000)).to_string();
    let read = read(&raw);
    assert!(read.log.unwrap_err().len() < 200);
    assert_eq!(read.raw, raw, "but nothing of it is lost");
}

#[test]
fn the_hash_of_a_log_without_a_place_ignores_its_spelling() {
    let position = |raw: &str| read(raw).letter_position();
    assert_eq!(position(r#"{"b": 1, "a": [2]}"#), position(r#"{"a":[2],"b":1}"#));
    assert_eq!(position(r#"{"a":1}"#), format!("keccak:{}", keccak256(r#"{"a":1}"#)));
}

#[test]
fn repetitions_collapse_and_contradictions_are_refused() {
    let log = chain::log(7, 3);
    let with = |field: &str, value: Value| {
        let mut log = log.clone();
        log[field] = value;
        log
    };
    let page = check(&[log.clone(), chain::log(6, 1), log.clone()], 5, 9).unwrap();
    assert_eq!(super::places(&page), [(6, 1), (7, 3)]);

    let data = json!(format!("0x{}", "11".repeat(224)));
    let table = [
        (vec![log.clone(), with("data", data)], "two different logs at 7:3"),
        (vec![log.clone(), with("data", json!(null))], "two different logs at 7:3"),
        (vec![with("removed", json!(true))], "a removed log in final block 7"),
        (vec![chain::log(4, 0)], "a log of block 4, asked for 5 to 9"),
        (vec![chain::log(10, 0)], "a log of block 10, asked for 5 to 9"),
        (vec![chain::without(&chain::log(10, 0), "data")], "a log of block 10"),
        (vec![chain::log(7, 1), with("blockHash", json!(block_hash(8)))], "two hashes of block 7"),
    ];
    for (logs, expected) in table {
        let cause = check(&logs, 5, 9).unwrap_err();
        assert!(cause.contains(expected), "{cause}");
    }
    let mut forked = chain::log(9, 0);
    forked["blockHash"] = json!(block_hash(1));
    assert!(check(&[forked], 5, 9).unwrap_err().contains("two hashes of block 9"), "the header's hash counts");
}

#[test]
fn a_row_has_the_time_of_its_header_whatever_its_log_says() {
    let times = ["0x0", "0x5", "0xfffffffffff", "0x6553f100", "nonsense"];
    let logs: Vec<Value> = times
        .iter()
        .zip(1..)
        .map(|(time, index)| {
            let mut log = chain::log(7, index);
            log["blockTimestamp"] = json!(time);
            log
        })
        .collect();
    let page = check(&logs, 5, 9).unwrap();
    let times: Vec<u64> = page.events.iter().map(|event| event.fill.as_ref().unwrap().timestamp).collect();
    assert_eq!(times, [GENESIS_TIME + 14; 5]);
}

#[test]
fn upper_case_hex_is_hex() {
    let lower = chain::log(7, 3).to_string();
    let raw = lower.replace("0xe111180000d2663c0091e4f400237545b87b996b", "0xE111180000d2663C0091e4f400237545B87B996B");
    assert_ne!(raw, lower);
    assert_eq!(read(&raw).log, read(&lower).log);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "0x[0-9a-fA-F]{0,66}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 16, 5, |inner| prop::collection::vec(inner, 0..6).prop_map(Value::from))
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(
        fields in prop::collection::vec((0usize..9, any_json()), 0..4),
        noise: String,
    ) {
        let names = ["address", "topics", "data", "blockNumber", "blockHash", "blockTimestamp", "transactionHash", "logIndex", "removed"];
        let mut log = chain::log(7, 3);
        for (name, value) in fields {
            log[names[name]] = value;
        }
        let _ = check(&[log.clone()], 5, 9);
        let text = log.to_string();
        let cut: String = text.chars().take(noise.len() * 7).collect();
        for raw in [noise.as_str(), cut.as_str()] {
            let read = read(raw);
            read.letter_position();
            prop_assert!(read.log.is_err() || raw == text);
        }
    }
}
