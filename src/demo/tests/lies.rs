//! Lies change what a node says, each in its own way, and never the truth.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::{DemoServer, Faults, Lies, Refusal, UnknownHash};
use super::wire::{HEAD, call, filter, logs, post, server};
use super::*;
use crate::model::{Exchange, ORDER_FILLED_V1, ORDER_FILLED_V2};

const SOME: std::ops::RangeInclusive<u64> = FIRST..=FIRST + 60;

fn lying(server: &DemoServer, lies: Lies) {
    server.faults().set(Faults::lying(lies));
}

/// The filter of one block, by its hash.
fn by_hash(hash: &str) -> Value {
    let mut filter = filter(0..=0);
    let object = filter[0].as_object_mut().unwrap();
    object.remove("fromBlock");
    object.remove("toBlock");
    object.insert("blockHash".into(), json!(hash));
    filter
}

fn place(log: &Value) -> (String, String) {
    (log["transactionHash"].as_str().unwrap().into(), log["logIndex"].as_str().unwrap().into())
}

#[tokio::test]
async fn a_block_is_read_by_its_hash() {
    let server = server().await;
    let number = (FIRST..).find(|number| server.world().block(*number).logs() > 3).unwrap();
    let hash = format!("{:#x}", server.world().block(number).hash);
    let by_number = logs(&server, number..=number).await.unwrap();
    assert_eq!(call(&server, "eth_getLogs", by_hash(&hash)).await.unwrap(), json!(by_number));
    let header = call(&server, "eth_getBlockByHash", json!([hash, false])).await.unwrap();
    assert_eq!(header["number"], format!("{number:#x}"));

    let future = format!("{:#x}", server.world().block(HEAD + 1).hash);
    for (said, expected) in [(UnknownHash::Empty, json!([])), (UnknownHash::Null, Value::Null)] {
        lying(&server, Lies { unknown_hash: said, ..Lies::default() });
        for unknown in [&future, &format!("{:#x}", B256::repeat_byte(7))] {
            assert_eq!(call(&server, "eth_getLogs", by_hash(unknown)).await.unwrap(), expected);
        }
    }
    server.faults().calm();
    assert!(call(&server, "eth_getLogs", by_hash(&future)).await.is_err());
    let mut both = by_hash(&hash);
    both[0]["fromBlock"] = json!("0x1");
    assert_eq!(call(&server, "eth_getLogs", both).await.unwrap_err().0, -32602);
}

#[tokio::test]
async fn receipts_are_whole() {
    let server = server().await;
    // They hold all logs of the block, and each log in the receipt of its transaction.
    for number in FIRST..FIRST + 20 {
        let header = call(&server, "eth_getBlockByNumber", json!([format!("{number:#x}"), false])).await.unwrap();
        let receipts = call(&server, "eth_getBlockReceipts", json!([header["hash"]])).await.unwrap();
        assert_eq!(call(&server, "eth_getBlockReceipts", json!([format!("{number:#x}")])).await.unwrap(), receipts);
        let receipts = receipts.as_array().unwrap();
        let transactions: Vec<_> = receipts.iter().map(|receipt| receipt["transactionHash"].clone()).collect();
        assert_eq!(Value::Array(transactions), header["transactions"]);
        let within = receipts.iter().flat_map(|receipt| {
            let logs = receipt["logs"].as_array().unwrap().iter();
            logs.inspect(|log| assert_eq!(log["transactionHash"], receipt["transactionHash"]))
        });
        let within: Vec<_> = within.cloned().collect();
        let index = |log: &Value| u64::from_str_radix(&log["logIndex"].as_str().unwrap()[2..], 16).unwrap();
        assert!(within.iter().map(index).eq(0..within.len() as u64), "no index is missing");
        let is_fill =
            |log: &&Value| [ORDER_FILLED_V1, ORDER_FILLED_V2].iter().any(|s| log["topics"][0] == s.to_string());
        let fills: Vec<_> = within.iter().filter(is_fill).cloned().collect();
        assert_eq!(fills, logs(&server, number..=number).await.unwrap());
        // Of transactions whose logs were told there is each receipt alone, too.
        for receipt in receipts.iter().filter(|_| number < FIRST + 3) {
            let alone = call(&server, "eth_getTransactionReceipt", json!([receipt["transactionHash"]])).await.unwrap();
            let told = receipt["logs"].as_array().unwrap().iter().any(|log| fills.contains(log));
            assert_eq!(alone, if told { receipt.clone() } else { Value::Null });
        }
    }
    let future = json!([format!("{:#x}", HEAD + 1)]);
    assert_eq!(call(&server, "eth_getBlockReceipts", future.clone()).await.unwrap(), Value::Null);
    lying(&server, Lies { no_receipts: true, ..Lies::default() });
    assert_eq!(call(&server, "eth_getBlockReceipts", future).await.unwrap_err().0, -32601);
}

#[tokio::test]
async fn a_balancer_has_fresh_headers_and_stale_logs() {
    let server = server().await;
    lying(&server, Lies { stale_backend: Some(6), ..Lies::default() });
    let newest = (FIRST..=HEAD).rev().find(|number| server.world().block(*number).logs() > 0).unwrap();
    server.freeze_at(newest);
    let mut sizes = BTreeSet::new();
    for _ in 0..20 {
        let header = call(&server, "eth_getBlockByNumber", json!([format!("{newest:#x}"), false])).await.unwrap();
        assert!(header.is_object());
        sizes.insert(logs(&server, newest..=newest).await.unwrap().len());
    }
    assert_eq!(sizes, BTreeSet::from([0, server.world().block(newest).logs()]));
}

#[tokio::test]
async fn what_is_left_out_is_always_the_same() {
    let server = server().await;
    let all = logs(&server, SOME).await.unwrap();
    let mut seen = Vec::new();
    for lies in [
        Lies { omit_rows: Some(20), ..Lies::default() },
        Lies { omit_matches: Some(20), ..Lies::default() },
        Lies { omit_direct: Some(5), ..Lies::default() },
    ] {
        lying(&server, lies.clone());
        let told = logs(&server, SOME).await.unwrap();
        assert_eq!(logs(&server, SOME).await.unwrap(), told);
        let told: BTreeSet<_> = told.iter().map(place).collect();
        let missing: BTreeSet<_> = all.iter().map(place).filter(|place| !told.contains(place)).collect();
        assert!(!missing.is_empty() && missing.len() < all.len() / 8, "{lies:?}: {}", missing.len());
        seen.push(missing);
    }
    let world = server.world();
    let events: Vec<_> = SOME.flat_map(|number| world.block(number).events).collect();
    let group = |event: &crate::demo::fills::matching::Event| (event.transaction_hash, event.group);
    let place = |event: &crate::demo::fills::matching::Event| {
        (format!("{:#x}", event.transaction_hash), format!("{:#x}", event.log_index))
    };
    let missing = |lie: usize| events.iter().filter(|event| seen[lie].contains(&place(event))).collect::<Vec<_>>();
    let rest = |lie: usize| -> BTreeSet<_> {
        events.iter().filter(|event| !seen[lie].contains(&place(event))).map(group).collect()
    };
    let rows = missing(0);
    assert!(rows.iter().filter(|event| rest(0).contains(&group(event))).count() * 10 > rows.len() * 8, "single rows");
    assert!(missing(1).iter().all(|event| !rest(1).contains(&group(event))), "whole matches");
    assert!(missing(2).iter().all(|event| world.wallets().operators.contains(&event.intent.taker)), "direct fills");
}

#[tokio::test]
async fn caps_indexes_and_times() {
    let server = server().await;
    let all = logs(&server, SOME).await.unwrap();
    lying(&server, Lies { cap_logs: Some(200), ..Lies::default() });
    assert_eq!(logs(&server, SOME).await.unwrap(), all[..200]);
    server.prerender(SOME);
    assert_eq!(logs(&server, SOME).await.unwrap(), all[..200]);

    lying(&server, Lies { restart_log_index: Some(10), ..Lies::default() });
    let told = logs(&server, SOME).await.unwrap();
    let changed = all.iter().zip(&told).filter(|(log, told)| log["logIndex"] != told["logIndex"]).count();
    assert!(changed > all.len() / 40 && changed < all.len() / 4, "{changed} of {}", all.len());

    lying(&server, Lies { block_timestamp: Some(1 << 40), ..Lies::default() });
    assert!(logs(&server, SOME).await.unwrap().iter().all(|log| log["blockTimestamp"] == "0x10000000000"));
    let last = FIRST + 1_000_000;
    lying(&server, Lies { null_for_none: true, ..Lies::default() });
    assert_eq!(call(&server, "eth_getLogs", filter(last..=last + 5)).await.unwrap(), Value::Null);
}

#[tokio::test]
async fn a_head_that_nobody_made() {
    let server = server().await;
    lying(&server, Lies { head_ahead: 1_000_000, ..Lies::default() });
    let head = call(&server, "eth_getBlockByNumber", json!(["finalized", false])).await.unwrap();
    assert_eq!(head["number"], format!("{:#x}", HEAD + 1_000_000 - 3));
    let again = call(&server, "eth_getBlockByNumber", json!([head["number"], false])).await.unwrap();
    assert_eq!(head, again, "it stands by it");
    let before = call(&server, "eth_getBlockByNumber", json!([format!("{:#x}", HEAD + 999_996), false])).await.unwrap();
    assert_ne!(head["parentHash"], before["hash"]);
    assert_eq!(head["timestamp"], format!("{:#x}", server.world().block(HEAD).timestamp));
}

#[tokio::test]
async fn refusals_in_words_and_without() {
    let server = server().await;
    let refuse = |refusal| lying(&server, Lies { refuse_above: Some(50), refusal, ..Lies::default() });
    refuse(Refusal::AnyWords);
    let mut said = BTreeSet::new();
    for _ in 0..60 {
        said.insert(logs(&server, SOME).await.unwrap_err());
    }
    assert_eq!(said.len(), 7, "{said:?}");
    assert!(logs(&server, FIRST..=FIRST + 49).await.is_ok());
    let request = json!({"id": 1, "method": "eth_getLogs", "params": filter(SOME)}).to_string();
    for (refusal, status) in
        [(Refusal::ArchiveForbidden, 403), (Refusal::Http500, 500), (Refusal::Http502, 502), (Refusal::CutBody, 200)]
    {
        refuse(refusal);
        let answer = post(&server.url(), request.clone()).await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.text().await.is_err(), refusal == Refusal::CutBody);
    }
}

#[tokio::test]
async fn an_exchange_can_surprise() {
    let server = server().await;
    let block = (FIRST..).find(|number| server.world().block(*number).logs() > 3).unwrap();
    let before = logs(&server, SOME).await.unwrap();
    server.faults().set(Faults { upgraded_at: Some(block), unknown_layout_every: Some(3), ..Faults::default() });
    assert_eq!(logs(&server, SOME).await.unwrap(), before, "nobody is told who does not ask");
    let mut request = filter(SOME);
    request[0].as_object_mut().unwrap().remove("topics");
    let all = call(&server, "eth_getLogs", request).await.unwrap();
    let signatures = tally(all.as_array().unwrap(), |log| log["topics"][0].as_str().unwrap().to_owned());
    assert_eq!(signatures.len(), 6, "fills and matches of two layouts, an upgrade, and an unknown one: {signatures:?}");
    let upgraded = "0xbc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b";
    assert_eq!(signatures[upgraded], 1);
    let mut request = filter(SOME);
    request[0]["topics"] = json!([[ORDER_FILLED_V1.to_string(), ORDER_FILLED_V2.to_string(), upgraded]]);
    let told = call(&server, "eth_getLogs", request).await.unwrap();
    assert_eq!(told.as_array().unwrap().len(), before.len() + 1);
    let upgrade = told.as_array().unwrap().iter().find(|log| log["topics"][0] == upgraded).unwrap();
    assert_eq!(upgrade["address"], format!("{:#x}", Exchange::V3.address()));
    let receipts = call(&server, "eth_getBlockReceipts", json!([format!("{block:#x}")])).await.unwrap();
    let within = receipts.as_array().unwrap().iter().flat_map(|receipt| receipt["logs"].as_array().unwrap());
    assert!(within.into_iter().any(|log| log == upgrade), "the receipts have it, too");
}
