//! Answers as the Data API sends them, read.

use alloy_primitives::B256;
use serde_json::{Value, json};

use super::client::read;
use crate::model::{Collateral, ConditionId, TokenId, derive_token_id};

const CONDITION: B256 = B256::repeat_byte(0x18);

fn token(outcome: u8) -> TokenId {
    derive_token_id(CONDITION, outcome, Collateral::NegRiskWrapped)
}

fn row(token: TokenId, condition: &str, outcome: Value) -> Value {
    json!({
        "token_id": token.to_string(), "condition_id": condition, "structural_condition_id": null, "module": "v1_ctf",
        "outcome_index": 0, "clob_index": 1, "outcome": outcome, "opposite_token_id": null, "resolved": false,
        "final_price": null, "title": "Rain?", "market_slug": null, "closed": null, "neg_risk": true, "event_id": 17,
    })
}

fn facts(rows: &[Value]) -> Vec<(TokenId, String, String)> {
    let facts = read(json!({ "data": rows }).to_string().as_bytes()).unwrap();
    facts.into_iter().map(|fact| (fact.token_id, fact.condition_id.to_string(), fact.outcome)).collect()
}

#[test]
fn tells_condition_and_outcome() {
    let condition = CONDITION.to_string();
    let found = facts(&[row(token(0), &condition, json!("Yes")), row(token(1), &condition, Value::Null)]);
    assert_eq!(found, [(token(0), condition.clone(), "Yes".into()), (token(1), condition, String::new())]);
}

#[test]
fn a_padded_condition_of_protocol_v2() {
    let text = format!("0x03{}0003{}0007", "ab".repeat(16), "00".repeat(10));
    let condition: ConditionId = text.parse().unwrap();
    let position = condition.position(1).unwrap();
    assert_eq!(facts(&[row(position, &format!("{text}00"), json!("No"))]), [(position, text, "No".into())]);
}

#[test]
fn what_contradicts_the_token_id_is_refused_alone() {
    let good = row(token(0), &CONDITION.to_string(), json!("Yes"));
    let mut bad = vec![
        row(token(0), &B256::repeat_byte(9).to_string(), json!("Yes")),
        row(token(7), &CONDITION.to_string(), json!("Yes")),
        row(token(0), "0x12", json!("Yes")),
        json!({ "token_id": "x" }),
        json!(null),
        json!(5),
    ];
    bad.push(good);
    assert_eq!(facts(&bad).len(), 1);
    let third = json!({ "token_id": token(2).to_string(), "condition_id": CONDITION.to_string(), "outcome_index": 2 });
    assert_eq!(facts(&[third]), [(token(2), CONDITION.to_string(), String::new())], "a third outcome");
}

#[test]
fn what_is_no_answer_is_an_error() {
    for text in ["", "[]", "{}", r#"{"data":null}"#, r#"{"data":[{"#, "<html>"] {
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
    assert_eq!(read(br#"{"data":[],"more":1}"#).unwrap(), []);
}
