//! A head that nobody made.

use std::time::{Duration, Instant};

use polytape::demo::{Faults, Lies};
use polytape::model::ChainPosition;

use crate::support::lying::Lying;
use crate::support::process::until;

const SOON: Duration = Duration::from_secs(30);

fn too_high(only_node: Option<usize>) -> Faults {
    let lies = Lies { head_ahead: 1_000_000, ..Lies::default() };
    Faults { only_node, ..Faults::lying(lies) }
}

/// Where the store says that the source began.
fn start(lying: &Lying) -> Option<u64> {
    let sql = "SELECT start FROM checkpoints WHERE source = 'polygon'";
    let text: String = lying.place.store()?.query_row(sql, [], |row| row.get(0)).ok()?;
    Some(serde_json::from_str::<ChainPosition>(&text).unwrap().block)
}

/// Row 9: a first run that begins at the newest block must not begin in the future.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_does_not_begin_in_the_future() {
    for nodes in [2, 3] {
        let lying = Lying::from_latest(nodes, too_high(Some(0))).await;
        let running = lying.start();
        until(SOON, "a start is recorded", || start(&lying).is_some());
        let (start, head) = (start(&lying).unwrap(), lying.server.head());
        assert!(start <= head, "{nodes} URLs: begins {} blocks above the newest block", start.saturating_sub(head));
        until(SOON, &format!("{nodes} URLs: no trades in the table"), || lying.place.count("trades") > 100);
        drop(running);
    }
}

/// Row 9: with one URL nothing is begun until its head can be believed.
#[tokio::test(flavor = "multi_thread")]
async fn one_url_whose_head_cannot_be_true() {
    let lying = Lying::from_latest(1, too_high(None)).await;
    let running = lying.start();
    until(SOON, "the source is asked", || lying.server.traffic(0).0 > 10 || start(&lying).is_some());
    if let Some(start) = start(&lying) {
        panic!("begins {} blocks above the newest block", start.saturating_sub(lying.server.head()));
    }
    lying.server.faults().calm();
    until(SOON, "no trades in the table", || lying.place.count("trades") > 100);
    assert!(start(&lying).unwrap() <= lying.server.head());
    drop(running);
}

/// Row 9: later, too, nothing is read beyond the last final block, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_rises_too_high_in_a_run() {
    for (nodes, only_node) in [(1, None), (2, Some(0)), (3, Some(1))] {
        let lying = Lying::new(nodes, Faults::default()).await;
        let mut running = lying.start();
        until(SOON, "it follows the chain", || lying.watermark() > lying.world.config().first_block + 50);
        lying.server.faults().set(too_high(only_node));
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(3) {
            let (watermark, last) = (lying.watermark(), lying.last());
            assert!(
                watermark <= last + 1,
                "{nodes} URLs: read {} blocks past finality",
                watermark.saturating_sub(last)
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if nodes == 1 {
            lying.server.faults().calm();
        }
        let tables = lying.come_to_the_end(&mut running).await;
        tables.assert_whole(lying.last(), &format!("{nodes} URLs"));
    }
}
