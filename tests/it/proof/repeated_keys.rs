//! A node that repeats what it was asked by, in every place that it can fill.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::handler::Handler;
use axum::http::{HeaderMap, StatusCode, Uri};
use polytape::logs::files_in;
use serde_json::{Value, json};

use crate::support::node::Node;
use crate::support::process::{Ended, Workplace};

/// In the path, in the query, in front of the host, and those two as a header has them.
const KEYS: [&str; 5] = ["kjhgfdsa87654321", "qwertzui12345678", "userKEY0", "passKEY12", "dXNlcktFWTA6cGFzc0tFWTEy"];

const ARGUMENTS: [&str; 4] = ["--no-tui", "--until-caught-up", "--timeout", "4s"];

fn place(url: &str) -> Workplace {
    let [path, query, user, password, _] = KEYS;
    let host = url.strip_prefix("http://").unwrap();
    let url = format!("http://{user}:{password}@{host}/v2/{path}?apikey={query}");
    Workplace::new(&format!(
        r#"
        pipeline.start = "90000000"
        sources.polygon = {{ urls = ["{url}"], timeout = "2s" }}
        sources.gamma = {{ url = "{url}", timeout = "2s", max_rate = 10000 }}
        sources.data_api = {{ url = "{url}", timeout = "2s", max_rate = 10000 }}
        storage.min_free = "0B"
        log.level = "trace"
        "#
    ))
}

/// No eight characters of a key are in anything that was written.
#[track_caller]
fn assert_silent(place: &Workplace, ended: &Ended) {
    let logs = files_in(&place.data_dir().join("logs")).unwrap();
    let logs: String = logs.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let store = place.store().unwrap();
    let reasons = "SELECT group_concat(reason, char(10)) FROM dead_letters";
    let reasons: Option<String> = store.query_row(reasons, [], |row| row.get(0)).unwrap();
    let written = [("stderr", &ended.stderr), ("stdout", &ended.stdout), ("the log", &logs)];
    for (name, text) in written.into_iter().chain([("a dead letter", &reasons.unwrap_or_default())]) {
        for key in KEYS {
            for part in (0..=key.len() - 8).map(|at| &key[at..at + 8]) {
                let found = text.lines().find(|line| line.contains(part));
                assert!(found.is_none(), "{part}, of the key {key}, is in {name}: {}", found.unwrap());
            }
        }
    }
}

/// A node that answers so.
async fn serving<T: 'static>(answer: impl Handler<T, ()>) -> Node {
    Node::serve(Router::new().fallback(answer)).await
}

/// What it was asked by, as a debugging proxy shows it.
fn request(uri: &Uri, headers: &HeaderMap) -> String {
    let [path, query, user, password, _] = KEYS;
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    format!("{path} {query} {user} {password} http://{user}:{password}@here{uri} {authorization}")
}

/// Each request of a body with its answer.
fn answered(body: &Bytes, answer: impl Fn(&Value) -> Value) -> String {
    match serde_json::from_slice(body) {
        Ok(Value::Array(calls)) => Value::Array(calls.iter().map(answer).collect()).to_string(),
        Ok(call) => answer(&call).to_string(),
        Err(_) => "[]".into(),
    }
}

/// Row 19: text that a node puts into `result` is quoted without keys, whatever was asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_repeats_the_request_shows_no_key() {
    let turn = Arc::new(AtomicUsize::new(0));
    let node = serving(move |uri: Uri, headers: HeaderMap, body: Bytes| {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        let request = request(&uri, &headers);
        async move {
            let result = |call: &Value| match (call["method"].as_str(), turn % 4) {
                (Some("eth_chainId"), _) => json!("0x89"),
                (Some("eth_getBlockByNumber"), 0) => json!(request),
                (Some("eth_getBlockByNumber"), 1) => {
                    json!({ "number": request, "hash": request, "timestamp": [request] })
                }
                (Some("eth_getBlockByNumber"), _) => {
                    let number = call["params"][0].as_str().filter(|number| number.starts_with("0x"));
                    let number = number.unwrap_or("0x55d4a90");
                    json!({ "number": number, "hash": format!("0x{:064x}", 7), "timestamp": "0x6927a000" })
                }
                (_, 2) => json!(request),
                _ => json!([request, { "data": request, "topics": request }]),
            };
            (
                StatusCode::OK,
                answered(&body, |call| json!({ "jsonrpc": "2.0", "id": call["id"], "result": result(call) })),
            )
        }
    })
    .await;
    let place = place(&node.url());
    let ended = tokio::task::block_in_place(|| place.run(&ARGUMENTS, Duration::from_secs(60)));
    ended.failed_with(1, &["not caught up"]);
    assert!(ended.stderr.contains("a block header that cannot be read: invalid type: string"), "{}", ended.stderr);
    assert_silent(&place, &ended);
}

/// Row 19: text is redacted before it is cut: a page in which the key stands where the excerpt ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_where_an_excerpt_ends_is_not_shown_in_part() {
    let turn = Arc::new(AtomicUsize::new(0));
    let node = serving(move |uri: Uri, headers: HeaderMap| {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        // So that eight and more characters of it stand before the end, around all that there are.
        let before = ".".repeat([60, 120, 200][turn % 3] - 1 - 8 - (turn / 3) % 8);
        let request = KEYS[turn % 2].to_owned() + &request(&uri, &headers);
        async move { (StatusCode::OK, format!("<{before}{request}")) }
    })
    .await;
    let place = place(&node.url());
    let ended = tokio::task::block_in_place(|| place.run(&ARGUMENTS, Duration::from_secs(60)));
    ended.failed_with(1, &["not caught up"]);
    assert!(ended.stderr.contains("not JSON"), "{}", ended.stderr);
    assert_silent(&place, &ended);
}

/// Row 19: a line of the log commands no terminal and turns no direction, whatever a node says.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_line_has_no_raw_control_or_bidi_characters() {
    let words = "no \u{202e}evil\u{2066} \u{9b}31m\u{7f}\u{200f}\u{2028} here";
    let node = serving(move |body: Bytes| async move {
        let error = json!({ "code": -1, "message": words });
        (StatusCode::OK, answered(&body, |call| json!({ "jsonrpc": "2.0", "id": call["id"], "error": error })))
    })
    .await;
    let place = place(&node.url());
    let ended = tokio::task::block_in_place(|| place.run(&ARGUMENTS, Duration::from_secs(60)));
    ended.failed_with(1, &["not caught up"]);
    assert!(ended.stderr.contains("evil"), "{}", ended.stderr);
    let logs = files_in(&place.data_dir().join("logs")).unwrap();
    let logs: String = logs.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    for (name, text) in [("stderr", &ended.stderr), ("the log", &logs)] {
        let is_raw = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200f}\u{2028}".contains(c);
        let found = text.lines().find(|line| line.chars().any(is_raw));
        assert!(found.is_none(), "{name} holds raw characters that command a terminal: {found:?}");
    }
}
