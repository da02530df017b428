//! Ranges that are refused in unknown words, or in none.

use std::time::Duration;

use polytape::demo::{Faults, Lies, Refusal};

use crate::support::lying::Lying;
use crate::support::outside;

const LIVE: Duration = Duration::from_secs(2);

/// Row 13: every range above some blocks is refused, as public providers refuse it.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_that_say_nothing_of_less() {
    for refusal in [
        Refusal::RangeExceedsLimit,
        Refusal::RangeExceedsLimitByRate,
        Refusal::MustNotExceed,
        Refusal::AbsurdLimit,
        Refusal::ArchiveForbidden,
        Refusal::UnknownWords,
        Refusal::InvalidParams,
        Refusal::LimitExceeded,
        Refusal::Http500,
        Refusal::Http502,
        Refusal::CutBody,
    ] {
        let lies = Lies { refuse_above: Some(3), refusal, ..Lies::default() };
        let lying = Lying::new(1, Faults::lying(lies)).await;
        lying.follow(LIVE).await.assert_whole(lying.last(), &format!("refused by {refusal:?}"));
    }
}

/// Row 13: `result: null` where there are no logs, and behind the last fill there are none.
#[tokio::test(flavor = "multi_thread")]
async fn null_for_no_logs() {
    for nodes in [1, 2] {
        let lies = Lies { null_for_none: true, ..Lies::default() };
        let (world, server) = outside::busy_until(20_261_130, 1_000.0, 2_500).await;
        let urls = server.urls(nodes);
        let lying = Lying::reading(world, server, &urls, Faults::lying(lies));
        lying.follow(LIVE).await.assert_whole(lying.last(), &format!("{nodes} URLs"));
    }
}
