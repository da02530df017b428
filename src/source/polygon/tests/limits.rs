//! Limits on the rate and on batches.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::node::{answer_with, error, range, status};
use super::{Chain, Node, page, places, source, source_with};
use crate::source::{ChainProvider, SourceError};

fn busy(code: u16, retry_after: &'static str) -> Response {
    let mut response = status(code, "busy");
    response.headers_mut().insert(RETRY_AFTER, retry_after.parse().unwrap());
    response
}

async fn always(answer: impl Fn(&Value) -> Response + Send + Sync + 'static) -> Node {
    Node::scripted(Chain::busy(), move |request| range(request).map(|_| answer(request))).await
}

#[tokio::test]
async fn an_endpoint_that_limits_the_rate_is_left_alone() {
    for code in [429, 503] {
        let node = always(move |_| busy(code, "40")).await;
        let source = source(&[&node]);
        for _ in 0..3 {
            let error = page(&source, 1, 98).await.unwrap_err();
            assert!(matches!(error, SourceError::RateLimited { .. }), "{error}");
            assert!(error.to_string().contains(&format!("HTTP {code}: busy")), "its own words: {error}");
            let pause = error.retry_after().unwrap();
            assert!(pause <= Duration::from_secs(40) && pause > Duration::from_secs(20), "{pause:?}");
        }
        assert_eq!(node.ranges(), [(1, 16)], "asked once, and not for less");
    }
}

#[tokio::test]
async fn the_longest_pause_is_a_minute() {
    for header in ["86400", "Fri, 31 Dec 2100 23:59:59 GMT"] {
        let node = always(move |_| busy(429, header)).await;
        let pause = page(&source(&[&node]), 1, 98).await.unwrap_err().retry_after().unwrap();
        assert!(pause <= Duration::from_secs(60) && pause > Duration::from_secs(40), "{pause:?}");
    }
}

#[tokio::test]
async fn the_earliest_endpoint_says_when_to_come_back() {
    let (late, early) = (always(|_| busy(429, "50")).await, always(|_| busy(429, "30")).await);
    let error = page(&source(&[&late, &early]), 1, 98).await.unwrap_err();
    assert!(matches!(&error, SourceError::RateLimited { endpoint, .. } if *endpoint == early.name()), "{error}");
    assert!(error.retry_after().unwrap() <= Duration::from_secs(30));
}

#[tokio::test]
async fn pauses_double_where_none_is_named_and_success_forgives() {
    let node = always(|request| {
        answer_with(&Chain::busy(), request, |_| {
            Some(error(-32005, "daily request count exceeded, request rate limited"))
        })
    })
    .await;
    let source = source_with(&[&node], |config| config.cool_down = Duration::from_secs(1));
    let endpoint = &source.endpoints[0];
    let now = std::time::Instant::now();
    let pauses: Vec<_> = (0..8).map(|_| endpoint.cool_down("busy", None, now).as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert!(endpoint.cools_for(now + Duration::from_secs(59)).is_some());
    assert!(endpoint.cools_for(now + Duration::from_secs(60)).is_none());

    endpoint.cool_down("busy", Some(Duration::ZERO), now);
    assert_eq!(source.head().await.unwrap().block, 98, "a pause of nothing is none");
    let error = page(&source, 1, 98).await.unwrap_err();
    assert!(error.retry_after().unwrap() <= Duration::from_secs(1), "begins anew: {error}");
}

#[tokio::test]
async fn batches_shrink_to_what_the_endpoint_allows() {
    let chain = Chain { log_times: false, ..Chain::busy() };
    let complaint = || error(31, "Batch of more than 3 requests are not allowed on free tier");
    let answers: [fn(Value) -> Response; 3] = [
        |complaint| complaint.to_string().into_response(),
        |complaint| json!([complaint]).to_string().into_response(),
        |complaint| {
            let mut response = complaint.to_string().into_response();
            *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
            response
        },
    ];
    for answer in answers {
        let node = Node::scripted(chain.clone(), move |request| {
            (request.as_array().is_some_and(|batch| batch.len() > 3)).then(|| answer(complaint()))
        })
        .await;
        let source = source(&[&node]);
        assert_eq!(places(&page(&source, 1, 16).await.unwrap()).len(), 16);
        let sizes = |node: &Node| -> Vec<usize> {
            node.asked().iter().map(|request| request.as_array().map_or(1, Vec::len)).collect()
        };
        // The chain's id; 16 headers and the logs, refused at once and taken in threes.
        assert_eq!(sizes(&node), [1, 17, 3, 3, 3, 3, 3, 2]);
        page(&source, 17, 32).await.unwrap();
        assert_eq!(
            sizes(&node)[8..],
            [2, 3, 3, 3, 3, 3],
            "remembered: the logs come with the last header, the others behind"
        );
    }
}

#[tokio::test]
async fn an_endpoint_without_batches_is_asked_one_by_one() {
    let refusals: [fn() -> Response; 3] = [
        || error(-32600, "Invalid Request").to_string().into_response(),
        || status(400, "expected an object"),
        || error(-32600, "batch requests are not supported").to_string().into_response(),
    ];
    for refusal in refusals {
        let chain = Chain { log_times: false, ..Chain::busy() };
        let node = Node::scripted(chain, move |request| request.is_array().then(refusal)).await;
        let source = source(&[&node]);
        assert_eq!(places(&page(&source, 1, 8).await.unwrap()).len(), 8);
        assert_eq!(places(&page(&source, 9, 16).await.unwrap()).len(), 8);
        assert_eq!(node.asked().iter().filter(|request| request.is_array()).count(), 3, "9, 4, 2, and never again");
    }
}
