//! Answers that are none: never a page, and each of its class.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use futures::stream;
use serde_json::{Value, json};

use super::server::{Server, row, text};
use super::{TOKEN, at, read_all, source};
use crate::failure::FailureClass;
use crate::source::{FillSource, SourceError};

/// As it was recorded.
const RECORDED: &str = include_str!("../../../../tests/vectors/goldsky_error.json");

const ALLOWANCE: &str =
    "Sorry, you've surpassed your query allowance. Please try again - limits reset every 10 seconds.";

/// What is made of one answer to a page, and to the question for the frontier.
async fn error_of(status: u16, body: &str) -> SourceError {
    let (status, body) = (StatusCode::from_u16(status).unwrap(), body.to_owned());
    let server = Server::scripted(vec![row(10, 1)], move |_, _| Some(text(status, &body))).await;
    let goldsky = source(&server);
    let page = goldsky.page(&at(&goldsky, 0, ""), &at(&goldsky, 20, "")).await.unwrap_err();
    let frontier = goldsky.frontier().await.unwrap_err();
    assert_eq!(std::mem::discriminant(&page), std::mem::discriminant(&frontier), "{page} and {frontier}");
    assert_eq!(page.class(), FailureClass::Retry);
    let words = page.to_string();
    assert!(words.starts_with(&server.name()) && !words.contains(TOKEN) && !words.contains("secret"), "{words}");
    page
}

/// Whether an error is of a kind, and says something.
macro_rules! fails {
    ($status:expr, $body:expr, $kind:ident, $words:expr) => {
        let error = error_of($status, $body).await;
        assert!(matches!(error, SourceError::$kind { .. }) && error.to_string().contains($words), "{error:?}");
    };
}

/// The predecessor took `data` without a look at `errors`, and an absent one for an empty page.
#[tokio::test]
async fn errors_are_never_an_empty_page() {
    fails!(200, RECORDED, Refused, "Unexpected `unexpected character");
    for data in [json!(null), json!({ "orderFilledEvents": [] }), json!({ "orderFilledEvents": [row(10, 1)] })] {
        let both = json!({ "data": data, "errors": [{ "message": "Store error: database unavailable" }] });
        fails!(200, &both.to_string(), Refused, "Store error: database unavailable");
    }
    fails!(200, r#"{"errors":"down"}"#, Refused, "down");
    fails!(200, r#"{"errors":[{}],"data":{"orderFilledEvents":[]}}"#, Refused, "[{}]");
    fails!(200, r#"{"errors":[{"message":"indexing_error"}]}"#, Refused, "has indexing errors");
    for nothing in
        ["{}", r#"{"data":null}"#, r#"{"data":{}}"#, r#"{"data":[]}"#, "[]", "null", "5", r#"{"data":{"x":1}}"#]
    {
        fails!(200, nothing, Untrusted, "cannot be trusted");
    }
    // No errors are none.
    let fine = json!({ "data": { "orderFilledEvents": [] }, "errors": [] }).to_string();
    let server = Server::scripted(vec![], move |_, _| Some(text(StatusCode::OK, &fine))).await;
    let goldsky = source(&server);
    assert_eq!(goldsky.page(&at(&goldsky, 0, ""), &at(&goldsky, 9, "")).await.unwrap().events, []);
}

#[tokio::test]
async fn each_way_to_fail_is_what_it_is() {
    fails!(200, r#"{"errors":[{"message":"Query timed out"}]}"#, Failed, "Query timed out");
    fails!(524, "error code: 524", Failed, "HTTP 524");
    fails!(500, "oh", Failed, "HTTP 500");
    fails!(503, "oh", Refused, "HTTP 503");
    fails!(401, &format!("bad token {TOKEN}"), Refused, "HTTP 401: bad token …");
    fails!(404, "subgraph not found", Refused, "HTTP 404: subgraph not found");
    fails!(413, "too large", Failed, "HTTP 413");
    fails!(302, "elsewhere", Refused, "a redirect is not followed");
    fails!(200, "<!DOCTYPE html><title>Just a moment...</title>", Untrusted, "no JSON: <!DOCTYPE html>");
    fails!(200, r#"{"data":{"orderFilledEvents":[{"id""#, Broken, "breaks off");
    let schema = r#"{"errors":[{"message":"Type `Query` has no field `orderFilledEvents`"}]}"#;
    fails!(200, schema, Refused, "has no field");
}

#[tokio::test]
async fn a_used_up_allowance_says_how_long_to_wait() {
    for (status, body) in [
        (429, ALLOWANCE.to_owned()),
        (200, ALLOWANCE.to_owned()),
        (403, ALLOWANCE.to_owned()),
        (400, ALLOWANCE.to_owned()),
        (200, json!({ "errors": [{ "message": ALLOWANCE }] }).to_string()),
    ] {
        let error = error_of(status, &body).await;
        assert!(matches!(error, SourceError::RateLimited { .. }), "{status}: {error:?}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(10)), "{status}: {error}");
    }
    assert!(matches!(error_of(429, "").await, SourceError::RateLimited { retry_after: None, .. }));
}

#[tokio::test]
async fn a_body_that_is_cut_is_no_page() {
    let server = Server::scripted(vec![], |_, _| {
        let begin = Ok(Bytes::from_static(b"{\"data\":{\"orderFilledEvents\":[]"));
        let parts = stream::iter([begin, Err(std::io::Error::other("cut"))]);
        Some(Response::new(Body::from_stream(parts)))
    })
    .await;
    let goldsky = source(&server);
    let error = goldsky.page(&at(&goldsky, 0, ""), &at(&goldsky, 9, "")).await.unwrap_err();
    assert!(matches!(error, SourceError::Broken { .. }), "{error}");
}

/// Only so many rows are answered in time.
async fn slow(most: u64, slow: impl Fn() -> Response + Send + Sync + 'static) -> Server {
    let rows: Vec<Value> = (0..600).map(|number| row(10 + number / 50, number)).collect();
    let is_slow = move |request: &Value| request["variables"]["first"].as_u64().is_some_and(|first| first > most);
    Server::scripted(rows, move |request, _| is_slow(request).then(&slow)).await
}

#[tokio::test]
async fn a_page_that_is_too_slow_is_halved_and_remembered() {
    let timed_out = || text(StatusCode::OK, r#"{"errors":[{"message":"Query timed out"}]}"#);
    let server = slow(200, timed_out).await;
    let goldsky = source(&server);
    let (events, _) = read_all(&goldsky, at(&goldsky, 0, ""), &at(&goldsky, 99, "")).await.unwrap();
    assert_eq!(events.len(), 600);
    assert_eq!(server.firsts(), [1_000, 500, 250, 125, 125, 125, 125, 125, 125]);

    // One that is too slow for everything says so soon.
    let server = slow(0, || text(StatusCode::from_u16(524).unwrap(), "error code: 524")).await;
    let goldsky = source(&server);
    let error = goldsky.page(&at(&goldsky, 0, ""), &at(&goldsky, 99, "")).await.unwrap_err();
    assert!(error.to_string().contains("HTTP 524"), "{error}");
    assert_eq!(server.firsts(), [1_000, 500, 250, 125, 62]);
}

#[tokio::test]
async fn what_is_no_matter_of_size_is_not_halved() {
    let down = || text(StatusCode::OK, r#"{"errors":[{"message":"Store error: database unavailable"}]}"#);
    let server = slow(0, down).await;
    let goldsky = source(&server);
    for _ in 0..2 {
        goldsky.page(&at(&goldsky, 0, ""), &at(&goldsky, 99, "")).await.unwrap_err();
    }
    assert_eq!(server.firsts(), [1_000, 1_000]);
}
