//! Redis is losable: whatever of it is lost while rows flow is noticed, said, and read again from the watermark.

use polytape::planted::Bug;

use super::{SOON, Setting, assert_none};
use crate::support::clickhouse::Database;
use crate::support::process::until;
use crate::support::redis::Redis;
use crate::support::tables::Difference;

/// Everything is lost, three times, each time as soon as the watermark has moved: what is before it must be in the tables.
async fn flushed(seed: u64, bug: Option<Bug>) -> Difference {
    // Rows are on their way for a while.
    let more = r#"writer.linger = "1s""#;
    let setting = Setting::on(seed, 1_000.0, Redis::new(), Database::empty(), more).await.with_bug(bug);
    let running = setting.start();
    for time in 1..=3 {
        setting.let_it_flow();
        let watermark = setting.watermark();
        until(SOON, "the watermark moves", || setting.watermark() != watermark);
        setting.redis.flush();
        setting.says(&running, "the streams were lost", time);
    }
    setting.let_it_flow();
    running.kill();
    setting.difference()
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_lost_are_read_again() {
    assert_none(&flushed(5, None).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_barrier_that_is_read_downstream_first_shows() {
    // It shows where the streams go in the one second that it leaves open: mostly in the first world.
    for seed in 6..12 {
        let missing = flushed(seed, Some(Bug::BarrierDownstreamFirst)).await.missing.len();
        println!("{missing} rows were missed");
        if missing > 0 {
            return;
        }
    }
    panic!("the bug was not found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_in_part_is_lost_as_a_whole_and_read_again() {
    // Every time all that was on its way is read again: a world that goes on at a moderate pace.
    let setting = Setting::on(11, 300.0, Redis::new(), Database::empty(), "").await;
    let redis = &setting.redis;
    let key = |name: &str| redis.key(name);
    let running = setting.start();
    let (trades, events) = (key("stream:trades"), key("stream:order_events"));
    for (command, said) in [
        (vec!["DEL", &trades], format!("{trades} is gone")),
        (vec!["DEL", &events], format!("{events} is gone")),
        (vec!["XGROUP", "DESTROY", &trades, "trade_writers"], format!("trade_writers of {trades} is gone")),
        (vec!["DEL", &key("state:ingest-fills:polygon")], format!("{} is gone", key("state:ingest-fills:polygon"))),
        (vec!["DEL", &key("state:ingest-markets:gamma")], format!("{} is gone", key("state:ingest-markets:gamma"))),
        (vec!["DEL", &key("state:generation")], "their generation is gone".into()),
        (vec!["DEL", &key("tally:stream:trades")], format!("{} is gone", key("tally:stream:trades"))),
    ] {
        setting.let_it_flow();
        redis.run(&command);
        let said = format!("the streams were lost ({said}): starting again at ");
        setting.says(&running, &said, 1);
    }
    setting.let_it_flow();
    setting.lands(running);
    setting.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_server_is_filled_again() {
    let setting = Setting::on(12, 1_000.0, Redis::own(&[]), Database::empty(), "").await;
    let mut setting = setting;
    let running = setting.start();
    setting.let_it_flow();
    setting.redis.kill();
    setting.says(&running, "Redis at 127.0.0.1:", 1);
    setting.redis.forget();
    setting.redis.start();
    setting.says(&running, "the streams were lost (their generation is gone): starting again at ", 1);
    setting.let_it_flow();
    setting.lands(running);
    setting.finish();
}
