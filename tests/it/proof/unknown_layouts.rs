//! An exchange that emits what nobody knows, and a proxy whose implementation is replaced.

use std::time::Duration;

use polytape::demo::Faults;

use crate::support::lying::Lying;
use crate::support::process::until;

const SOON: Duration = Duration::from_secs(40);

/// Row 23: fills of a layout that nobody knows are counted, shown and alarmed, and so is a new implementation; nothing of it
/// becomes a dead letter, and nothing stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_layout_that_nobody_knows() {
    let lying = Lying::new(1, Faults::default()).await;
    let soon = lying.server.head() + 60;
    let upgraded_at = (soon..).find(|block| lying.world.block(*block).fills() > 0);
    lying.server.faults().set(Faults { upgraded_at, unknown_layout_every: Some(2), ..Faults::default() });
    let mut running = lying.start();
    let said = |text: &str| running.stderr().contains(text);
    until(SOON, "the log says that an implementation was replaced", || said("implementation"));
    until(SOON, "the log says that an event is unknown", || said("unknown event"));
    let tables = lying.come_to_the_end(&mut running).await;
    tables.assert_whole(lying.last(), "beside an unknown layout");
}
