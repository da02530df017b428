//! Logs that say another time than their block's header.

use std::time::Duration;

use polytape::demo::{Faults, Lies};

use crate::servers::{SOON, Setting, assert_none};
use crate::support::lying::Lying;
use crate::support::process::until;
use crate::support::tables::compare_fills;
use crate::warehouse::clickhouse::mirror;

/// Row 5: `blockTimestamp` of 1970, of 2106 and above u32. A row's time is that of the header.
#[tokio::test(flavor = "multi_thread")]
async fn times_that_are_not_those_of_the_header() {
    for (time, nodes, only_node) in [(1, 1, None), (u64::from(u32::MAX), 2, Some(0)), (1 << 40, 3, Some(1))] {
        let lies = Lies { block_timestamp: Some(time), ..Lies::default() };
        let lying = Lying::new(nodes, Faults { only_node, ..Faults::lying(lies) }).await;
        lying.follow(Duration::from_secs(3)).await.assert_whole(lying.last(), &format!("{nodes} URLs, time {time}"));
    }
}

/// Row 5: the same on Redis and ClickHouse, where the time is a part of a row's key; beside kills.
#[tokio::test(flavor = "multi_thread")]
async fn one_time_for_each_trade_on_servers() {
    let setting = Setting::new(51).await;
    let lies = Lies { block_timestamp: Some(1), ..Lies::default() };
    setting.server.faults().set(Faults::lying(lies));
    for _ in 0..3 {
        let running = setting.start();
        let before = setting.trades();
        until(SOON, "rows flow", || setting.trades() > before + 1_000);
        running.kill();
    }
    let end = setting.server.head();
    setting.server.freeze_at(end);
    let ended = setting.run(&["--no-tui", "--until-caught-up", "--timeout", "60s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let rows = setting.trades();
    let ids = "SELECT uniqExact(transaction_hash, log_index, source_id) FROM trades";
    let false_times = "SELECT count() FROM trades FINAL WHERE timestamp < toDateTime('2020-01-01', 'UTC')";
    let [ids, false_times] = [ids, false_times].map(|sql| setting.database.number(sql));
    assert_eq!(
        (rows, false_times),
        (ids, 0),
        "{rows} rows under FINAL for {ids} trades, {false_times} of them in 1970"
    );
    let blocks = setting.world.config().first_block..=setting.world.finalized(end);
    let mut difference = compare_fills(&mirror(&setting.database), &setting.world, blocks);
    // A dead letter holds what the node said, the wrong time, too.
    difference.altered.retain(|row| !row.starts_with("DeadLetterRow"));
    assert_none(&difference);
}
