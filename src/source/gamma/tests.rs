//! Pages as Gamma sends them, read.

use alloy_primitives::B256;
use serde_json::{Value, json};

use super::misread::Misread;
use super::page;
use crate::model::{Collateral, DeadLetter, Market, derive_token_id};

const ASKED_AT: u64 = 1_784_851_300;
const CONDITION: B256 = B256::repeat_byte(0x18);

fn tokens() -> [String; 2] {
    [0, 1].map(|outcome| derive_token_id(CONDITION, outcome, Collateral::UsdcE).to_string())
}

fn read_one(market: &str) -> (Result<Market, DeadLetter>, u64) {
    let misread = Misread::default();
    let body = format!(r#"{{"markets":[{market}],"next_cursor":"x"}}"#);
    let mut page = page::read(body.as_bytes(), ASKED_AT, &misread).unwrap();
    let count = misread.count();
    (page.markets.remove(0), count)
}

fn market(market: Value) -> (Market, u64) {
    let (market, misread) = read_one(&market.to_string());
    (market.unwrap(), misread)
}

#[test]
fn a_whole_market() {
    let source = json!({
        "id": "3047949", "conditionId": CONDITION.to_string().to_uppercase().replace("0X", "0x"),
        "question": "Will \"it\" rain?\n雨 ☔", "slug": "rain", "outcomes": "[\"Up\", \"Down\"]",
        "clobTokenIds": json!(tokens()).to_string(), "negRisk": false, "active": true, "closed": true,
        "createdAt": "2026-04-05T14:00:05.980362Z", "endDate": "2026-04-05T21:10:00Z", "endDateIso": "2026-04-06",
        "closedTime": "2026-07-24 00:00:16+00", "updatedAt": "2026-07-24T00:01:40Z",
        "volume": "79945.98005599984", "volumeNum": 79_945.98, "liquidity": "", "liquidityNum": 4.5,
        "events": [{"id": 17, "slug": "weather", "title": "Weather", "tags": [{"label": "Rain"}, {"label": "All"}]}, {}],
        "tags": [{"id": "1", "label": "All"}, "Plain", {"slug": "no-label"}],
        "somethingNew": {"deep": [1, 2]},
    });
    let (market, misread) = market(source.clone());
    assert_eq!(misread, 0);
    assert_eq!(market.id, "3047949");
    assert_eq!(market.condition_id.unwrap().to_string(), CONDITION.to_string());
    assert_eq!((market.question.as_str(), market.slug.as_str()), ("Will \"it\" rain?\n雨 ☔", "rain"));
    assert_eq!(market.outcomes, ["Up", "Down"]);
    assert_eq!(market.token_ids.iter().map(ToString::to_string).collect::<Vec<_>>(), tokens());
    assert_eq!((market.event.id.as_str(), market.event.slug.as_str()), ("17", "weather"));
    assert_eq!(market.event.title, "Weather");
    assert_eq!(market.tags, ["All", "Plain", "Rain"]);
    assert_eq!((market.created_at, market.end_at), (Some(1_775_397_605), Some(1_775_423_400)));
    assert_eq!(market.closed_at, Some(1_784_851_216));
    assert!(market.active && market.closed && !market.neg_risk);
    assert_eq!((market.volume.as_str(), market.liquidity.as_str()), ("79945.98005599984", "4.5"));
    assert_eq!(market.version, Market::version_of(Some(1_784_851_300), ASKED_AT));
    assert_eq!(serde_json::from_str::<Value>(&market.raw.unpack().unwrap()).unwrap(), source, "all that was said");
}

#[test]
fn a_market_that_says_nothing_but_its_id() {
    let (market, misread) = market(json!({ "id": "7" }));
    assert_eq!((market.id.as_str(), misread), ("7", 0));
    assert_eq!((market.condition_id, market.outcomes.len(), market.token_ids.len()), (None, 0, 0));
    assert_eq!((market.created_at, market.version), (None, Market::version_of(None, ASKED_AT)));
}

#[test]
fn nulls_are_unknown() {
    let names = [
        "conditionId",
        "question",
        "slug",
        "outcomes",
        "clobTokenIds",
        "positionIds",
        "negRisk",
        "active",
        "closed",
        "createdAt",
        "endDate",
        "closedTime",
        "updatedAt",
        "volume",
        "liquidity",
        "events",
        "tags",
    ];
    let mut object: serde_json::Map<String, Value> = names.iter().map(|name| ((*name).into(), Value::Null)).collect();
    object.insert("id".into(), "7".into());
    let (nulls, misread) = market(Value::Object(object));
    let (nothing, _) = market(json!({ "id": "7" }));
    assert_eq!((Market { raw: nothing.raw.clone(), ..nulls }, misread), (nothing, 0));
}

#[test]
fn lists_come_in_many_shapes() {
    let outcomes = |value: Value| market(json!({ "id": "7", "outcomes": value }));
    for list in [json!(["Yes", "No"]), json!("[\"Yes\", \"No\"]"), json!(" [\"Yes\",\"No\"] ")] {
        let (market, misread) = outcomes(list);
        assert_eq!((market.outcomes, misread), (vec!["Yes".to_owned(), "No".to_owned()], 0));
    }
    for empty in [json!(""), json!("[]"), json!([]), Value::Null] {
        let (market, misread) = outcomes(empty.clone());
        assert_eq!((market.outcomes.len(), misread), (0, 0), "{empty}");
    }
    for wrong in [json!(5), json!({}), json!("yes"), json!([null]), json!("[true]"), json!([["Yes"]])] {
        let (market, misread) = outcomes(wrong.clone());
        assert_eq!((market.outcomes.len(), misread), (0, 1), "{wrong}");
    }
    assert_eq!(outcomes(json!([1, "2"])).0.outcomes, ["1", "2"]);
}

#[test]
fn a_wrong_type_costs_its_field_only() {
    let (market, misread) = market(json!({
        "id": 3_047_949, "question": 5, "slug": {}, "negRisk": "true", "active": 1, "createdAt": 5, "closedTime": "soon",
        "volume": 12.5, "events": {}, "tags": [5], "conditionId": "0x12",
    }));
    assert_eq!((market.id.as_str(), market.question.as_str(), market.slug.as_str()), ("3047949", "5", ""));
    assert!(market.neg_risk && !market.active);
    assert_eq!((market.created_at, market.closed_at, market.condition_id), (None, None, None));
    assert_eq!((market.volume.as_str(), market.tags.len(), market.event.id.as_str()), ("12.5", 0, ""));
    assert_eq!(misread, 6, "slug, active, createdAt, closedTime, events, conditionId");
}

#[test]
fn half_of_a_character_costs_its_field_only() {
    let (market, misread) = read_one(r#"{"id":"7","question":"\ud83d","description":"\ud83d","slug":"s"}"#);
    let market = market.unwrap();
    assert_eq!((market.question.as_str(), market.slug.as_str(), misread), ("", "s", 1));
    assert!(market.raw.unpack().unwrap().contains(r"\ud83d"), "the raw text is as it came");
}

#[test]
fn a_list_that_contradicts_the_condition_is_replaced() {
    let foreign = derive_token_id(B256::repeat_byte(9), 0, Collateral::UsdcE).to_string();
    let claims = json!({
        "id": "7", "conditionId": CONDITION.to_string(), "outcomes": ["Yes", "No"], "clobTokenIds": [foreign, tokens()[1]],
    });
    let (market, misread) = market(claims);
    assert_eq!(market.token_ids.iter().map(ToString::to_string).collect::<Vec<_>>(), tokens());
    assert_eq!(misread, 1);
}

#[test]
fn one_bad_market_does_not_harm_its_page() {
    let good = json!({ "id": "7" }).to_string();
    for bad in
        ["null", "5", r#""text""#, "[]", "{}", r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":{}}"#, r#"{"id":true}"#]
    {
        let body = format!(r#"{{"markets":[{good}, {bad} ,{good}],"next_cursor":null}}"#);
        let page = page::read(body.as_bytes(), ASKED_AT, &Misread::default()).unwrap();
        assert_eq!((page.markets.len(), page.next), (3, None));
        assert!(page.markets[0].is_ok() && page.markets[2].is_ok());
        let letter = page.markets[1].as_ref().unwrap_err();
        assert_eq!((letter.source.as_str(), letter.stage.as_str()), ("gamma", "ingest-markets"));
        assert_eq!(
            (letter.raw.as_slice(), letter.position.as_str()),
            (bad.as_bytes(), DeadLetter::position_of_bytes(bad.as_bytes()).as_str())
        );
    }
}

#[test]
fn the_last_page_says_so_in_three_ways() {
    let next = |text: &str| page::read(text.as_bytes(), 0, &Misread::default()).map(|page| page.next);
    for last in [r#"{"markets":[]}"#, r#"{"markets":[],"next_cursor":null}"#, r#"{"markets":[],"next_cursor":""}"#] {
        assert_eq!(next(last), Ok(None), "{last}");
    }
    assert_eq!(next(r#"{"next_cursor":"MTAw","markets":[],"more":1}"#), Ok(Some("MTAw".into())));
}

#[test]
fn what_is_no_page_is_an_error_in_words() {
    for (text, words) in [
        ("<!DOCTYPE html>", "not a page of markets: <!DOCTYPE html>"),
        ("", "not a page of markets: "),
        ("[]", "not a page of markets: []"),
        (r#"{"markets":[{"id":"7"}"#, "a page that cannot be read: EOF while parsing"),
        (r#"{"markets":null}"#, "a page that cannot be read: invalid type: null"),
        (r#"{"error":"x"}"#, "a page that cannot be read: missing field `markets`"),
    ] {
        let error = page::read(text.as_bytes(), 0, &Misread::default()).unwrap_err();
        assert!(error.starts_with(words), "{error}");
    }
}
