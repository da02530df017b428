//! Logs that stand where they cannot stand.

use std::time::Duration;

use polytape::demo::{Faults, Lies};

use crate::support::lying::Lying;

/// Row 4: in one transaction in ten the logs are numbered from 0 again. With one URL its receipts are right.
#[tokio::test(flavor = "multi_thread")]
async fn log_indexes_that_begin_again_in_a_transaction() {
    for (nodes, only_node) in [(1, None), (2, Some(0)), (3, Some(0))] {
        let lies = Lies { restart_log_index: Some(10), ..Lies::default() };
        let lying = Lying::new(nodes, Faults { only_node, ..Faults::lying(lies) }).await;
        lying.follow(Duration::from_secs(3)).await.assert_whole(lying.last(), &format!("{nodes} URLs"));
    }
}
