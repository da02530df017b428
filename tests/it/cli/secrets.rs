//! A key in a URL is in no line, whatever happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::{StatusCode, Uri};

use super::{UNTIL_CAUGHT_UP, run, serve, world};
use crate::support::node::Node;
use crate::support::process::{Ended, Workplace};

/// In the path, in the query and in front of the host.
const KEYS: [&str; 4] = ["kjhgfdsa87654321", "qwertzui12345678", "userKEY0", "passKEY12"];

/// The place of a node whose URL is full of keys, with everything logged that can be.
fn place(url: &str) -> Workplace {
    let [path, query, user, password] = KEYS;
    let host = url.strip_prefix("http://").unwrap();
    let url = format!("http://{user}:{password}@{host}/v2/{path}?apikey={query}");
    Workplace::new(&format!(
        r#"
        pipeline.start = "90000000"
        sources.polygon = {{ urls = ["{url}"], timeout = "2s" }}
        sources.gamma = {{ url = "{url}", timeout = "2s", max_rate = 10000 }}
        sources.data_api = {{ url = "{url}", timeout = "2s", max_rate = 10000 }}
        writer.linger = "10ms"
        storage.min_free = "0B"
        log.level = "trace"
        "#
    ))
}

#[track_caller]
fn assert_silent(ended: &Ended) {
    for key in KEYS {
        // Nor a part of one, as is left where a text was cut first.
        for part in (0..=key.len() - 8).map(|at| &key[at..at + 8]) {
            assert!(!ended.stderr.contains(part), "{part} is in {}", ended.stderr);
            assert!(!ended.stdout.contains(part), "{part} is in {}", ended.stdout);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_when_all_goes_well() {
    let server = serve(&world(1, 10)).await;
    let place = place(&server.url());
    let ended = run(place.command(&UNTIL_CAUGHT_UP));
    assert!(ended.stderr.contains("TRACE") || ended.stderr.contains("DEBUG"), "all is logged: {}", ended.stderr);
    ended.succeeded();
    assert_silent(&ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn not_when_the_node_repeats_it() {
    let turn = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&turn);
    let node = Node::answering(move |uri: Uri| {
        let error =
            |message: String| format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-1,"message":"{message}"}}}}"#);
        match counted.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => (StatusCode::INTERNAL_SERVER_ERROR, format!("cannot serve {uri}")),
            1 => (StatusCode::OK, error(format!("no project for {uri}"))),
            2 => (StatusCode::OK, format!("<html>{uri}</html>")),
            _ => (StatusCode::NOT_FOUND, error(format!("no {uri} here"))),
        }
    })
    .await;
    let arguments = ["--no-tui", "--until-caught-up", "--timeout", "4s"];
    let place = place(&node.url());
    let ended = run(place.command(&arguments));
    ended.failed_with(1, &["not caught up"]);
    assert!(turn.load(Ordering::Relaxed) >= 4, "each answer was seen: {}", ended.stderr);
    assert!(ended.stderr.contains("no project for"), "the node's words are shown: {}", ended.stderr);
    assert_silent(&ended);
}

/// A check quotes what it was answered.
#[tokio::test(flavor = "multi_thread")]
async fn not_when_a_check_is_answered_with_it() {
    let node = Node::answering(move |uri: Uri| {
        let result = format!(r#"{{"jsonrpc":"2.0","id":1,"result":"asked by http://userKEY0:passKEY12@here{uri}"}}"#);
        (StatusCode::OK, result)
    })
    .await;
    let ended = run(place(&node.url()).command(&["check"]));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("FAIL  polygon"), "{}", ended.stdout);
    assert_silent(&ended);
}

#[test]
fn not_when_nobody_is_there() {
    let arguments = ["--no-tui", "--until-caught-up", "--timeout", "1s"];
    // Port 1 of loopback is nobody's.
    let place = place("http://127.0.0.1:1");
    let ended = run(place.command(&arguments));
    ended.failed_with(1, &["127.0.0.1:1"]);
    assert_silent(&ended);
}

/// A configuration that says `urls` in its last line is refused, without a word of the value.
#[track_caller]
fn assert_refused(config: &str) {
    let place = Workplace::new(config);
    let ended = run(place.command(&UNTIL_CAUGHT_UP));
    ended.failed_with(2, &["urls"]);
    assert_silent(&ended);
}

#[test]
fn not_when_a_configured_url_is_none() {
    let [key, ..] = KEYS;
    for url in [format!("ftp://node/{key}"), format!("http://no de/{key}"), format!("http://[/{key}"), key.to_owned()] {
        assert_refused(&format!("sources.polygon.urls = [\"{url}\"]"));
    }
}

#[test]
fn not_when_one_url_stands_where_a_list_should() {
    assert_refused(&format!("sources.polygon.urls = \"https://node/{}\"", KEYS[0]));
}

#[test]
fn not_when_the_list_is_not_closed() {
    assert_refused(&format!("sources.polygon.urls = [\"https://node/{}\"", KEYS[0]));
    assert_refused(&format!("sources.polygon.urls =\"https://node/{}", KEYS[0]));
}

#[test]
fn not_when_the_environment_is_wrong() {
    let [key, ..] = KEYS;
    for urls in [format!("ftp://node/{key}"), format!("node/{key}"), format!("https://node, ws://node/{key}")] {
        let place = Workplace::new("");
        let mut command = place.command(&UNTIL_CAUGHT_UP);
        command.env("POLYTAPE_SOURCES__POLYGON__URLS", urls);
        let ended = run(command);
        ended.failed_with(2, &["POLYTAPE_SOURCES__POLYGON__URLS"]);
        assert_silent(&ended);
    }
}
