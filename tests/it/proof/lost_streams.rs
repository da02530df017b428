//! Streams that are lost or put back while an ingester has nothing to append, or believes that it has appended all of it.

use std::time::{Duration, Instant};

use crate::servers::{SOON, Setting, assert_none};
use crate::support::clickhouse::Database;
use crate::support::length::short_or_long;
use crate::support::process::{Running, until};
use crate::support::redis::Redis;
use crate::support::tables::{Difference, compare_whole};
use crate::warehouse::clickhouse::mirror;

/// Those that bring something into the streams, and those that take it out again.
const INGESTERS: [&str; 3] = ["--no-tui", "--only", "ingest-fills,ingest-markets"];
const OTHERS: [&str; 3] =
    ["--no-tui", "--only", "process-trades,write-markets,write-trades,write-dead-letters,resolver"];

/// Small, and on servers of its own.
async fn setting(seed: u64, more: &str) -> Setting {
    Setting::on(seed, 60.0, Redis::own(&[]), Database::empty(), more).await
}

/// How many events a stream holds.
fn events(setting: &Setting, stream: &str) -> u64 {
    setting.redis.events(stream)
}

/// Stands the outside still. Says at which block.
fn freeze(setting: &Setting) -> u64 {
    let end = setting.server.head();
    setting.server.freeze_at(end);
    end
}

/// Waits until the streams hold all fills of the outside, which stands still, and no more markets come.
fn until_all_is_appended(setting: &Setting, end: u64) {
    let blocks = setting.world.config().first_block..=setting.world.finalized(end);
    let fills = setting.world.truth(blocks).trades.len() as u64;
    assert!(fills > 50, "only {fills} fills");
    let (mut markets, mut since) = (0, Instant::now());
    until(SOON, "everything is in the streams", || {
        let found = events(setting, "stream:markets");
        if found != markets {
            (markets, since) = (found, Instant::now());
        }
        let is_all = markets > 50 && since.elapsed() > Duration::from_secs(2);
        is_all && events(setting, "stream:order_events") >= fills
    });
}

fn difference(setting: &Setting, end: u64) -> Difference {
    let blocks = setting.world.config().first_block..=setting.world.finalized(end);
    compare_whole(&mirror(&setting.database), &setting.world, blocks, end)
}

/// Gives what runs time as long as it comes further, and says what differs in the end.
fn settled(setting: &Setting, end: u64) -> Difference {
    let (mut least, mut since) = (usize::MAX, Instant::now());
    loop {
        let difference = difference(setting, end);
        let wrong = difference.missing.len() + difference.altered.len() + difference.extra.len();
        if wrong < least {
            (least, since) = (wrong, Instant::now());
        }
        if wrong == 0 || since.elapsed() > Duration::from_secs(15) {
            return difference;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn assert_whole(setting: &Setting, end: u64, running: &[&Running]) {
    let difference = settled(setting, end);
    let [missing, altered] = [&difference.missing, &difference.altered].map(Vec::len);
    let markets = difference.missing.iter().filter(|row| row.starts_with("MarketRow")).count();
    assert!(
        missing == 0,
        "{markets} markets and {} other rows are missing, {altered} rows are poorer than they must be; it said:\n{}",
        missing - markets,
        running.iter().map(|running| running.stderr()).collect::<Vec<_>>().join("\n")
    );
    assert_none(&difference);
}

/// Row 8: everything in Redis is lost while the source stands still. Nobody but the ingesters could notice, and they have
/// nothing to append.
#[tokio::test(flavor = "multi_thread")]
async fn a_flush_beside_a_source_that_stands_still_is_noticed() {
    let setting = setting(801, "").await;
    let end = freeze(&setting);
    let ingesters = setting.place.start(&INGESTERS);
    until_all_is_appended(&setting, end);
    setting.redis.flush();
    let place = setting.place.another();
    let others = place.start(&OTHERS);
    assert_whole(&setting, end, &[&ingesters, &others]);
}

/// Row 7: Redis comes back as it was before the first market was appended: with the same generation, and an older cursor.
/// What the ingester believes to have appended is not there.
#[tokio::test(flavor = "multi_thread")]
async fn markets_are_appended_again_after_a_backup_without_them() {
    let mut setting = setting(702, "").await;
    // The streams begin, and are saved with no market in them.
    let first = setting.place.start(&["--no-tui", "--only", "ingest-fills"]);
    until(SOON, "fills are in the stream", || events(&setting, "stream:order_events") > 0);
    setting.redis.run(&["SAVE"]);
    first.terminate();
    first.wait(SOON);

    let ingesters = setting.place.start(&INGESTERS);
    let open = {
        let end = setting.server.head();
        let first = setting.world.config().first_block;
        setting.world.oracle(first..=first, end).markets.len() as u64
    };
    until(SOON, "the markets are in the stream", || events(&setting, "stream:markets") >= open);
    setting.redis.kill();
    setting.says(&ingesters, "Redis at 127.0.0.1:", 1);
    setting.redis.start();
    // The outside goes on, so there is something to append.
    until(SOON, "a market is appended", || events(&setting, "stream:markets") > 0);
    let end = freeze(&setting);
    let place = setting.place.another();
    let others = place.start(&OTHERS);
    assert_whole(&setting, end, &[&ingesters, &others]);
}

/// Row 8: the streams are lost while all markets are in them and few in the table. It must not be said that everything is
/// there on the strength of what was appended before.
#[tokio::test(flavor = "multi_thread")]
async fn caught_up_is_not_said_of_streams_that_are_gone() {
    for (seed, part) in short_or_long(&[(811, 0.8)][..], &[(811, 0.8), (812, 0.6), (813, 0.7), (814, 0.4)]) {
        // Batches are small, so that much is in the stream only.
        let more = "writer.max_rows = 20\nwriter.linger = \"300ms\"";
        let setting = setting(*seed, more).await;
        let end = freeze(&setting);
        let first = setting.world.config().first_block;
        let markets = setting.world.oracle(first..=first, end).markets.len();
        let enough = (markets as f64 * *part) as u64;
        let running = setting.place.start(&["--no-tui", "--until-caught-up", "--timeout", "60s"]);
        until(SOON, "markets are in the stream", || added(&setting) >= enough);
        setting.redis.flush();
        let ended = tokio::task::block_in_place(|| running.wait(SOON * 2));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let difference = difference(&setting, end);
        let missing = difference.missing.len();
        assert!(missing == 0, "exit 0, and {missing} rows are missing, of {markets} markets and their trades");
        assert_none(&difference);
    }
}

/// How many markets were ever appended.
fn added(setting: &Setting) -> u64 {
    let key = setting.redis.key("tally:stream:markets");
    let mut command = redis::cmd("HGET");
    let added: Option<u64> = command.arg(key).arg("added").query(&mut setting.redis.client()).unwrap();
    added.unwrap_or(0)
}
