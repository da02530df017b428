//! An answer that is no list of logs, and large.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Bytes;
use serde_json::{Value, json};

use crate::support::node::{Node, number};
use crate::support::process::Workplace;

/// The size of an answer.
const SIZE: usize = 8 << 20;

/// So much memory the program may take at most, in megabytes: what it takes without any, and ten times the answer.
const MOST: u64 = 60 + 10 * 8;

const HEAD: u64 = 90_000_000;

fn answer(call: &Value, logs: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let params = &call["params"];
    let result = match call["method"].as_str().unwrap() {
        "eth_chainId" => json!("0x89").to_string(),
        "eth_getBlockByNumber" => {
            let block = number(&params[0]).unwrap_or(HEAD);
            let hash = |block: u64| format!("{block:#066x}");
            let time = now - (HEAD - block.min(HEAD)) * 3 / 2;
            json!({
                "number": format!("{block:#x}"), "hash": hash(block), "parentHash": hash(block - 1),
                "timestamp": format!("{time:#x}"), "transactions": [],
            })
            .to_string()
        }
        _ => logs.to_owned(),
    };
    format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, call["id"])
}

async fn node(logs: String) -> Node {
    let serve = async move |body: Bytes| match serde_json::from_slice(&body) {
        Ok(Value::Array(calls)) => {
            format!("[{}]", calls.iter().map(|call| answer(call, &logs)).collect::<Vec<_>>().join(","))
        }
        Ok(call) if call["method"].is_string() => answer(&call, &logs),
        _ => r#"{"markets":[],"data":[]}"#.to_owned(),
    };
    Node::serve(Router::new().fallback(serve)).await
}

/// The most memory that a process has taken, in megabytes.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

/// Row 18: eight megabytes of `eth_getLogs` that hold no log.
#[tokio::test(flavor = "multi_thread")]
async fn eight_megabytes_that_are_no_logs() {
    let of = |element: &str| format!("[{}{element}]", format!("{element},").repeat(SIZE / (element.len() + 1)));
    let nested = || format!("{}{}", "[".repeat(SIZE / 2), "]".repeat(SIZE / 2));
    let one = format!(r#"[{{"topics":{}}}]"#, of("0"));
    for (what, logs) in [("zeros", of("0")), ("empty objects", of("{}")), ("nested lists", nested()), ("one log", one)]
    {
        let node = node(logs).await;
        let url = node.url();
        let config = format!(
            r#"
            pipeline.start = "{}"
            sources.polygon = {{ urls = ["{url}"], poll_interval = "50ms" }}
            sources.gamma.url = "{url}"
            sources.data_api.url = "{url}"
            storage.min_free = "0B"
            "#,
            HEAD - 50_000
        );
        let place = Workplace::new(&config);
        let mut running = place.start(&["--no-tui"]);
        let (begin, mut most) = (Instant::now(), 0);
        while begin.elapsed() < Duration::from_secs(4) {
            assert!(running.ended().is_none(), "{what}: the program ended");
            most = most.max(peak(running.id()));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(most > 0 && most < MOST, "{what}: {most} MB of memory for an answer of 8");
    }
}
