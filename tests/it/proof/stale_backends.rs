//! A balancer over nodes that differ by some blocks: headers come from one that has a block, logs from one that lacks it.

use std::time::Duration;

use polytape::demo::{Faults, Lies, UnknownHash};

use crate::support::lying::Lying;
use crate::support::outside;

const LIVE: Duration = Duration::from_secs(5);

/// Backends that differ by so many blocks.
fn balancer(behind: u64, unknown_hash: UnknownHash) -> Lies {
    Lies { stale_backend: Some(behind), unknown_hash, ..Lies::default() }
}

/// Row 1: one URL, behind which nodes differ by six blocks.
#[tokio::test(flavor = "multi_thread")]
async fn one_url_behind_which_nodes_differ_by_six_blocks() {
    for unknown_hash in [UnknownHash::Refused, UnknownHash::Empty, UnknownHash::Null] {
        let lying = Lying::new(1, Faults::lying(balancer(6, unknown_hash))).await;
        let what = format!("an unknown hash is {unknown_hash:?}");
        lying.follow(LIVE).await.assert_whole(lying.last(), &what);
    }
}

/// Row 1: two URLs of one provider are one balancer.
#[tokio::test(flavor = "multi_thread")]
async fn two_urls_of_one_provider() {
    for unknown_hash in [UnknownHash::Refused, UnknownHash::Empty] {
        let (world, server) = outside::busy(20_261_129, 1_000.0).await;
        let urls = server.urls_of_one_operator(2);
        let lying = Lying::reading(world, server, &urls, Faults::lying(balancer(25, unknown_hash)));
        lying.follow(LIVE).await.assert_whole(lying.last(), &format!("an unknown hash is {unknown_hash:?}"));
    }
}

/// Row 1: a balancer beside two good nodes, and three URLs of one.
#[tokio::test(flavor = "multi_thread")]
async fn three_urls_of_which_one_or_all_are_balancers() {
    let lies = || Faults::lying(balancer(6, UnknownHash::Empty));
    let lying = Lying::new(3, Faults { only_node: Some(0), ..lies() }).await;
    lying.follow(LIVE).await.assert_whole(lying.last(), "the balancer is the first of three nodes");

    let (world, server) = outside::busy(20_261_131, 1_000.0).await;
    let urls = server.urls_of_one_operator(3);
    let lying = Lying::reading(world, server, &urls, lies());
    lying.follow(LIVE).await.assert_whole(lying.last(), "three URLs of one balancer");
}
