//! What does not answer is left alone, however many in the program would ask it, and everything goes on when it is back.

use std::time::{Duration, Instant};

use crate::servers::SOON;
use crate::support::clickhouse::Database;
use crate::support::gate::Gate;
use crate::support::outside;
use crate::support::process::{Running, Workplace, until};
use crate::support::redis::Redis;

/// From here on it has failed so often that it is asked once a second at most.
const OFTEN: usize = 10;

/// Or when it has failed for so long.
const LONG: Duration = Duration::from_secs(15);

/// For how long it is counted.
const COUNTED: Duration = Duration::from_secs(6);

/// How often something may be asked in that time, and how soon after it is back everything goes on.
const MOST: usize = 6;
const BACK: Duration = Duration::from_secs(15);

/// Waits until it has failed often, and counts from then on.
fn count(what: &str, gate: &Gate, running: &Running) {
    let begin = Instant::now();
    until(SOON, &format!("{what} was asked often"), || gate.came() >= OFTEN || begin.elapsed() > LONG);
    // What was under way when the last of those came.
    std::thread::sleep(Duration::from_secs(2));
    let before = gate.came();
    std::thread::sleep(COUNTED);
    let asked = gate.came() - before;
    assert!(
        asked <= MOST,
        "{what} has failed {before} times and was asked {asked} times more within {} s",
        COUNTED.as_secs()
    );
    println!("{what} was asked {before} times, and {asked} times more within {} s", COUNTED.as_secs());
    assert!(asked > 0, "{what} is asked no more: {}", running.stderr());
}

/// Lets it answer, and waits until rows flow.
fn recovers(what: &str, gate: &Gate, mut rows: impl FnMut() -> u64) {
    gate.open();
    let (begin, before) = (Instant::now(), rows());
    until(SOON, &format!("rows flow when {what} is back"), || rows() > before);
    println!("{what} is back: rows flow after {:?}", begin.elapsed());
    assert!(begin.elapsed() < BACK, "{what} is back, and rows flow only after {:?}", begin.elapsed());
}

/// Row 21: nobody may ask a Redis that hangs up more than once a second, all stages and probes together.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_up_is_left_alone() {
    let (redis, database) = (Redis::own(&[]), Database::empty());
    let server = redis.url().trim_start_matches("redis://").trim_end_matches('/');
    let gate = Gate::to(server).await;
    let (world, outside) = outside::busy(121, 200.0).await;
    let section = redis.section().replace(server, &gate.address().to_string());
    let place = Workplace::new(&outside::config(&world, &outside, &format!("{section}\n{}", database.section())));
    let running = place.start(&["--no-tui"]);
    tokio::task::block_in_place(|| {
        count("Redis", &gate, &running);
        let trades = || database.ask("SELECT count() FROM trades").map_or(0, |rows| rows.trim().parse().unwrap());
        recovers("Redis", &gate, trades);
    });
}

/// Row 21: the same of a ClickHouse.
#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_that_hangs_up_is_left_alone() {
    let (redis, database) = (Redis::new(), Database::empty());
    let url = database.config().url;
    let server = url.trim_start_matches("http://").trim_end_matches('/');
    let gate = Gate::to(server).await;
    let (world, outside) = outside::busy(122, 200.0).await;
    let section = database.section().replace(server, &gate.address().to_string());
    let place = Workplace::new(&outside::config(&world, &outside, &format!("{}\n{section}", redis.section())));
    let running = place.start(&["--no-tui"]);
    tokio::task::block_in_place(|| {
        count("ClickHouse", &gate, &running);
        let trades = || database.ask("SELECT count() FROM trades").map_or(0, |rows| rows.trim().parse().unwrap());
        recovers("ClickHouse", &gate, trades);
    });
}

/// Row 21: the same of a node, on a first run, when every stage waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hangs_up_is_left_alone() {
    let (world, outside) = outside::busy(123, 200.0).await;
    let gate = Gate::to(outside.url().trim_start_matches("http://")).await;
    let config = outside::config(&world, &outside, "");
    let at_the_gate = format!("urls = [\"http://{}/rpc\"]", gate.address());
    let urls = format!("urls = {:?}", outside.urls(3));
    assert!(config.contains(&urls));
    let path = outside.urls(1)[0].trim_start_matches(&outside.url()).to_owned();
    let place = Workplace::new(&config.replace(&urls, &at_the_gate.replace("/rpc", &path)));
    let running = place.start(&["--no-tui"]);
    tokio::task::block_in_place(|| {
        count("the node", &gate, &running);
        recovers("the node", &gate, || place.count("trades"));
    });
}

/// Row 21: the same of Gamma, which both the markets and the resolver ask.
#[tokio::test(flavor = "multi_thread")]
async fn a_gamma_that_hangs_up_is_left_alone() {
    let (world, outside) = outside::busy(124, 200.0).await;
    let gate = Gate::to(outside.url().trim_start_matches("http://")).await;
    let config = outside::config(&world, &outside, "");
    let gamma = format!("sources.gamma = {{ url = \"{}\"", outside.url());
    assert!(config.contains(&gamma));
    let at_the_gate = gamma.replace(&outside.url(), &format!("http://{}", gate.address()));
    let place = Workplace::new(&config.replace(&gamma, &at_the_gate));
    let running = place.start(&["--no-tui"]);
    tokio::task::block_in_place(|| {
        count("Gamma", &gate, &running);
        recovers("Gamma", &gate, || place.count("markets"));
    });
}
