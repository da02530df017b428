//! Ranges that are too large.

use serde_json::Value;

use super::node::{answer_with, error, range, status};
use super::{Chain, Node, page, places, source, source_with};
use crate::model::ChainPosition;
use crate::source::SourceError;

/// A node that refuses, with `complaint`, a range of more than `most` blocks.
async fn limited(most: u64, complaint: impl Fn(u64, u64) -> String + Send + Sync + 'static) -> Node {
    Node::scripted(Chain::busy(), move |request| {
        let (from, to) = range(request)?;
        let replace = |call: &Value| {
            let refused = call["method"] == "eth_getLogs" && to - from + 1 > most;
            refused.then(|| error(-32005, &complaint(from, to)))
        };
        Some(answer_with(&Chain::busy(), request, replace))
    })
    .await
}

#[tokio::test]
async fn a_range_is_halved_until_it_fits() {
    let node = limited(3, |_, _| "query returned more than 10000 results".to_owned()).await;
    let read = page(&source(&[&node]), 1, 98).await.unwrap();
    assert_eq!(node.ranges(), [(1, 16), (1, 8), (1, 4), (1, 2)]);
    assert_eq!(places(&read), [(1, 0), (2, 0)]);
    assert_eq!(read.next, ChainPosition::start_of(3));
}

#[tokio::test]
async fn a_suggested_range_is_taken() {
    let node = limited(3, |from, _| format!("Try with this block range [{from:#x}, {:#x}].", from + 2)).await;
    let read = page(&source(&[&node]), 1, 98).await.unwrap();
    assert_eq!(node.ranges(), [(1, 16), (1, 3)]);
    assert_eq!(places(&read).len(), 3);
}

#[tokio::test]
async fn a_suggestion_of_no_use_halves() {
    let node = limited(8, |from, to| format!("this block range should work: [{from:#x}, {to:#x}]")).await;
    page(&source(&[&node]), 1, 98).await.unwrap();
    assert_eq!(node.ranges(), [(1, 16), (1, 8)]);
}

#[tokio::test]
async fn a_named_limit_is_remembered_for_its_endpoint() {
    let node = limited(5, |_, _| "eth_getLogs is limited to a 5 range".to_owned()).await;
    let source = source(&[&node]);
    let mut next = 1;
    while next <= 20 {
        next = page(&source, next, 98).await.unwrap().next.block;
    }
    assert_eq!(node.ranges(), [(1, 16), (1, 5), (6, 10), (11, 15), (16, 20)], "hit once");
}

#[tokio::test]
async fn one_endpoints_limit_does_not_bind_another() {
    let small = limited(2, |_, _| "maximum block range: 2".to_owned()).await;
    let large = Node::good(Chain::busy()).await;
    let source = source(&[&small, &large]);
    assert_eq!(page(&source, 1, 98).await.unwrap().next, ChainPosition::start_of(3));
    source.shared.lock().next = 1;
    assert_eq!(page(&source, 3, 98).await.unwrap().next, ChainPosition::start_of(35));
}

#[tokio::test]
async fn http_413_is_a_range_too_large() {
    let node = Node::scripted(Chain::busy(), |request| {
        let (from, to) = range(request)?;
        (to - from >= 4).then(|| status(413, "Payload Too Large"))
    })
    .await;
    page(&source(&[&node]), 1, 98).await.unwrap();
    assert_eq!(node.ranges(), [(1, 16), (1, 8), (1, 4)]);
}

#[tokio::test]
async fn so_is_an_answer_that_is_too_long_to_be_read() {
    let node = Node::good(Chain::busy()).await;
    let source = source_with(&[&node], |config| config.max_body = 7_000);
    let read = page(&source, 1, 98).await.unwrap();
    assert_eq!(node.ranges(), [(1, 16), (1, 8), (1, 4)], "a log and its header have about 1,500 bytes");
    assert_eq!(places(&read).len(), 4);
}

#[tokio::test]
async fn one_block_that_is_too_large_goes_to_the_next_endpoint() {
    let node = limited(0, |_, _| "too many results".to_owned()).await;
    let error = page(&source(&[&node]), 1, 98).await.unwrap_err();
    assert_eq!(error, SourceError::Refused { endpoint: node.name(), cause: "too many results".into() });
    assert_eq!(node.ranges().last(), Some(&(1, 1)));
    let good = Node::good(Chain::busy()).await;
    assert_eq!(places(&page(&source(&[&node, &good]), 1, 98).await.unwrap()), [(1, 0)]);
}

#[tokio::test]
async fn ranges_grow_with_success_up_to_the_rows_wanted() {
    let node = Node::good(Chain::busy()).await;
    let source = source_with(&[&node], |config| config.target_rows = 20);
    let mut next = 1;
    while next <= 76 {
        next = page(&source, next, 98).await.unwrap().next.block;
    }
    assert_eq!(node.ranges(), [(1, 16), (17, 36), (37, 56), (57, 76)]);
}
