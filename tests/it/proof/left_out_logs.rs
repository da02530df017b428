//! A node that leaves out logs of a block.

use std::time::{Duration, Instant};

use polytape::demo::{Fault, Faults, Lies};

use crate::support::lying::Lying;

const LIVE: Duration = Duration::from_secs(4);

/// How long it may take from the last block on until what only a comparison finds has been read again.
const CAUGHT: Duration = Duration::from_secs(60);

/// Row 3: one row of a match in twenty is left out. That shows in the match, which does not add up.
#[tokio::test(flavor = "multi_thread")]
async fn single_rows_of_matches() {
    for (nodes, only_node) in [(1, None), (2, Some(0)), (3, Some(0))] {
        let lies = Lies { omit_rows: Some(20), ..Lies::default() };
        let lying = Lying::new(nodes, Faults { only_node, ..Faults::lying(lies) }).await;
        // By chance a whole match is left out, or a row that weighs nothing.
        assert_whole_once_caught(&lying, &format!("{nodes} URLs")).await;
    }
}

/// The same, and one request in ten fails, those for receipts too. What nobody confirms is asked for again, and not believed.
#[tokio::test(flavor = "multi_thread")]
async fn single_rows_of_matches_while_requests_fail() {
    let lies = Lies { omit_rows: Some(20), ..Lies::default() };
    let rates = [(Fault::ServerError, 0.1)].into();
    let lying = Lying::new(1, Faults { rates, ..Faults::lying(lies) }).await;
    assert_whole_once_caught(&lying, "1 URL, of which one request in ten fails").await;
}

/// Row 3: whole matches and direct fills are left out. Only a comparison finds that, and then all that rested on that node
/// alone is read again.
#[tokio::test(flavor = "multi_thread")]
async fn whole_matches_and_direct_fills() {
    for (nodes, only_node) in [(1, None), (2, Some(0)), (3, Some(0))] {
        let lies = Lies { omit_matches: Some(20), omit_direct: Some(3), ..Lies::default() };
        let lying = Lying::new(nodes, Faults { only_node, ..Faults::lying(lies) }).await;
        assert_whole_once_caught(&lying, &format!("{nodes} URLs")).await;
    }
}

/// Row 3: refunds, donations and `fillOrder` are in every world. None of them blocks or is refused, whoever is asked.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_add_up_and_is_true() {
    // With one URL and without receipts an empty block at the tip takes a minute, which is another rule.
    for (nodes, no_receipts) in [(1, false), (2, true), (3, false)] {
        let lies = Lies { no_receipts, ..Lies::default() };
        let lying = Lying::new(nodes, Faults::lying(lies)).await;
        let what = format!("{nodes} URLs, receipts: {}", !no_receipts);
        lying.follow(Duration::from_secs(2)).await.assert_whole(lying.last(), &what);
    }
}

async fn assert_whole_once_caught(lying: &Lying, what: &str) {
    let mut running = lying.start();
    lying.go_on(&mut running, LIVE).await;
    let mut tables = lying.come_to_the_end(&mut running).await;
    let begin = Instant::now();
    while !tables.difference.missing.is_empty() && begin.elapsed() < CAUGHT && running.ended().is_none() {
        tokio::time::sleep(Duration::from_millis(200)).await;
        tables = lying.tables();
    }
    tables.assert_whole(lying.last(), what);
}

/// Row 3, and a kill in between: what one node alone delivered before it is read again when the node is caught after it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_before_a_kill_is_read_again_too() {
    // With one URL and without receipts there is nothing to compare with.
    let lies = Lies { omit_matches: Some(20), omit_direct: Some(3), no_receipts: true, ..Lies::default() };
    let lying = Lying::new(1, Faults { only_node: Some(0), ..Faults::lying(lies) }).await;
    let mut running = lying.start();
    lying.go_on(&mut running, LIVE).await;
    running.kill();
    let before = lying.tables();
    assert!(!before.difference.missing.is_empty(), "nothing was left out: {} rows", before.rows);

    lying.place.configure(&lying.config(&lying.server.urls(2), &lying.world.config().first_block.to_string()));
    let mut running = lying.start();
    let begin = Instant::now();
    while !is_read_again(&lying) && begin.elapsed() < CAUGHT && running.ended().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(is_read_again(&lying), "what is in doubt is not read again: {}", running.stderr());
    // And another one, in the middle of that.
    running.kill();
    assert_whole_once_caught(&lying, "a kill between what was left out and what tells it").await;
}

/// Whether it is written down that blocks in doubt are to be read again.
fn is_read_again(lying: &Lying) -> bool {
    let sql = "SELECT count(*) FROM jobs WHERE id LIKE 'doubt-%'";
    let count = lying.place.store().and_then(|store| store.query_row(sql, [], |row| row.get::<_, i64>(0)).ok());
    count.is_some_and(|count| count > 0)
}
