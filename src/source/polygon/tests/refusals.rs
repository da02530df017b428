//! Refusals that nobody understands.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::response::Response;
use serde_json::Value;

use super::node::{answer_with, cut_off, error, range, status};
use super::{Chain, Node, page, source};
use crate::source::polygon::Polygon;

/// A node that refuses a range of more than `most` blocks.
async fn refusing(most: u64, refusal: impl Fn(&Value) -> Response + Send + Sync + 'static) -> Node {
    Node::scripted(Chain::busy(), move |request| {
        let (from, to) = range(request)?;
        (to - from + 1 > most).then(|| refusal(request))
    })
    .await
}

fn words(code: i64, message: &'static str) -> impl Fn(&Value) -> Response {
    move |request| {
        let replace = |call: &Value| (call["method"] == "eth_getLogs").then(|| error(code, message));
        answer_with(&Chain::busy(), request, replace)
    }
}

/// Asks for pages until one comes.
async fn attempts(source: &Polygon, from: u64) -> u64 {
    for _ in 0..10 {
        if let Ok(page) = page(source, from, 90).await {
            return page.next.block;
        }
    }
    panic!("no page in ten attempts");
}

#[tokio::test]
async fn whatever_it_says_the_next_range_is_smaller() {
    type Refusal = Box<dyn Fn(&Value) -> Response + Send + Sync>;
    let refusals: Vec<(&str, Refusal)> = vec![
        ("unknown words", Box::new(words(-32_000, "the query is too heavy for this tier"))),
        ("-32602", Box::new(words(-32_602, "invalid params"))),
        ("-32603", Box::new(words(-32_603, "Internal error"))),
        ("a limit that it does not keep", Box::new(words(35, "ranges over 10000 blocks are not supported"))),
        ("500", Box::new(|_| status(500, "Internal Server Error"))),
        ("502", Box::new(|_| status(502, "<html>Bad Gateway</html>"))),
        ("403", Box::new(|_| status(403, "Archive requests are not available on your plan"))),
        ("504", Box::new(|_| status(504, "Gateway Timeout"))),
        ("a body that breaks off", Box::new(|_| cut_off())),
        ("JSON that breaks off", Box::new(|_| status(200, "[{\"id\":1,\"result\":[{"))),
    ];
    for (what, refusal) in refusals {
        let node = refusing(4, refusal).await;
        let source = source(&[&node]);
        assert_eq!(attempts(&source, 1).await, 5, "{what}");
        let ranges = node.ranges();
        assert_eq!(ranges.last(), Some(&(1, 4)), "{what}");
        assert!(ranges.contains(&(1, 16)) && ranges.contains(&(1, 8)), "{what}: {ranges:?}");
        page(&source, 5, 90).await.unwrap();
        page(&source, 9, 90).await.unwrap();
        assert_eq!(node.ranges()[ranges.len()..], [(5, 8), (9, 12)], "{what}: remembered");
    }
}

#[tokio::test]
async fn a_refusal_that_was_not_about_the_range_leaves_nothing_behind() {
    let down = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&down);
    let node = Node::scripted(Chain::busy(), move |request| {
        (range(request).is_some() && state.load(Ordering::SeqCst)).then(|| status(500, "down"))
    })
    .await;
    let source = source(&[&node]);
    for _ in 0..5 {
        assert!(page(&source, 1, 90).await.is_err());
    }
    assert_eq!(node.ranges().last(), Some(&(1, 1)));
    down.store(false, Ordering::SeqCst);
    page(&source, 1, 90).await.unwrap();
    assert_eq!(node.ranges().last(), Some(&(1, 16)), "one block failed as well: it was no matter of size");
}

#[tokio::test]
async fn what_is_plain_shrinks_nothing() {
    for refusal in [status(401, "who are you?"), status(429, "slow down")].map(|response| response.status().as_u16()) {
        let node = refusing(4, move |_| status(refusal, "no")).await;
        let source = source(&[&node]);
        for _ in 0..3 {
            assert!(page(&source, 1, 90).await.is_err());
        }
        assert_eq!(node.ranges(), [(1, 16)], "{refusal}");
    }
    let node = refusing(4, words(-32_601, "the method eth_getLogs does not exist")).await;
    let source = source(&[&node]);
    for _ in 0..3 {
        assert!(page(&source, 1, 90).await.is_err());
    }
    assert_eq!(node.ranges(), [(1, 16); 3]);
}
