//! What `deploy/` brings for Prometheus and Grafana: rules that hold, of metrics that there are.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Headless, SOON, web};
use crate::support::process::until;

fn deploy(file: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy")).join(file)
}

/// Runs promtool, and says what it says. `scripts/test` brings it.
fn promtool(words: &[&str], input: &str) -> String {
    let mut tool = Command::new("promtool")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of Debian's package prometheus");
    tool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(output.status.success(), "promtool {words:?}: {said}");
    said
}

#[test]
fn the_rules_fire_when_they_should() {
    promtool(&["check", "config", deploy("prometheus/prometheus.yml").to_str().unwrap()], "");
    let said = promtool(&["test", "rules", deploy("prometheus/rules_test.yaml").to_str().unwrap()], "");
    assert!(said.contains("SUCCESS"), "{said}");
}

/// Names that begin with `polytape_`, without what a histogram adds to its own.
fn names(text: &str) -> BTreeSet<String> {
    let words =
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("polytape_"));
    let base = |word: &str| {
        ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word).to_owned()
    };
    words.map(base).collect()
}

/// What the program tells when all is well, and what it tells only of Redis or of nodes that are doubted.
#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_is_asked_for_is_told_by_its_name() {
    let one = Headless::start(web::LISTENS).await;
    let address = web::address(&one);
    until(SOON, "all is told", || {
        let told = names(&web::get(&address, "/metrics", "").2);
        ["polytape_table_rows", "polytape_stream_events", "polytape_unresolved_tokens"]
            .iter()
            .all(|name| told.contains(*name))
    });
    let metrics = web::get(&address, "/metrics", "").2;
    // Names and units by Prometheus' own rules.
    promtool(&["check", "metrics"], &metrics);
    let mut told = names(&metrics);
    // Of servers that are not here, and of what has not happened.
    let elsewhere = [
        "polytape_redis_memory_bytes",
        "polytape_redis_memory_limit_bytes",
        "polytape_table_parts",
        "polytape_query_read_rows",
        "polytape_node_doubts_total",
        "polytape_stream_oldest_timestamp_seconds",
        "polytape_group_oldest_timestamp_seconds",
    ];
    told.extend(elsewhere.map(str::to_owned));
    for file in ["prometheus/rules.yaml", "grafana/dashboards/polytape.json"] {
        let asked = names(&fs::read_to_string(deploy(file)).unwrap());
        let unknown: Vec<_> = asked.difference(&told).collect();
        assert!(asked.len() > 10 && unknown.is_empty(), "{file} asks for {unknown:?}");
    }
}
