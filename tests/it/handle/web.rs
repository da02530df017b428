//! Metrics, health and the snapshot over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::{Headless, SOON};
use crate::support::process::until;

pub const LISTENS: &str = "http = { listen = \"127.0.0.1:0\", ready_within = \"10s\" }";

/// Where it listens, as the log says.
pub fn address(one: &Headless) -> String {
    let mut found = None;
    until(SOON, "it listens", || {
        let log = one.running.stderr();
        found =
            log.split_once("listening for HTTP at ").and_then(|(_, rest)| Some(rest.split_once(": /")?.0.to_owned()));
        found.is_some()
    });
    found.unwrap()
}

/// An answer: its code, its head, its body.
pub fn get(address: &str, path: &str, headers: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {address}\r\n") };
    write!(stream, "GET {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_ascii_lowercase(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_told_in_both_formats_and_the_snapshot_to_who_may_see_it() {
    let one = Headless::start(LISTENS).await;
    let address = address(&one);
    until(SOON, "what all see alike is told", || get(&address, "/metrics", "").2.contains("polytape_stream_events{"));
    let (code, head, plain) = get(&address, "/metrics", "");
    assert!(code == 200 && head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    for name in
        ["polytape_stage_events_total{stage=\"write-trades\"}", "polytape_source_head_block", "polytape_table_rows"]
    {
        assert!(plain.contains(name), "{name}: {plain}");
    }
    let (_, head, open) = get(&address, "/metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n");
    assert!(head.contains("application/openmetrics-text; version=1.0.0") && open.ends_with("# EOF\n"), "{head}");
    let (code, _, json) = get(&address, "/status.json", "");
    let snapshot: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, snapshot["about"]["name"].as_str()), (200, Some("main")));
    assert_eq!(get(&address, "/status.json", "Host: evil.example\r\n").0, 421);
    assert_eq!(get(&address, "/metrics", "Host: prometheus.example\r\n").0, 200);
    assert_eq!(get(&address, "/elsewhere", "").0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_until_the_head_stands_or_rows_do_and_again_then() {
    // Whoever tells how old a block is takes it that two seconds lie between two.
    let one = Headless::at(Duration::from_millis(500), LISTENS).await;
    let address = address(&one);
    let ready = || get(&address, "/health/ready", "");
    until(SOON, "it is ready", || ready().0 == 200);
    one.server.freeze_at(one.server.head());
    until(SOON, "the head stands", || ready().0 == 503);
    let (_, _, body) = ready();
    let told: Value = serde_json::from_str(&body).unwrap();
    let reason = &told["reasons"][0];
    assert!(reason["why"].as_str().unwrap().contains("newest final block") && reason["since"].is_string(), "{told}");
    assert_eq!(get(&address, "/health/live", "").0, 200, "it lives all the same");
    one.server.set_clock(polytape::demo::Clock::Wall);
    until(SOON, "it is ready again", || ready().0 == 200);

    one.ask(&["ctl", "pause", "write-trades"]).succeeded();
    until(SOON, "the watermark stands", || ready().2.contains("in the tables is"));
    one.ask(&["ctl", "resume", "write-trades"]).succeeded();
    until(SOON, "it is ready again", || ready().0 == 200);
}
