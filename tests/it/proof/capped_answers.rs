//! A node that cuts its answers without a word.

use std::time::Duration;

use polytape::demo::{Faults, Lies};

use crate::support::lying::Lying;

/// Row 2: answers end after 200 or 1,000 logs, with one, two and three URLs.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_end_after_so_many_logs() {
    for (nodes, cap, only_node) in [(1, 200, None), (1, 1_000, None), (2, 200, Some(0)), (3, 1_000, Some(1))] {
        let lies = Lies { cap_logs: Some(cap), ..Lies::default() };
        let lying = Lying::new(nodes, Faults { only_node, ..Faults::lying(lies) }).await;
        let what = format!("{nodes} URLs, cut at {cap}");
        lying.follow(Duration::from_secs(3)).await.assert_whole(lying.last(), &what);
    }
}
