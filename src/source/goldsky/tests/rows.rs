//! Rows, and the fills that they are.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::server::{Server, row};
use super::{at, read_all, source};
use crate::model::entry::Entry as _;
use crate::model::{Exchange, FeeUnit, Fill, Side};
use crate::source::goldsky::row::{fill, place};

/// Rows as they were recorded, with three fields each.
const RECORDED: &str = include_str!("../../../../tests/vectors/goldsky_rows.json");

fn read(json: &str) -> Result<Fill, String> {
    let raw: &RawValue = serde_json::from_str(json).unwrap();
    fill(raw, &place(raw)?, "goldsky")
}

/// A row with other values.
fn with(changes: &[(&str, Value)]) -> String {
    let mut row = row(100, 4);
    for (name, value) in changes {
        row[*name] = value.clone();
    }
    row.to_string()
}

#[test]
fn a_buy_and_a_sell_by_the_rules_of_v1() {
    let buy = read(&with(&[])).unwrap();
    assert_eq!((buy.block_number, buy.log_index, buy.timestamp, buy.exchange), (0, 0, 100, None));
    assert_eq!((buy.side, buy.usd.micros(), buy.shares.micros(), buy.fee.micros()), (Side::Buy, 420_000, 1_000_000, 7));
    assert_eq!((buy.token_id.to_string().as_str(), buy.fee_unit(), buy.is_taker_row()), ("5", FeeUnit::Shares, false));
    let id = format!("goldsky:0x{:064x}_0x{:064x}", 4, 0xabc);
    assert_eq!((buy.source_id.as_str(), buy.exchange_label()), (id.as_str(), ""));
    assert_eq!(Fill::decode(&buy.encode()), Ok(buy));

    let taker = format!("{:#x}", Exchange::NegRiskV1.address());
    let sell = with(&[("makerAssetId", json!("9")), ("takerAssetId", json!("0")), ("taker", json!(taker))]);
    let sell = read(&sell).unwrap();
    assert_eq!((sell.side, sell.usd.micros(), sell.shares.micros()), (Side::Sell, 1_000_000, 420_000));
    assert_eq!((sell.exchange, sell.is_taker_row(), sell.fee_unit()), (Some(Exchange::NegRiskV1), true, FeeUnit::Usd));
}

/// The predecessor computed with floats, and lost the last digits of tokens and amounts.
#[test]
fn floats_are_refused_and_whole_numbers_are_exact() {
    let token = "65818619657568813474341868652308942079804919287380422192892211131408793125422";
    let whole = with(&[]).replace("\"5\"", token).replace("\"420000\"", "90071992547409931").replace("\"100\"", "100");
    let fill = read(&whole).unwrap();
    assert_eq!((fill.token_id.to_string().as_str(), fill.usd.micros()), (token, 90_071_992_547_409_931));
    for float in [
        "6.581861965756881e+76",
        "5.0",
        "5e0",
        "-5",
        "true",
        "null",
        "[5]",
        "\"5.0\"",
        "\"-5\"",
        "\"\"",
        "\"0x5\"",
        "\"5_0\"",
        "\" 5\"",
    ] {
        let reason = read(&with(&[]).replace("\"5\"", float)).unwrap_err();
        assert_eq!(reason, "takerAssetId is no whole number in digits", "{float}");
    }
    assert!(read(&with(&[]).replace("\"100\"", "1e2")).unwrap_err().starts_with("timestamp"));
}

#[test]
fn what_is_no_fill_says_why() {
    let huge = |power: u32| json!((alloy_primitives::U256::from(1) << power as usize).to_string());
    for (name, value, reason) in [
        ("makerAmountFilled", huge(128), "makerAmountFilled does not fit Decimal(38, 6)"),
        ("fee", json!("1".repeat(39)), "fee does not fit Decimal(38, 6)"),
        ("fee", json!("9".repeat(90)), "fee does not fit 256 bits"),
        ("takerAssetId", json!("0"), "makerAssetId and takerAssetId are both 0"),
        ("makerAssetId", json!("8"), "makerAssetId and takerAssetId are both not 0"),
        ("id", json!("0xabc"), "id is not transactionHash_orderHash"),
        ("transactionHash", json!(format!("0x{:064x}", 5)), "id is not transactionHash_orderHash"),
        ("orderHash", json!("0x12"), "orderHash is not 32 bytes of hex"),
        ("maker", json!(5), "maker is no text"),
        ("taker", json!("0x12"), "taker is not 20 bytes of hex"),
    ] {
        assert_eq!(read(&with(&[(name, value)])).unwrap_err(), reason);
    }
    let Value::Object(good) = row(100, 4) else { panic!() };
    for name in good.keys() {
        let mut lacking = good.clone();
        lacking.remove(name);
        let reason = read(&Value::Object(lacking).to_string()).unwrap_err();
        assert_eq!(reason, format!("{name} is missing"));
    }
    assert!(read(&with(&[("more", json!({ "x": 1 }))])).is_ok(), "what nobody asked for harms nothing");
}

#[tokio::test]
async fn a_row_that_is_no_fill_costs_only_itself() {
    let mut rows: Vec<Value> = (0..5).map(|number| row(10, number)).collect();
    rows[2]["fee"] = json!(1.5);
    rows[3]["id"] = json!(rows[3]["id"].as_str().unwrap().replace('_', "-"));
    let server = Server::of(rows.clone()).await;
    let goldsky = source(&server);
    let (events, _) = read_all(&goldsky, at(&goldsky, 0, ""), &at(&goldsky, 11, "")).await.unwrap();
    let letters: Vec<_> = events.iter().filter_map(|event| event.as_ref().err()).collect();
    assert_eq!((events.len(), letters.len()), (5, 2));
    for (letter, row) in letters.iter().zip(&rows[2..]) {
        assert_eq!((letter.source.as_str(), letter.stage.as_str()), ("goldsky", "ingest-goldsky"));
        assert_eq!(letter.position, row["id"].as_str().unwrap());
        assert_eq!(serde_json::from_slice::<Value>(&letter.raw).unwrap(), *row);
    }
}

#[test]
fn recorded_rows_are_placed() {
    let data: Value = serde_json::from_str(RECORDED).unwrap();
    let rows = data["data"]["orderFilledEvents"].as_array().unwrap();
    let places: Vec<_> = rows
        .iter()
        .map(|row| {
            let raw = RawValue::from_string(row.to_string()).unwrap();
            let place = place(&raw).unwrap();
            assert_eq!(fill(&raw, &place, "goldsky").unwrap_err(), "orderHash is missing");
            place
        })
        .collect();
    assert!(places.len() == 4 && places.is_sorted(), "{places:?}");
    assert_eq!(places[0].second, 1_733_677_058);
}
