//! Commands from elsewhere: each has its effect on the data, is told, and is kept.

use super::{Headless, SOON, ask};
use crate::support::process::{Workplace, until};

#[tokio::test(flavor = "multi_thread")]
async fn who_pauses_from_elsewhere_stops_rows_and_who_resumes_gets_all_of_them() {
    let one = Headless::start("").await;
    let paused = one.ask(&["ctl", "pause", "write-trades"]);
    paused.succeeded();
    assert!(paused.stdout.contains("write-trades"), "{}", paused.stdout);
    until(SOON, "it is paused", || one.state("write-trades") == "PAUS");
    let rows = one.place.count("trades");
    until(SOON, "trades wait for it", || one.unread("stream:trades") > 0);
    assert_eq!(one.place.count("trades"), rows, "none is written meanwhile");

    let all = one.ask(&["ctl", "pause", "all", "--json"]);
    all.succeeded();
    let answers: Vec<serde_json::Value> = all.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(answers.len() >= 7 && answers.iter().all(|answer| answer["answer"]["done"].is_string()), "{answers:?}");
    one.ask(&["ctl", "resume", "all"]).succeeded();
    until(SOON, "rows go on", || one.place.count("trades") > rows);

    one.ask(&["ctl", "restart", "process-trades"]).succeeded();
    let text = one.ask(&["status"]);
    text.succeeded();
    for words in ["runs for", "polygon: final block", "write-trades", "stream:trades", "dead_letters"] {
        assert!(text.stdout.contains(words), "{words:?} is not in {}", text.stdout);
    }

    // The world comes to its end, and all of it lands.
    let end = one.server.finalized();
    one.server.freeze_at(end + 1);
    let stopped = one.ask(&["stop", "--wait"]);
    stopped.succeeded();
    let ended = one.running.wait(SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let store = one.place.store().unwrap();
    let commands: Vec<(String, String)> = store
        .prepare("SELECT command, outcome FROM commands ORDER BY at, id")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let has = |command: &str| commands.iter().any(|(found, outcome)| found == command && outcome == "done");
    assert!(has("pause write-trades") && has("resume write-trades") && has("restart process-trades"), "{commands:?}");
    assert!(has("stop"), "{commands:?}");
    let user: String = store.query_row("SELECT user FROM commands LIMIT 1", [], |row| row.get(0)).unwrap();
    assert!(!user.is_empty());
    assert!(!one.place.data_dir().join("polytape.sock").exists(), "nothing is left of the socket");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_planned_begun_and_listed_from_elsewhere() {
    let one = Headless::start("").await;
    let range = ["--from", "1m", "--to", "now"];
    let planned = one.ask(&[&["ctl", "replay", "ingest-fills", "--dry-run"][..], &range].concat());
    planned.succeeded();
    assert!(planned.stdout.contains("from") && planned.stdout.contains("blocks"), "{}", planned.stdout);
    assert!(one.ask(&["ctl", "jobs"]).stdout.contains("no replays"), "nothing has begun");
    let begun = one.ask(&[&["ctl", "replay", "ingest-fills"][..], &range].concat());
    begun.succeeded();
    let id = begun.stdout.split(' ').nth(1).unwrap().to_owned();
    until(SOON, "it ends", || {
        let jobs = one.ask(&["ctl", "jobs"]).stdout;
        jobs.lines().any(|line| line.starts_with(&id) && line.contains("done"))
    });
    let refused = one.ask(&["ctl", "cancel", &id]);
    refused.failed_with(1, &["no replay", &id]);
    let end = one.server.head();
    one.server.freeze_at(end);
    let (finalized, landed) = (one.server.finalized(), || one.found_source()["watermark"]["block"].as_u64());
    until(SOON, "all of it lands", || landed() > Some(finalized));
    one.ask(&["stop", "--wait"]).succeeded();
    let (store, world) = (one.place.store().unwrap(), &one.world);
    let blocks = crate::pty::committed(&store);
    let difference = crate::support::tables::compare_fills(&store, world, blocks);
    assert!(difference.is_none(), "{difference:?}");
}

#[test]
fn where_nothing_runs_that_is_said_with_a_code_of_its_own() {
    let place = Workplace::new("");
    for words in [&["status"][..], &["ctl", "jobs"], &["ctl", "pause", "all"], &["stop"]] {
        ask(&place, words).failed_with(3, &["no polytape runs in", "polytape run"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_told_with_what_can() {
    let one = Headless::start("").await;
    one.ask(&["ctl", "pause", "write-nothing"]).failed_with(2, &["is no stage", "write-trades"]);
    one.ask(&["ctl", "pause", "all", "write-trades"]).failed_with(2, &["all stands alone"]);
    let second = one.place.run(&["--no-tui"], SOON);
    let pid = one.running.id().to_string();
    second.failed_with(1, &["already runs in", &pid, "polytape attach --data-dir"]);
}
