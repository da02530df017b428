//! Logs that say another time than their block's header.

use std::time::Duration;

use polytape::demo::{Faults, Lies};

use crate::support::lying::Lying;

/// Row 5: `blockTimestamp` of 1970, of 2106 and above u32. A row's time is that of the header.
#[tokio::test(flavor = "multi_thread")]
async fn times_that_are_not_those_of_the_header() {
    for (time, nodes, only_node) in [(1, 1, None), (u64::from(u32::MAX), 2, Some(0)), (1 << 40, 3, Some(1))] {
        let lies = Lies { block_timestamp: Some(time), ..Lies::default() };
        let lying = Lying::new(nodes, Faults { only_node, ..Faults::lying(lies) }).await;
        lying.follow(Duration::from_secs(3)).await.assert_whole(lying.last(), &format!("{nodes} URLs, time {time}"));
    }
}
