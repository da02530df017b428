//! A Redis that is a replica for a while, as in a failover that is undone.

use crate::servers::{SOON, Setting, assert_none};
use crate::support::clickhouse::Database;
use crate::support::process::{Running, until};
use crate::support::redis::{Redis, free_port};

/// Row 15: a primary is demoted in mid-run and comes back, once as it was and once as a copy of an empty one. Readers that
/// wait are answered `-UNBLOCKED`, writers `-READONLY`: that passes, and nobody gives up.
#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_a_replica_for_a_while_is_waited_for() {
    let setting = Setting::on(1_501, 100.0, Redis::own(&[]), Database::empty(), "").await;
    let other = Redis::own(&[]);
    let other_port = other.url().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    // Nobody is there: what it holds stays as it is.
    let nobody = free_port().to_string();
    let mut running = setting.start();
    setting.let_it_flow();
    for (time, primary) in [nobody, other_port].into_iter().enumerate() {
        setting.redis.run(&["REPLICAOF", "127.0.0.1", &primary]);
        setting.says(&running, "READONLY", 8 * time + 1);
        setting.redis.run(&["REPLICAOF", "NO", "ONE"]);
        let before = setting.trades();
        until(SOON, "rows flow again", || {
            assert!(running.ended().is_none(), "it has given up: {}", last_line(&running));
            setting.trades() > before + 100
        });
    }
    let ended = setting.lands(running);
    assert!(!ended.stderr.contains(r#""to":"FAIL""#), "a stage gave up: {}", ended.stderr);
    assert_none(&setting.difference_as_it_is());
}

fn last_line(running: &Running) -> String {
    running.stderr().lines().last().unwrap_or_default().to_owned()
}
