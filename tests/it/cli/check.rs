//! `polytape check`: a line for everything that a run would use.

use polytape::demo::{Fault, Faults};

use super::{SOON, UNTIL_CAUGHT_UP, place, run, serve, world};
use crate::support::node::Node;
use crate::support::process::{Ended, Workplace, until};

/// The lines, each as its verdict, its thing and what was found.
fn lines(ended: &Ended) -> Vec<(String, String, String)> {
    let line = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next().unwrap(), words.next().unwrap(), words.collect::<Vec<_>>().join(" "))
    };
    ended.stdout.lines().map(line).collect()
}

#[track_caller]
fn assert_line(ended: &Ended, verdict: &str, thing: &str, words: &[&str]) {
    let lines = lines(ended);
    let found = |line: &&(String, String, String)| {
        line.0 == verdict && line.1 == thing && words.iter().all(|word| line.2.contains(word))
    };
    assert!(lines.iter().any(|line| found(&line)), "no {verdict} of {thing} with {words:?} in {}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn says_of_each_what_was_found() {
    let world = world(1, 100);
    let server = serve(&world).await;
    let place = place(&server.url());
    let ended = run(place.command(&["check"]));
    ended.succeeded();
    let host = server.url().replace("http://", "");
    assert_line(&ended, "ok", "config", &["config.toml"]);
    assert_line(&ended, "ok", "store", &["empty, the first run fills it"]);
    assert_line(&ended, "ok", "polygon", &[&host, &format!("chain:{}", world.chain_id()), "s old", "ms"]);
    assert_line(&ended, "warn", "gamma", &[&host, "newest market", "open markets are read", "become dead letters"]);
    assert_line(&ended, "ok", "data-api", &[&host, "tokens that Gamma lists"]);
    let ended = run(place.command(&["check", "--flow"]));
    ended.succeeded();
    assert_line(&ended, "ok", "flow", &["one probe", "seen by a reader in", "removed"]);
    assert!(!place.data_dir().exists(), "it leaves nothing behind");

    run(place.command(&UNTIL_CAUGHT_UP)).succeeded();
    let ended = run(place.command(&["check"]));
    ended.succeeded();
    assert_line(&ended, "ok", "store", &[&format!("chain:{}", world.chain_id()), " trades", " markets"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_in_use_or_of_another_world_is_told() {
    let (first, second) = (serve(&world(1, 50)).await, serve(&world(2, 50)).await);
    let place = place(&first.url());
    let running = place.start(&["--no-tui"]);
    until(SOON, "it holds something", || place.count("checkpoints") > 0);
    let ended = run(place.command(&["check"]));
    assert_line(&ended, "ok", "store", &[&format!("polytape runs in it (pid {})", running.id())]);
    assert!(running.stderr().contains("first run"), "and it runs on");
    let ended = run(place.command(&["check", "--flow"]));
    assert_line(&ended, "ok", "flow", &["a store beside the one in use"]);
    running.kill();

    let mut command = place.command(&["check"]);
    command.env("POLYTAPE_SOURCES__POLYGON__URLS", second.url());
    let ended = run(command);
    ended.failed_with(1, &["1 of 5 checks failed"]);
    assert_line(&ended, "FAIL", "store", &["holds chain:", "but the nodes serve chain:"]);
    let mut command = place.command(&["check"]);
    command.env("POLYTAPE_SOURCES__POLYGON__URLS", format!("{},{}", first.url(), second.url()));
    let ended = run(command);
    assert_line(&ended, "FAIL", "polygon", &["the nodes serve different chains"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_work_is_told_in_words() {
    let server = serve(&world(1, 50)).await;
    server.faults().set(Faults::of(Fault::ServerError, 1.0));
    let place = place(&server.url());
    let ended = run(place.command(&["check"]));
    ended.failed_with(1, &["3 of 5 checks failed"]);
    for thing in ["polygon", "gamma", "data-api"] {
        assert_line(&ended, "FAIL", thing, &["127.0.0.1", "HTTP 500"]);
    }
    let nobody = Workplace::new(
        "sources.gamma.url = \"http://127.0.0.1:1\"\nsources.data_api.url = \"http://127.0.0.1:1\"\nsources.polygon.urls = [\"http://127.0.0.1:1\"]\nstorage.min_free = \"999999TiB\"",
    );
    let ended = run(nobody.command(&["check"]));
    ended.failed_with(1, &["4 of 5 checks failed"]);
    for thing in ["polygon", "gamma", "data-api"] {
        assert_line(&ended, "FAIL", thing, &["127.0.0.1:1", "refused"]);
    }
    assert_line(&ended, "FAIL", "store", &["free on its disk, storage.min_free is"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_another_type_than_expected_are_told() {
    let page = r#"{"markets":[{"id":"7","createdAt":5,"closed":true}]}"#;
    let node = Node::answering(
        move |uri: axum::http::Uri| {
            if uri.path().ends_with("tokens") { r#"{"data":[]}"# } else { page }
        },
    )
    .await;
    let server = serve(&world(1, 50)).await;
    let place = place(&server.url());
    let mut command = place.command(&["check"]);
    command.env("POLYTAPE_SOURCES__GAMMA__URL", node.url()).env("POLYTAPE_SOURCES__DATA_API__URL", node.url());
    let ended = run(command);
    ended.succeeded();
    assert_line(
        &ended,
        "warn",
        "gamma",
        &["2 fields are not as expected", "does not keep open and closed markets apart"],
    );
}
