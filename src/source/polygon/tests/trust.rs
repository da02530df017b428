//! Nodes that fail, lag and lie.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::chain::{block_hash, log, without};
use super::node::{KEY, answer_with, calls, cut_off, error, range, status};
use super::{Chain, Node, page, places, source, source_with};
use crate::failure::FailureClass;
use crate::model::ChainPosition;
use crate::source::{ChainProvider, SourceError};

/// How a node answers.
type Answer = fn(&Value) -> Response;

/// A node that answers `eth_getLogs` requests with `answer`.
async fn bad_at_logs(chain: Chain, answer: impl Fn(&Value) -> Response + Send + Sync + 'static) -> Node {
    Node::scripted(chain, move |request| range(request).map(|_| answer(request))).await
}

/// A node that replaces one result in the batches with `eth_getLogs`: the logs, or the header of block 8.
async fn lying(chain: Chain, method: &'static str, result: Value) -> Node {
    bad_at_logs(chain.clone(), move |request| {
        answer_with(&chain, request, |call| {
            let here = call["method"] == method && (method == "eth_getLogs" || call["params"][0] == "0x8");
            here.then(|| json!({"result": result}))
        })
    })
    .await
}

#[tokio::test]
async fn a_page_holds_what_the_chain_holds() {
    let node = Node::good(Chain::with_fills(&[(3, 7), (3, 1), (5, 0), (40, 2)])).await;
    let source = source(&[&node]);
    let first = page(&source, 1, 98).await.unwrap();
    assert_eq!(places(&first), [(3, 1), (3, 7)]);
    assert_eq!(first.next, ChainPosition::start_of(5), "reading goes on at its last log");
    let nexts: Vec<_> = first.events.iter().map(|event| event.next).collect();
    assert_eq!(nexts, [ChainPosition::after(3, 1), ChainPosition::after(3, 7)]);
    let second = page(&source, 5, 39).await.unwrap();
    assert_eq!((places(&second), second.next), (vec![(5, 0)], ChainPosition::start_of(37)), "nothing behind it");

    let inside = source.page(ChainPosition::after(3, 1), 4).await.unwrap();
    assert_eq!(places(&inside), [(3, 7)], "the rest of a block");
    assert_eq!(inside.next, ChainPosition::start_of(5));
    assert!(source.page(ChainPosition::start_of(99), 98).await.unwrap().events.is_empty());
}

#[tokio::test]
async fn the_next_endpoint_answers_where_one_fails() {
    let failures: [(Answer, &str); 9] = [
        (|_| status(500, "oh no"), "answered: HTTP 500: oh no"),
        (|_| status(429, "slow down"), "turns requests away: HTTP 429: slow down"),
        (|_| status(403, "who are you?"), "turns requests away: HTTP 403"),
        (|_| status(302, ""), "a redirect is not followed"),
        (|_| status(200, "<html>Just a moment…</html>"), "cannot be trusted: not JSON: <html>Just a moment…</html>"),
        (|_| status(200, "[{\"id\":1,\"result\":"), ": broken JSON"),
        (|_| status(200, ""), "cannot be trusted: not JSON"),
        (|_| cut_off(), ": "),
        (|request| error_for_all(request, -32000, "API key 0123456789secret disabled"), "API key … disabled"),
    ];
    for (answer, expected) in failures {
        let bad = bad_at_logs(Chain::busy(), answer).await;
        let good = Node::good(Chain::busy()).await;
        let source = source(&[&bad, &good]);
        let read = page(&source, 1, 8).await.unwrap();
        assert_eq!(places(&read).len(), 8, "{expected}");
        page(&source, 9, 16).await.unwrap();
        assert_eq!(bad.ranges().len(), 1, "{expected}: the good one keeps the turn");

        let alone = super::source(&[&bad]);
        let error = page(&alone, 1, 8).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(error.to_string().starts_with(&bad.name()), "{error}");
        assert!(!error.to_string().contains(KEY), "{error}");
        assert_eq!(error.class(), FailureClass::Retry);
    }
}

fn error_for_all(request: &Value, code: i64, message: &str) -> Response {
    let chain = Chain::busy();
    answer_with(&chain, request, |_| Some(error(code, message)))
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_or_never_answers() {
    let gone = Node::good(Chain::busy()).await.url();
    let good = Node::good(Chain::busy()).await;
    let source = source_with(&[&good], |config| config.urls.insert(0, gone));
    assert_eq!(places(&page(&source, 1, 8).await.unwrap()).len(), 8);

    // Accepts connections, and that is all it does.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{KEY}", silent.local_addr().unwrap());
    let source = source_with(&[], |config| {
        config.urls = vec![url];
        config.timeout = Duration::from_millis(50);
    });
    let error = source.head().await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
    assert!(!error.to_string().contains(KEY), "{error}");
}

#[tokio::test]
async fn a_node_without_the_last_block_lags_whatever_it_answers() {
    let behind = Node::good(Chain { tip: 5, finalized: 5, logs: vec![], ..Chain::busy() }).await;
    let good = Node::good(Chain::busy()).await;
    let read = page(&source(&[&behind, &good]), 1, 8).await.unwrap();
    assert_eq!(places(&read).len(), 8);
    let error = page(&source(&[&behind]), 1, 8).await.unwrap_err();
    assert_eq!(error, SourceError::Lagging { endpoint: behind.name(), block: 8 });
}

#[tokio::test]
async fn the_header_is_asked_for_before_the_logs() {
    let node = Node::good(Chain::busy()).await;
    page(&source(&[&node]), 1, 8).await.unwrap();
    let batch = calls(&node.asked()[1]);
    let methods: Vec<_> = batch.iter().map(|call| call["method"].as_str().unwrap()).collect();
    assert_eq!(methods.len(), 9, "the headers of all eight blocks, since most hold logs");
    assert_eq!((methods[0], methods[8]), ("eth_getBlockByNumber", "eth_getLogs"));
    assert_eq!(batch[0]["params"][0], "0x8", "the last one first");
}

#[tokio::test]
async fn an_answer_that_cannot_be_true_is_refused_as_a_whole() {
    let forked = json!({"number": "0x8", "hash": block_hash(1), "timestamp": "0x6553f110"});
    let early = json!({"number": "0x8", "hash": block_hash(8), "timestamp": "0x1"});
    let late = json!({"number": "0x8", "hash": block_hash(8), "timestamp": "0x1ffffffff"});
    let other = json!({"number": "0x7", "hash": block_hash(7), "timestamp": "0x1"});
    let mut removed = log(3, 0);
    removed["removed"] = json!(true);
    let lies = [
        ("eth_getBlockByNumber", forked, "two hashes of block 8"),
        ("eth_getBlockByNumber", other, "the header of block 7 for block 8"),
        ("eth_getBlockByNumber", early, "block 8 is of a time before Polygon, 1"),
        ("eth_getBlockByNumber", late, "block 8 is of the future, time 8589934591"),
        ("eth_getBlockByNumber", json!(7), "a block header that cannot be read"),
        ("eth_getLogs", json!([log(3, 0), removed]), "a removed log in final block 3"),
        ("eth_getLogs", json!([log(9, 0)]), "a log of block 9, asked for 1 to 8"),
        ("eth_getLogs", json!({}), "logs that are no list"),
    ];
    for (method, result, expected) in lies {
        let liar = lying(Chain::busy(), method, result).await;
        let good = Node::good(Chain::busy()).await;
        let error = page(&source(&[&liar]), 1, 8).await.unwrap_err();
        assert!(matches!(error, SourceError::Untrusted { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(places(&page(&source(&[&liar, &good]), 1, 8).await.unwrap()).len(), 8, "{expected}");
    }
}

#[tokio::test]
async fn an_empty_answer_needs_a_second_opinion() {
    let empty = || Chain { logs: vec![], ..Chain::busy() };
    // One that has the headers and no logs, and one that has both.
    let (liar, good) = (Node::good(empty()).await, Node::good(Chain::busy()).await);
    let trusting = source(&[&liar, &good]);
    assert_eq!(places(&page(&trusting, 1, 8).await.unwrap()).len(), 8, "the second one knows better");
    page(&trusting, 9, 16).await.unwrap();
    assert_eq!(liar.ranges().len(), 1, "and keeps the turn");

    let (first, second) = (Node::good(empty()).await, Node::good(empty()).await);
    let read = page(&source(&[&first, &second]), 1, 8).await.unwrap();
    assert!(read.events.is_empty());
    assert_eq!(read.next, ChainPosition::start_of(9));
    assert_eq!((first.ranges().len(), second.ranges().len()), (1, 1));

    let alone = page(&source(&[&first]), 1, 8).await.unwrap();
    assert!(alone.events.is_empty(), "one endpoint alone is believed");

    let broken = bad_at_logs(empty(), |_| status(500, "broken")).await;
    let error = page(&source(&[&first, &broken]), 1, 8).await.unwrap_err();
    assert_eq!(error, SourceError::Refused { endpoint: broken.name(), cause: "HTTP 500: broken".into() });

    let before = first.ranges().len();
    let impatient = source_with(&[&first, &broken], |config| config.patience = Duration::ZERO);
    let read = page(&impatient, 1, 8).await.unwrap();
    assert!(read.events.is_empty(), "where the other has been silent for too long, what it says twice counts");
    assert_eq!(first.ranges().len(), before + 2);
}

#[tokio::test]
async fn an_answer_counts_up_to_its_last_log() {
    // Behind a balancer the header may be of a node that is up to date, and the logs of one that is not.
    let busy = Chain::busy();
    let until_5 = busy.logs.iter().filter(|log| log["blockNumber"].as_str() <= Some("0x5")).cloned().collect();
    let behind = Node::good(Chain { logs: until_5, ..busy.clone() }).await;
    let read = page(&source(&[&behind]), 1, 8).await.unwrap();
    assert_eq!(places(&read).len(), 4);
    assert_eq!(read.next, ChainPosition::start_of(5), "block 5, where it may have been cut, and those behind it");
}

#[tokio::test]
async fn what_one_node_garbles_another_may_have_whole() {
    let mut garbled = Chain::busy();
    garbled.logs[2]["data"] = json!("0xgg");
    let (bad, good) = (Node::good(garbled.clone()).await, Node::good(Chain::busy()).await);
    let read = page(&source(&[&bad, &good]), 1, 8).await.unwrap();
    assert_eq!(places(&read).len(), 8);
    let busy = bad_at_logs(Chain::busy(), |_| status(429, "later")).await;
    assert!(page(&source(&[&bad, &busy]), 1, 8).await.is_err(), "the other may yet speak");
    let read = page(&source(&[&bad]), 1, 8).await.unwrap();
    assert_eq!((places(&read).len(), read.events.len()), (7, 8), "alone it is believed, when it says so twice");
    let worse = Node::good(garbled).await;
    let read = page(&source(&[&bad, &worse]), 1, 8).await.unwrap();
    assert_eq!(places(&read).len(), 7, "where all garble it, it is a dead letter and the rest lands");
    assert_eq!(read.events.len(), 8);
}

#[tokio::test]
async fn an_answer_full_of_logs_without_a_place_is_refused() {
    let mut chain = Chain::busy();
    chain.logs = (0..101).map(|index| without(&log(3, index), "logIndex")).collect();
    let node = Node::good(chain).await;
    let error = page(&source(&[&node]), 1, 8).await.unwrap_err();
    assert!(error.to_string().contains("101 logs that do not say where they are"), "{error}");
}

#[tokio::test]
async fn a_second_opinion_covers_no_more_than_it_was_asked_for() {
    let empty = Chain { logs: vec![], ..Chain::busy() };
    let first = Node::good(empty.clone()).await;
    let second = bad_at_logs(empty.clone(), move |request| {
        let (from, to) = range(request).unwrap();
        let replace = |call: &Value| {
            (call["method"] == "eth_getLogs" && to - from >= 5)
                .then(|| error(-32000, "eth_getLogs is limited to a 5 range"))
        };
        answer_with(&empty, request, replace)
    })
    .await;
    let read = page(&source(&[&first, &second]), 1, 90).await.unwrap();
    assert_eq!(read.next, ChainPosition::start_of(6), "the five blocks that both have seen");
}

#[tokio::test]
async fn block_times_come_from_headers_where_logs_have_none() {
    let chain = Chain { log_times: false, ..Chain::with_fills(&[(3, 0), (3, 1), (5, 0), (8, 0)]) };
    let node = Node::good(chain.clone()).await;
    let read = page(&source(&[&node]), 1, 8).await.unwrap();
    let full = Node::good(Chain { log_times: true, ..chain.clone() }).await;
    assert_eq!(read, page(&source(&[&full]), 1, 8).await.unwrap());
    assert_eq!(node.calls("eth_getBlockByNumber"), 8);
    assert_eq!(full.calls("eth_getBlockByNumber"), 8, "what logs say of their time counts for nothing");

    let wrong = json!({"number": "0x3", "hash": block_hash(4), "timestamp": "0x6553f106"});
    for (answer, expected) in [(wrong, "two hashes of block 3"), (json!(null), "lags: it does not have block 3")] {
        let liar = Node::scripted(chain.clone(), {
            let chain = chain.clone();
            move |request| {
                let replace = |call: &Value| (call["params"][0] == "0x3").then(|| json!({"result": answer}));
                Some(answer_with(&chain, request, replace))
            }
        })
        .await;
        let error = page(&source(&[&liar]), 1, 8).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_log_without_a_hash_is_a_dead_letter_and_the_rest_are_fills() {
    let mut chain = Chain::with_fills(&[(3, 0), (5, 0)]);
    chain.logs.push(without(&log(4, 0), "blockHash"));
    let node = Node::good(chain).await;
    let read = page(&source(&[&node]), 1, 8).await.unwrap();
    assert_eq!(places(&read), [(3, 0)]);
    assert_eq!(read.next, ChainPosition::start_of(5));
    assert_eq!(read.events[1].fill.as_ref().unwrap_err().reason, "blockHash is missing");
}

#[tokio::test]
async fn answers_of_a_batch_come_in_any_order_but_each_comes_once() {
    let reversed = bad_at_logs(Chain::busy(), |request| {
        let answers: Value = calls(request).iter().rev().map(|call| Chain::busy().one(call)).collect();
        answers.to_string().into_response()
    })
    .await;
    assert_eq!(places(&page(&source(&[&reversed]), 1, 8).await.unwrap()).len(), 8);

    let incomplete = bad_at_logs(Chain::busy(), |request| {
        let answers: Value = calls(request).iter().take(1).map(|call| Chain::busy().one(call)).collect();
        answers.to_string().into_response()
    })
    .await;
    let error = page(&source(&[&incomplete]), 1, 8).await.unwrap_err();
    assert!(error.to_string().contains("1 answers to 9 requests"), "{error}");
}
