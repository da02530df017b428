//! Fills of a subgraph on servers as they are found: a user that may do no more than a run needs, and ClickHouse of 2024.

use jiff::Timestamp;
use polytape::demo::SubgraphFaults;

use super::restricted::{TO_RUN, checked, is_refused, without};
use super::{SOON, Setting, assert_none};
use crate::support::clickhouse::{Database, wait};
use crate::support::outside;
use crate::support::process::until;
use crate::support::redis::Redis;
use crate::support::release::Release;
use crate::support::restriction::Restriction;
use crate::support::tables::{Difference, compare_fills, compare_goldsky};
use crate::warehouse::clickhouse::mirror;

/// A world whose subgraph is read beside its chain. The chain begins at a block, of which the subgraph knows nothing.
async fn setting(seed: u64, database: Database) -> Setting {
    let setting = Setting::on(seed, 100.0, Redis::new(), database, "").await;
    let (goldsky, start) = (setting.server.goldsky_url(), begin(&setting));
    let subgraph = format!(
        r#"sources.goldsky = {{ enabled = true, url = "{goldsky}", start = "{start}", poll_interval = "50ms", settle = "1s", page = 100 }}"#
    );
    let more =
        [r#"writer.linger = "10ms""#, &subgraph, &setting.redis.section(), &setting.database.section()].join("\n");
    setting.place.configure(&outside::config(&setting.world, &setting.server, &more));
    setting
}

fn begin(setting: &Setting) -> Timestamp {
    Timestamp::from_millisecond(setting.world.config().genesis_ms).unwrap()
}

/// Runs it until both tables hold as many rows as the world has, and compares them.
fn both_land(setting: &Setting) {
    let end = setting.server.head();
    setting.server.freeze_at(end);
    let blocks = || setting.world.config().first_block..=setting.world.finalized(end);
    let (first, faults) = (begin(setting).as_second(), SubgraphFaults::default());
    let seconds = || first - 1..=first + 3_600;
    let of_chain = setting.world.truth(blocks()).trades.len() as u64;
    let of_subgraph = setting.world.goldsky_oracle(seconds(), end, &faults).trades.len() as u64;
    assert!(of_chain > 100 && of_subgraph > 100, "{of_chain} and {of_subgraph}");
    let running = setting.start();
    let landed =
        || setting.database.ask("SELECT count() FROM trades_goldsky FINAL").map_or(0, |n| n.trim().parse().unwrap());
    until(SOON * 3, "all rows land", || setting.trades() >= of_chain && landed() >= of_subgraph);
    let difference = || {
        let (difference, _): (Difference, _) =
            compare_goldsky(&mirror(&setting.database), &setting.world, seconds(), end, &faults);
        difference
    };
    until(SOON * 3, "what can be known of them is", || difference().is_none());
    running.terminate();
    let ended = running.wait(SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    setting.database.engine().lift();
    let store = mirror(&setting.database);
    assert_none(&compare_fills(&store, &setting.world, blocks()));
    assert_none(&difference());
    println!("{of_chain} rows of the chain, {of_subgraph} of the subgraph");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_the_subgraph_needs_no_more_than_select_and_insert() {
    let database = Database::own();
    wait(database.warehouse().apply_schema()).unwrap();
    let setting = setting(51, database).await;
    for right in ["SELECT", "INSERT"] {
        setting.database.engine().restrict(&without("trades_goldsky", right));
        let words = "GRANT SELECT, INSERT ON polymarket.trades_goldsky TO default";
        is_refused(&setting, &format!("no {right} on trades_goldsky"), &[words]);
    }
    setting.database.engine().restrict(&Restriction::to(&[TO_RUN]));
    let (code, line) = checked(&setting);
    assert!(code == Some(0) && line.starts_with("ok ") && line.contains("all tables as they should be"), "{line}");
    tokio::task::block_in_place(|| both_land(&setting));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn a_run_with_the_subgraph_on_24_8() {
    let Some(database) = Database::empty_on(Release::named("24.8")) else { return };
    let setting = setting(52, database).await;
    let found = setting.run(&["check"]);
    assert_eq!(found.code, Some(0), "{}", found.stdout);
    assert!(found.stdout.lines().any(|line| line.starts_with("ok ") && line.contains(" goldsky ")), "{}", found.stdout);
    tokio::task::block_in_place(|| both_land(&setting));
}
