//! The server as a client sees it.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::{Clock, DemoServer, Fault, Faults};
use super::*;
use crate::model::{Exchange, ORDER_FILLED_V1, ORDER_FILLED_V2, decode_order_filled};

/// The head of the servers below.
pub(super) const HEAD: u64 = FIRST + 200;

pub(super) async fn server() -> DemoServer {
    let server = DemoServer::start(Arc::new(world(42, Some(10_000))), ([127, 0, 0, 1], 0).into()).await.unwrap();
    server.freeze_at(HEAD);
    server
}

pub(super) async fn post(url: &str, body: String) -> reqwest::Result<reqwest::Response> {
    reqwest::Client::new().post(url).body(body).send().await
}

async fn text(server: &DemoServer, body: &Value) -> String {
    post(&server.url(), body.to_string()).await.unwrap().text().await.unwrap()
}

/// The answer to one call, without its envelope.
pub(super) async fn call(server: &DemoServer, method: &str, params: Value) -> Result<Value, (i64, String)> {
    let request = json!({"jsonrpc": "2.0", "id": 5, "method": method, "params": params});
    let mut answer: Value = serde_json::from_str(&text(server, &request).await).unwrap();
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(5)));
    match answer.get("error") {
        Some(error) => Err((error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().into())),
        None => Ok(answer["result"].take()),
    }
}

pub(super) fn filter(blocks: RangeInclusive<u64>) -> Value {
    json!([{
        "fromBlock": format!("{:#x}", blocks.start()),
        "toBlock": format!("{:#x}", blocks.end()),
        "address": Exchange::ALL.map(|exchange| exchange.address().to_string()),
        "topics": [[ORDER_FILLED_V1.to_string(), ORDER_FILLED_V2.to_string()]],
    }])
}

pub(super) async fn logs(server: &DemoServer, blocks: RangeInclusive<u64>) -> Result<Vec<Value>, (i64, String)> {
    call(server, "eth_getLogs", filter(blocks)).await.map(|logs| logs.as_array().unwrap().clone())
}

#[tokio::test]
async fn a_healthy_node_serves_the_truth() {
    let server = server().await;
    let served = logs(&server, FIRST..=FIRST + 30).await.unwrap();
    let truth = server.world().truth(FIRST..=FIRST + 30);
    assert_eq!(served.len(), truth.trades.len() + truth.dead_letters.len());
    let good: Vec<_> = served
        .iter()
        .map(read_log)
        .filter_map(|(log, time)| decode_order_filled(&log, time).ok())
        .map(|fill| (format!("{:#x}", fill.transaction_hash), i64::from(fill.log_index)))
        .collect();
    let expected: Vec<_> = truth.trades.iter().map(|row| (row.transaction_hash.clone(), row.log_index)).collect();
    assert_eq!(good, expected);
}

#[tokio::test]
async fn heads_headers_and_tags() {
    let server = server().await;
    let chain = call(&server, "eth_chainId", json!([])).await.unwrap();
    assert_eq!(chain, format!("{:#x}", server.world().chain_id()));
    assert_eq!(call(&server, "eth_blockNumber", json!([])).await.unwrap(), format!("{HEAD:#x}"));
    let number = async |tag: &str| {
        let header = call(&server, "eth_getBlockByNumber", json!([tag, false])).await.unwrap();
        header["number"].as_str().map(|text| u64::from_str_radix(&text[2..], 16).unwrap())
    };
    assert_eq!(number("latest").await, Some(HEAD));
    assert_eq!(number("finalized").await, Some(HEAD - 3));
    assert_eq!(number("earliest").await, Some(FIRST));
    assert_eq!(number(&format!("{HEAD:#x}")).await, Some(HEAD));
    assert_eq!(number(&format!("{:#x}", HEAD + 1)).await, None, "not mined yet");
    assert_eq!(number(&format!("{:#x}", FIRST - 1)).await, None);

    let header = call(&server, "eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    let block = server.world().block(HEAD);
    assert_eq!(header["hash"], format!("{:#x}", block.hash));
    assert_eq!(header["parentHash"], format!("{:#x}", block.parent_hash));
    assert_eq!(header["timestamp"], format!("{:#x}", block.timestamp));

    server.set_clock(Clock::Shifted(60_000));
    let later = server.head();
    server.set_clock(Clock::Wall);
    assert!((39..=41).contains(&(later - server.head())), "a minute is forty blocks");
}

#[tokio::test]
async fn logs_behind_the_head_are_silently_missing() {
    let server = server().await;
    server.freeze_at(FIRST + 10);
    let upto = logs(&server, FIRST..=FIRST + 10).await.unwrap();
    assert!(!upto.is_empty());
    assert_eq!(logs(&server, FIRST..=FIRST + 500).await.unwrap(), upto);
    assert!(logs(&server, FIRST + 11..=FIRST + 500).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_empty_year_costs_nothing() {
    let server = server().await;
    server.freeze_at(FIRST + 1_000_000_000_000);
    let last = server.world().last_fill_block().unwrap();
    assert!(logs(&server, last + 1..=last + 900_000_000_000).await.unwrap().is_empty());
    assert!(logs(&server, 0..=FIRST - 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn filters_are_honoured() {
    let server = server().await;
    let all = logs(&server, FIRST..=FIRST + 40).await.unwrap();
    let v3 = Exchange::V3.address();
    for (field, value, test) in [
        (
            "address",
            json!(v3.to_string()),
            &(|log: &Value| log["address"] == format!("{v3:#x}")) as &dyn Fn(&Value) -> _,
        ),
        ("topics", json!([ORDER_FILLED_V1.to_string()]), &|log| log["topics"][0] == ORDER_FILLED_V1.to_string()),
        ("topics", json!([null, null, [all[0]["topics"][2]]]), &|log| log["topics"][2] == all[0]["topics"][2]),
        ("topics", json!([]), &|_| true),
    ] {
        let mut request = filter(FIRST..=FIRST + 40);
        request[0][field] = value;
        let mut some = call(&server, "eth_getLogs", request).await.unwrap();
        // Without signatures the exchanges' other events come, too.
        let is_fill =
            |log: &Value| [ORDER_FILLED_V1, ORDER_FILLED_V2].iter().any(|s| log["topics"][0] == s.to_string());
        some.as_array_mut().unwrap().retain(is_fill);
        let expected: Vec<_> = all.iter().filter(|log| test(log)).cloned().collect();
        assert!(!expected.is_empty());
        assert_eq!(some, Value::Array(expected), "{field}");
    }
}

#[tokio::test]
async fn malformed_requests_are_refused() {
    let server = server().await;
    let refused = async |method: &str, params| call(&server, method, params).await.unwrap_err().0;
    assert_eq!(refused("eth_call", json!([])).await, -32601);
    assert_eq!(refused("eth_getLogs", json!([])).await, -32602);
    assert_eq!(refused("eth_getLogs", json!([{"fromBlock": 5}])).await, -32602);
    assert_eq!(refused("eth_getLogs", json!([{"fromBlock": "0x5", "toBlock": "0x4"}])).await, -32602);
    assert_eq!(refused("eth_getLogs", json!([{"address": "0x5"}])).await, -32602);
    assert_eq!(refused("eth_getLogs", json!([{"topics": "0x5"}])).await, -32602);
    assert_eq!(refused("eth_getBlockByNumber", json!(["newest"])).await, -32602);
    let nonsense = post(&server.url(), "nonsense".into()).await.unwrap().text().await.unwrap();
    assert!(nonsense.contains("-32700"), "{nonsense}");
    assert!(text(&server, &json!([])).await.contains("-32600"));
}

#[tokio::test]
async fn a_batch_is_answered_whole_and_in_any_order() {
    let server = server().await;
    let calls: Vec<_> = (0..20).map(|id| json!({"jsonrpc": "2.0", "id": id, "method": "eth_blockNumber"})).collect();
    let answers: Vec<Value> = serde_json::from_str(&text(&server, &json!(calls)).await).unwrap();
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].as_u64().unwrap()).collect();
    assert!(!ids.is_sorted(), "{ids:?}");
    assert_eq!(tally(ids, |id| *id).into_keys().collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());

    server.faults().set(Faults { batch_limit: Some(19), ..Faults::default() });
    let refused: Value = serde_json::from_str(&text(&server, &json!(calls)).await).unwrap();
    assert!(refused["error"]["message"].is_string());
}

#[tokio::test]
async fn answers_rendered_ahead_are_the_same() {
    let server = server().await;
    let request = json!({"id": 1, "method": "eth_getLogs", "params": filter(FIRST..=FIRST + 60)});
    let on_demand = text(&server, &request).await;
    server.prerender(FIRST + 5..=FIRST + 50);
    assert_eq!(text(&server, &request).await, on_demand);
    server.faults().set(Faults { no_block_timestamp: true, ..Faults::default() });
    assert!(!text(&server, &request).await.contains("blockTimestamp"));
}

#[tokio::test]
async fn large_ranges_are_refused_in_many_words() {
    let server = server().await;
    let refusals = async || {
        let mut texts = Vec::new();
        for _ in 0..60 {
            texts.push(logs(&server, FIRST..=FIRST + 100).await.unwrap_err().1);
        }
        tally(texts, String::clone)
    };
    server.faults().set(Faults { max_blocks: Some(100), ..Faults::default() });
    assert_eq!(refusals().await.len(), 10);
    assert!(logs(&server, FIRST..=FIRST + 99).await.is_ok());

    server.faults().set(Faults { max_rows: Some(1_000), ..Faults::default() });
    let texts = refusals().await;
    assert_eq!(texts.len(), 4);
    let suggested = texts.keys().find_map(|text| text.split_once("this block range [")).unwrap().1;
    let end = suggested.split_once(", 0x").unwrap().1.split_once(']').unwrap().0;
    let end = u64::from_str_radix(end, 16).unwrap();
    assert!(logs(&server, FIRST..=end).await.unwrap().len() <= 1_000, "the suggested range works");

    server.faults().set(Faults { max_rows: Some(1), ..Faults::default() });
    let busy = (FIRST..).find(|number| server.world().block(*number).logs() > 1).unwrap();
    assert!(logs(&server, busy..=busy).await.is_ok(), "one block is always served");
}

#[tokio::test]
async fn every_fault_shows_on_the_wire() {
    let server = server().await;
    let request = json!({"id": 1, "method": "eth_getLogs", "params": filter(FIRST..=FIRST + 9)}).to_string();
    let healthy = post(&server.url(), request.clone()).await.unwrap().text().await.unwrap();
    let faulty = async |fault| {
        server.faults().set(Faults { stall: Duration::from_millis(120), ..Faults::of(fault, 1.0) });
        post(&server.url(), request.clone()).await
    };

    let mut waits = Vec::new();
    for _ in 0..20 {
        let answer = faulty(Fault::TooManyRequests).await.unwrap();
        assert_eq!(answer.status(), 429);
        waits.push(answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned()));
    }
    assert!(waits.contains(&None) && waits.contains(&Some("0".into())));
    assert_eq!(faulty(Fault::ServerError).await.unwrap().status(), 500);

    let html = faulty(Fault::Html).await.unwrap();
    assert_eq!(html.status(), 200);
    assert!(html.text().await.unwrap().starts_with("<!DOCTYPE html>"));

    let cut = faulty(Fault::CutJson).await.unwrap().text().await.unwrap();
    assert!(cut.len() < healthy.len() && healthy.starts_with(&cut));

    let mut cut = faulty(Fault::CutBody).await.unwrap();
    assert_eq!(cut.headers()["content-length"], healthy.len().to_string());
    let mut got = 0;
    while let Ok(chunk) = cut.chunk().await {
        got += chunk.expect("the body must not seem complete").len();
    }
    assert_eq!(got, healthy.len() / 2);

    let error = faulty(Fault::Reset).await.unwrap_err();
    assert!(format!("{error:?}").contains("ConnectionReset"), "{error:?}");

    let begun = Instant::now();
    assert_eq!(faulty(Fault::Stall).await.unwrap().text().await.unwrap(), healthy);
    assert!(begun.elapsed() >= Duration::from_millis(120));

    let limited = faulty(Fault::RpcRateLimit).await.unwrap();
    assert_eq!(limited.status(), 200);
    let limited: Value = serde_json::from_str(&limited.text().await.unwrap()).unwrap();
    assert!(limited["error"]["code"].is_i64());

    assert_eq!(server.faulted(), server.requests() - 1);
    server.faults().calm();
    assert_eq!(post(&server.url(), request.clone()).await.unwrap().text().await.unwrap(), healthy);
}

#[tokio::test]
async fn a_lagging_node_lacks_the_newest_blocks() {
    let server = server().await;
    let newest = (FIRST..=HEAD).rev().find(|number| server.world().block(*number).logs() > 0).unwrap();
    server.freeze_at(newest);
    server.faults().set(Faults { lag: 5, ..Faults::of(Fault::Lag, 1.0) });
    assert_eq!(call(&server, "eth_blockNumber", json!([])).await.unwrap(), format!("{:#x}", newest - 5));
    let header = json!([format!("{newest:#x}"), false]);
    assert_eq!(call(&server, "eth_getBlockByNumber", header.clone()).await.unwrap(), Value::Null);
    assert!(logs(&server, newest..=newest).await.unwrap().is_empty());
    server.faults().calm();
    assert!(call(&server, "eth_getBlockByNumber", header).await.unwrap().is_object());
    assert!(!logs(&server, newest..=newest).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_finalized_tag_can_be_unknown() {
    let server = server().await;
    server.faults().set(Faults { no_finalized: true, ..Faults::default() });
    let error = call(&server, "eth_getBlockByNumber", json!(["finalized", false])).await.unwrap_err();
    assert_eq!(error.1, "finalized block not found");
}

#[tokio::test]
async fn one_node_of_three_can_be_ill() {
    let server = server().await;
    server.faults().set(Faults { only_node: Some(1), ..Faults::of(Fault::ServerError, 1.0) });
    let mut statuses = Vec::new();
    for url in server.urls(3) {
        let request = json!({"id": 1, "method": "eth_blockNumber"}).to_string();
        statuses.push(post(&url, request).await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 500, 200]);
}

#[tokio::test]
async fn a_storm_repeats_and_has_some_of_everything() {
    let run = async || {
        let server = server().await;
        server.faults().set(Faults { stall: Duration::ZERO, ..Faults::storm() });
        let mut outcomes = Vec::new();
        for _ in 0..150 {
            let request = json!({"id": 1, "method": "eth_blockNumber"}).to_string();
            outcomes.push(match post(&server.url(), request).await {
                Err(_) => "reset".to_owned(),
                Ok(answer) => format!("{} {:?}", answer.status(), answer.text().await.ok()),
            });
        }
        (outcomes, server.faulted())
    };
    let (first, again) = (run().await, run().await);
    assert_eq!(first, again);
    assert!((15..75).contains(&first.1), "{} of 150", first.1);
    assert!(tally(first.0, String::clone).len() >= 7);
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    let server = server().await;
    let url = server.url();
    let client = reqwest::Client::new();
    let ask = async || client.post(&url).body(r#"{"id":1,"method":"eth_chainId"}"#).send().await;
    assert!(ask().await.is_ok());
    drop(server);
    let deadline = Instant::now() + Duration::from_secs(5);
    while ask().await.is_ok() {
        assert!(Instant::now() < deadline, "still served");
        tokio::task::yield_now().await;
    }
}
