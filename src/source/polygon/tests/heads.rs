//! The newest final block, the chain's id, and where to begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::chain::{GENESIS_TIME, block_hash};
use super::node::{answer_with, error, status};
use super::{Chain, Node, source, source_with};
use crate::model::ChainPosition;
use crate::source::{ChainProvider, Head, SourceError, Start};

fn head_at(block: u64) -> Head {
    Head { block, timestamp: GENESIS_TIME + block * 2 }
}

#[tokio::test]
async fn the_head_is_the_finalized_block() {
    let node = Node::good(Chain::busy()).await;
    let source = source(&[&node]);
    assert_eq!(source.head().await, Ok(head_at(98)));
    assert_eq!(source.world().await, Ok("chain:137".to_owned()));
    assert_eq!(source.head().await, Ok(head_at(98)));
    assert_eq!(node.calls("eth_chainId"), 1, "asked once");
}

#[tokio::test]
async fn without_finality_the_head_lies_64_blocks_deep() {
    let answers =
        [json!({"result": null}), error(-32000, "finalized block not found"), error(-32602, "invalid argument 0")];
    for answer in answers {
        let chain = Chain::busy();
        let node = Node::scripted(chain.clone(), move |request| {
            let replace = |call: &Value| (call["params"][0] == "finalized").then(|| answer.clone());
            Some(answer_with(&chain, request, replace))
        })
        .await;
        let source = source(&[&node]);
        assert_eq!(source.head().await, Ok(head_at(36)));
        assert_eq!(source.head().await, Ok(head_at(36)));
        let tags = node.asked().iter().filter(|request| request["params"][0] == "finalized").count();
        assert_eq!(tags, 1, "remembered");
    }
}

#[tokio::test]
async fn a_passing_error_does_not_cost_an_endpoint_its_finality() {
    let chain = Chain::busy();
    let bad = Node::scripted(chain.clone(), move |request| {
        let replace = |call: &Value| (call["params"][0] == "finalized").then(|| error(-32603, "Internal error"));
        Some(answer_with(&chain, request, replace))
    })
    .await;
    let good = Node::good(Chain::busy()).await;
    assert_eq!(source(&[&bad, &good]).head().await, Ok(head_at(98)));
    let error = source(&[&bad]).head().await.unwrap_err();
    assert_eq!(error, SourceError::Refused { endpoint: bad.name(), cause: "Internal error".into() });
}

#[tokio::test]
async fn the_head_never_goes_back() {
    let finalized = Arc::new(AtomicU64::new(98));
    let moving = Arc::clone(&finalized);
    let first = Node::scripted(Chain::busy(), move |request| {
        let chain = Chain { finalized: moving.load(Ordering::SeqCst), ..Chain::busy() };
        Some(chain.answer(request))
    })
    .await;
    let second = Node::good(Chain { finalized: 99, ..Chain::busy() }).await;
    let source = source(&[&first, &second]);
    assert_eq!(source.head().await, Ok(head_at(98)));
    finalized.store(90, Ordering::SeqCst);
    assert_eq!(source.head().await, Ok(head_at(98)), "the first one is behind");
    assert_eq!(source.head().await, Ok(head_at(99)), "so the second one has its turn");
}

#[tokio::test]
async fn a_head_that_stands_still_is_asked_of_another() {
    let first = Node::good(Chain::busy()).await;
    let second = Node::good(Chain { finalized: 99, ..Chain::busy() }).await;
    let source = source_with(&[&first, &second], |config| config.stale_after = Duration::ZERO);
    assert_eq!(source.head().await, Ok(head_at(98)));
    assert_eq!(source.head().await, Ok(head_at(98)), "still the same");
    assert_eq!(source.head().await, Ok(head_at(99)), "so the second one has its turn");
}

#[tokio::test]
async fn an_endpoint_of_another_chain_is_left_out() {
    let good = Node::scripted(Chain::busy(), |request| {
        // Fails once it is known, so that the other one is asked.
        (request["params"][0] == "finalized").then(|| status(500, "busy"))
    })
    .await;
    let wrong = Node::good(Chain { id: 1, ..Chain::busy() }).await;
    let source = source(&[&good, &wrong]);
    assert_eq!(source.world().await, Ok("chain:137".to_owned()));
    for _ in 0..3 {
        let error = source.head().await.unwrap_err();
        assert!(matches!(&error, SourceError::Refused { endpoint, .. } if *endpoint == good.name()), "{error}");
    }
    assert_eq!(wrong.asked().len(), 1, "asked for its chain and never again");
    let page = super::page(&source, 95, 98).await.unwrap();
    assert!(page.events.is_empty(), "and its opinion is not missed");
}

#[tokio::test]
async fn an_endpoint_of_another_chain_has_no_opinion() {
    let good = Node::good(Chain::with_fills(&[])).await;
    let wrong = Node::good(Chain { id: 1, ..Chain::with_fills(&[]) }).await;
    let source = source(&[&good, &wrong]);
    assert!(super::page(&source, 1, 90).await.unwrap().events.is_empty(), "the good one said it twice");
    assert_eq!((good.ranges().len(), wrong.ranges().len()), (2, 0));
    assert!(super::page(&source, 1, 90).await.unwrap().events.is_empty());
    assert_eq!(good.ranges().len(), 3, "and is alone from now on");
}

#[tokio::test]
async fn a_start_becomes_a_position() {
    let node = Node::good(Chain::busy()).await;
    let source = source(&[&node]);
    let cases = [
        (Start::Block(7), 7),
        (Start::Genesis, 98),
        (Start::Latest, 99),
        (Start::Time(0), 0),
        (Start::Time(GENESIS_TIME + 2 * 41), 41),
        (Start::Time(GENESIS_TIME + 2 * 41 - 1), 41),
        (Start::Time(GENESIS_TIME + 2 * 98), 98),
        (Start::Time(GENESIS_TIME + 2 * 98 + 1), 99),
        (Start::Time(u64::MAX), 99),
    ];
    for (start, block) in cases {
        assert_eq!(source.resolve(&start).await, Ok(ChainPosition::start_of(block)), "{start:?}");
    }
}

#[tokio::test]
async fn a_block_is_too_early_only_where_nobody_has_it() {
    let pruned = || {
        Node::scripted(Chain::busy(), |request| {
            let block =
                request["params"][0].as_str().and_then(|b| u64::from_str_radix(b.strip_prefix("0x")?, 16).ok())?;
            (block < 50).then(|| json!({"id": request["id"], "result": null}).to_string().into_response())
        })
    };
    let (first, second, archive) = (pruned().await, pruned().await, Node::good(Chain::busy()).await);
    let start = Start::Time(GENESIS_TIME + 2 * 20);
    assert_eq!(source(&[&first, &second]).resolve(&start).await, Ok(ChainPosition::start_of(50)));
    assert_eq!(source(&[&first, &archive]).resolve(&start).await, Ok(ChainPosition::start_of(20)));
}

#[tokio::test]
async fn a_header_of_another_block_is_refused() {
    let node = Node::scripted(Chain::busy(), |request| {
        let wrong = json!({"number": "0x1", "hash": block_hash(1), "timestamp": "0x1"});
        (request["method"] == "eth_getBlockByNumber" && request["params"][0] != "finalized")
            .then(|| json!({"id": request["id"], "result": wrong}).to_string().into_response())
    })
    .await;
    let error = source(&[&node]).resolve(&Start::Time(GENESIS_TIME)).await.unwrap_err();
    assert!(error.to_string().contains("cannot be trusted: the header of block 1 for block 98"), "{error}");
}
