//! Something is not there when the program starts: it says what, in one line, and goes on when that comes.

use std::time::{Duration, Instant};

use crate::servers::SOON;
use crate::support::clickhouse::Engine;
use crate::support::outside;
use crate::support::process::{Running, Workplace};
use crate::support::redis::{Redis, free_port};

/// Within how long every stage says what it waits for, and the first line about it comes. Tests run beside each other.
const FIRST_LINE: Duration = Duration::from_secs(10);

/// The same where the tables have to be made first.
const TABLES_MADE: Duration = Duration::from_secs(40);

const SECRET: &str = "hunter2hunter2";

/// Waits until the program has said something, and says what it said instead.
#[track_caller]
fn says(running: &Running, words: &str) {
    says_within(running, words, FIRST_LINE);
}

#[track_caller]
fn says_within(running: &Running, words: &str, within: Duration) {
    let begin = Instant::now();
    while !running.stderr().contains(words) {
        if begin.elapsed() > within {
            let heartbeat = running.stderr().lines().find(|line| line.contains("head unknown")).map(str::to_owned);
            panic!("{words:?} was not said within {within:?}, but {heartbeat:?} of\n{}", running.stderr());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!running.stderr().contains(SECRET), "a secret is in the log");
}

fn stores(redis: &str, clickhouse: &str) -> String {
    format!(
        "redis = {{ url = \"{redis}\" }}\nclickhouse = {{ url = \"{clickhouse}\", user = \"me\", password = \"{SECRET}\" }}"
    )
}

/// Row 16: seven stages said "starting" for ever where ClickHouse's port is closed.
#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_that_is_not_there() {
    let (world, server) = outside::busy(161, 100.0).await;
    let (redis, port) = (Redis::own(&[]), free_port());
    let more = stores(redis.url(), &format!("http://127.0.0.1:{port}/{SECRET}/"));
    let place = Workplace::new(&outside::config(&world, &server, &more));
    let words = format!("7 stages wait for ClickHouse at http://127.0.0.1:{port}: connection refused");
    tokio::task::block_in_place(|| {
        let running = place.start(&["--no-tui"]);
        says(&running, &words);
        running.kill();
        let ended = place.run(&["--no-tui", "--until-caught-up", "--timeout", "3s"], SOON);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.contains(&words), "it ends with {last:?}");
    });
}

/// Row 16: the same of a Redis.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_not_there() {
    let (world, server) = outside::busy(162, 100.0).await;
    let (engine, port) = (Engine::with_user("me", SECRET), free_port());
    let more = stores(&format!("redis://me:{SECRET}@127.0.0.1:{port}/"), &engine.config().url);
    let place = Workplace::new(&outside::config(&world, &server, &more));
    tokio::task::block_in_place(|| {
        let running = place.start(&["--no-tui"]);
        let words = format!("7 stages wait for Redis at 127.0.0.1:{port}: connection refused");
        says_within(&running, &words, TABLES_MADE);
    });
}

/// Row 16: one that is there and says nothing is named within seconds, and not when a minute is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_that_says_nothing() {
    let (world, server) = outside::busy(163, 100.0).await;
    let (redis, silent) = (Redis::own(&[]), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let at = format!("http://{}", silent.local_addr().unwrap());
    let place = Workplace::new(&outside::config(&world, &server, &stores(redis.url(), &at)));
    tokio::task::block_in_place(|| {
        let running = place.start(&["--no-tui"]);
        says(&running, &format!("7 stages wait for ClickHouse at {at}: no answer yet"));
    });
}

/// Row 16: a wrong password can never work without a change: the run ends and says what to change.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password() {
    let (world, server) = outside::busy(164, 100.0).await;
    let engine = Engine::with_user("me", "another");
    let redis = Redis::own(&["--requirepass", "another"]);
    let right = Redis::own(&[]);
    let wrong_redis = redis.url().replace("redis://", &format!("redis://:{SECRET}@"));
    for (redis, words) in [
        (right.url(), "check user and password under [clickhouse]"),
        (wrong_redis.as_str(), "check the user and the password in its URL"),
    ] {
        let at = engine.config().url;
        let clickhouse = if redis == right.url() {
            stores(redis, &at)
        } else {
            stores(redis, &at).replace(&format!("password = \"{SECRET}\""), "password = \"another\"")
        };
        let place = Workplace::new(&outside::config(&world, &server, &clickhouse));
        let ended = tokio::task::block_in_place(|| place.run(&["--no-tui"], SOON));
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains(words), "{words:?} was not said:\n{}", ended.stderr);
        assert!(!ended.stderr.contains(SECRET), "a secret is in the log:\n{}", ended.stderr);
    }
}

/// Row 16: on a first run without network the top alert was "the streams were lost".
#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_without_network() {
    let (world, server) = outside::busy(165, 100.0).await;
    let config = outside::config(&world, &server, "");
    let urls = format!("urls = {:?}", server.urls(3));
    assert!(config.contains(&urls));
    let port = free_port();
    let place = Workplace::new(&config.replace(&urls, &format!("urls = [\"http://127.0.0.1:{port}/v2/{SECRET}\"]")));
    tokio::task::block_in_place(|| {
        let running = place.start(&["--no-tui"]);
        says(&running, &format!("wait for the nodes of polygon: 127.0.0.1:{port}: connection refused"));
        // Long enough for what was said of everything that cannot be seen.
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(13) {
            assert!(!running.stderr().contains("the streams were lost"), "{}", running.stderr());
            std::thread::sleep(Duration::from_millis(100));
        }
        let alerts: Vec<String> =
            running.stderr().lines().filter(|line| line.contains("\"rule\"")).map(str::to_owned).collect();
        assert!(alerts.iter().all(|alert| alert.contains("unreachable")), "one root cause, and: {alerts:#?}");
    });
}
