//! SIGTERM: drains and ends.

use std::time::{Duration, Instant};

use polytape::demo::{DemoServer, Fault, Faults, WorldConfig};
use serde_json::Value;

use super::{SOON, UNTIL_CAUGHT_UP, place, serve, world};
use crate::support::process::{Workplace, until};
use crate::support::tables::compare_fills;

/// How long a drain may take.
const DRAIN: Duration = Duration::from_secs(10);

/// The block that the watermark stands in, if there is one.
fn watermark(place: &Workplace) -> Option<u64> {
    let read = |row: &rusqlite::Row<'_>| row.get(0);
    let text: String =
        place.store()?.query_row("SELECT watermark FROM checkpoints WHERE source = 'polygon'", [], read).ok()?;
    serde_json::from_str::<Value>(&text).unwrap()["block"].as_u64()
}

/// Waits until some rows are known to be in the tables.
fn until_something_is_committed(place: &Workplace) {
    let first = WorldConfig::default().first_block;
    until(SOON, "the watermark moves", || watermark(place) > Some(first) && place.count("trades") > 0);
}

/// Nothing before the watermark is missing, and nothing is there that should not be.
fn assert_true_up_to_the_watermark(place: &Workplace, server: &DemoServer) {
    let store = place.store().unwrap();
    let (first, end) = (WorldConfig::default().first_block, watermark(place).unwrap());
    let committed = compare_fills(&store, server.world(), first..=end - 1);
    assert!(committed.missing.is_empty(), "{:#?}", committed.missing);
    let all = compare_fills(&store, server.world(), first..=server.world().finalized(server.head()));
    assert!(all.extra.is_empty() && all.altered.is_empty(), "{all:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_follows_the_chain_is_a_good_end() {
    let server = serve(&world(1, 200)).await;
    let place = place(&server.url());
    let running = place.start(&["--no-tui"]);
    until_something_is_committed(&place);
    let head = server.head();
    until(SOON, "blocks that came meanwhile are read", || watermark(&place) > Some(head));

    until(SOON, "its heart beats", || running.stderr().contains("blocks behind | in "));

    running.terminate();
    until(SOON, "it says that it drains", || running.stderr().contains("draining"));
    let draining = Instant::now();
    let ended = running.wait(SOON);
    assert!(draining.elapsed() < DRAIN, "{:?}", draining.elapsed());
    ended.succeeded();
    assert!(!ended.stderr.contains("not drained"), "{}", ended.stderr);
    assert_true_up_to_the_watermark(&place, &server);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_it_has_caught_up_is_a_failure() {
    let world = world(1, 100);
    let server = serve(&world).await;
    // Nothing can be read, so it cannot have caught up before the signal.
    server.faults().set(Faults::of(Fault::ServerError, 1.0));
    let place = place(&server.url());
    let running = place.start(&UNTIL_CAUGHT_UP);
    until(SOON, "it waits for the node", || running.stderr().contains("WAIT"));
    running.terminate();
    running.wait(SOON).failed_with(1, &["not caught up", "interrupted"]);
}

/// The head is known and the way is long.
#[tokio::test(flavor = "multi_thread")]
async fn on_the_way_to_the_head_is_a_failure() {
    let server = serve(&world(1, 20_000)).await;
    let place = place(&server.url());
    let running = place.start(&UNTIL_CAUGHT_UP);
    until_something_is_committed(&place);
    running.terminate();
    running.wait(SOON).failed_with(1, &["not caught up", "interrupted"]);
    assert_true_up_to_the_watermark(&place, &server);
}
