//! Near the head: blocks by hash, and empty ones that more than one word must prove.

use std::time::Duration;

use serde_json::{Value, json};

use super::chain::{block_hash, log};
use super::node::{answer_with, calls};
use super::{Chain, Node, page, places, source_with};
use crate::model::ChainPosition;
use crate::source::polygon::{Polygon, PolygonConfig};
use crate::source::{ChainProvider, SourceError};

/// A source as it is by default, which has all of the chains here near the head.
fn tip(nodes: &[&Node]) -> Polygon {
    tip_with(nodes, |_| {})
}

fn tip_with(nodes: &[&Node], change: impl FnOnce(&mut PolygonConfig)) -> Polygon {
    source_with(nodes, |config| {
        (config.by_hash_within, config.careful_within) = (128, 4_096);
        change(config);
    })
}

/// A node whose answers about logs and receipts come from a backend that has only the blocks up to `tip`.
async fn balancer(chain: Chain, tip: u64) -> Node {
    let stale = Chain { tip, ..chain.clone() };
    Node::scripted(chain.clone(), move |request| {
        let of_stale = |call: &Value| {
            let method = call["method"].as_str().unwrap();
            ["eth_getLogs", "eth_getBlockReceipts"].contains(&method).then(|| stale.one(call))
        };
        Some(answer_with(&chain, request, of_stale))
    })
    .await
}

#[tokio::test]
async fn a_new_block_costs_one_request() {
    let node = Node::good(Chain::with_fills(&[(97, 0), (98, 3), (98, 1)])).await;
    let source = tip(&[&node]);
    let head = source.head().await.unwrap().block;
    let before = node.asked().len();
    let read = page(&source, 98, head).await.unwrap();
    assert_eq!((places(&read), read.next), (vec![(98, 1), (98, 3)], ChainPosition::start_of(99)));
    let asked = &node.asked()[before..];
    assert_eq!(asked.len(), 1, "its header came with the head");
    assert_eq!(asked[0]["params"][0]["blockHash"], block_hash(98));

    // Two new blocks: the hash of the first stands in the header of the second.
    let source = tip(&[&node]);
    source.head().await.unwrap();
    let before = node.asked().len();
    assert_eq!(places(&page(&source, 97, head).await.unwrap()), [(97, 0), (98, 1), (98, 3)]);
    assert_eq!(node.asked().len(), before + 1);
    assert_eq!(calls(&node.asked()[before]).len(), 3, "one header and the logs of both");
}

#[tokio::test]
async fn a_backend_that_lacks_a_block_does_not_make_it_empty() {
    let chain = Chain::with_fills(&[(97, 0), (98, 0)]);
    let node = balancer(chain.clone(), 97).await;
    let source = tip(&[&node]);
    let read = page(&source, 97, 98).await.unwrap();
    assert_eq!((places(&read), read.next), (vec![(97, 0)], ChainPosition::start_of(98)), "up to what is sure");
    let error = page(&source, 98, 98).await.unwrap_err();
    assert!(error.to_string().contains("it has no logs in block 98, and nothing confirms that"), "{error}");

    let good = Node::good(chain).await;
    assert_eq!(places(&page(&tip(&[&node, &good]), 98, 98).await.unwrap()), [(98, 0)], "another one has it");
}

#[tokio::test]
async fn null_for_a_block_is_no_answer() {
    let null = |receipts: bool| async move {
        let chain = Chain { receipts, ..Chain::with_fills(&[(97, 0)]) };
        Node::scripted(chain.clone(), move |request| {
            let null = |call: &Value| (call["method"] == "eth_getLogs").then(|| json!({"result": null}));
            Some(answer_with(&chain, request, null))
        })
        .await
    };
    let (mute, other) = (null(false).await, null(false).await);
    for nodes in [&[&mute][..], &[&mute, &other]] {
        let source = tip_with(nodes, |config| config.empty_patience = Duration::ZERO);
        for _ in 0..4 {
            let error = page(&source, 98, 98).await.unwrap_err();
            assert!(matches!(error, SourceError::Lagging { block: 98, .. }), "however often: {error}");
        }
    }
    let with_receipts = null(true).await;
    let read = page(&tip(&[&with_receipts]), 97, 98).await.unwrap();
    assert_eq!((places(&read), read.next), (vec![(97, 0)], ChainPosition::start_of(99)), "receipts can say");
    let good = Node::good(Chain { receipts: false, ..Chain::with_fills(&[(97, 0)]) }).await;
    let read = page(&tip(&[&mute, &good]), 97, 97).await.unwrap();
    assert_eq!(places(&read), [(97, 0)]);
    assert!(page(&tip(&[&mute, &good]), 98, 98).await.is_err(), "one word is not two");
}

#[tokio::test]
async fn an_empty_block_is_proved_by_its_receipts_or_by_another_operator() {
    let node = Node::good(Chain::with_fills(&[(96, 0)])).await;
    let source = tip(&[&node]);
    let read = page(&source, 95, 98).await.unwrap();
    assert_eq!((places(&read), read.next), (vec![(96, 0)], ChainPosition::start_of(99)));
    assert_eq!(node.calls("eth_getBlockReceipts"), 3, "of the empty ones");

    let silent = || Chain { receipts: false, ..Chain::with_fills(&[]) };
    let (first, second) = (Node::good(silent()).await, Node::good(silent()).await);
    let read = page(&tip(&[&first, &second]), 95, 98).await.unwrap();
    assert_eq!(read.next, ChainPosition::start_of(99));
}

#[tokio::test]
async fn receipts_that_are_not_one_for_each_transaction_prove_nothing() {
    let chain = Chain::with_fills(&[]);
    let node = Node::scripted(chain.clone(), move |request| {
        let none = |call: &Value| (call["method"] == "eth_getBlockReceipts").then(|| json!({"result": []}));
        Some(answer_with(&chain, request, none))
    })
    .await;
    assert!(page(&tip(&[&node]), 98, 98).await.is_err());
}

#[tokio::test]
async fn with_nothing_else_three_answers_and_a_minute_count() {
    let node = Node::good(Chain { receipts: false, ..Chain::with_fills(&[]) }).await;
    let source = tip(&[&node]);
    for _ in 0..5 {
        assert!(page(&source, 98, 98).await.is_err(), "not within a minute");
    }
    let source = tip_with(&[&node], |config| config.empty_patience = Duration::ZERO);
    assert!(page(&source, 98, 98).await.is_err());
    assert!(page(&source, 98, 98).await.is_err());
    assert_eq!(page(&source, 98, 98).await.unwrap().next, ChainPosition::start_of(99), "the third one");
}

#[tokio::test]
async fn two_urls_of_one_operator_are_one_opinion() {
    let chain = Chain { receipts: false, ..Chain::with_fills(&[(98, 0)]) };
    let node = balancer(chain, 97).await;
    let source = source_with(&[&node], |config| {
        (config.by_hash_within, config.careful_within) = (128, 4_096);
        config.urls.push(format!("{}/other", config.urls[0]));
    });
    for _ in 0..4 {
        assert!(page(&source, 98, 98).await.is_err(), "both ask the same backend");
    }
}

#[tokio::test]
async fn an_endpoint_that_finds_no_logs_by_hash_is_asked_by_number() {
    let chain = Chain::with_fills(&[(96, 0), (98, 0)]);
    let node = Node::scripted(chain.clone(), move |request| {
        let refuse = |call: &Value| {
            let by_hash = call["params"][0].get("blockHash").is_some();
            by_hash.then(|| json!({"error": {"code": -32602, "message": "blockHash is not supported"}}))
        };
        Some(answer_with(&chain, request, refuse))
    })
    .await;
    let source = tip(&[&node]);
    source.head().await.unwrap();
    assert_eq!(places(&page(&source, 95, 98).await.unwrap()), [(96, 0), (98, 0)]);
}

#[tokio::test]
async fn logs_of_a_fork_are_refused() {
    let mut forked = log(98, 0);
    forked["blockHash"] = json!(block_hash(1));
    let chain = Chain::with_fills(&[]);
    let node = Node::scripted(chain.clone(), move |request| {
        let fork = |call: &Value| (call["method"] == "eth_getLogs").then(|| json!({"result": [forked]}));
        Some(answer_with(&chain, request, fork))
    })
    .await;
    let error = page(&tip(&[&node]), 98, 98).await.unwrap_err();
    assert!(error.to_string().contains("two hashes of block 98"), "{error}");
}

#[tokio::test]
async fn headers_that_do_not_follow_each_other_are_refused() {
    let chain = Chain::busy();
    let node = Node::scripted(chain.clone(), move |request| {
        let other = |call: &Value| {
            (call["params"][0] == "0x58").then(|| {
                let mut header = chain.one(call);
                header["result"]["parentHash"] = json!(block_hash(1));
                header
            })
        };
        Some(answer_with(&chain, request, other))
    })
    .await;
    let error = page(&tip(&[&node]), 85, 90).await.unwrap_err();
    assert!(error.to_string().contains("is not the parent of block 88"), "{error}");
}

#[tokio::test]
async fn what_lies_behind_the_last_log_of_a_range_near_the_head_is_asked_for_by_hash() {
    // A backend behind the balancer has nothing from block 31 on.
    let chain = Chain::busy();
    let node = balancer(chain, 30).await;
    let source = tip_with(&[&node], |config| config.by_hash_within = 0);
    let read = page(&source, 20, 98).await.unwrap();
    assert_eq!((places(&read).len(), read.next), (11, ChainPosition::start_of(31)), "and does not pass it");
    assert!(page(&source, 31, 98).await.is_err());
}
