//! A stage that waits says what for within two seconds: from the start of the process, and from when something goes away.

use std::time::Duration;

use polytape::flow::StageId;
use vt100::Screen;

use super::rig::{Rig, USUAL, stage};
use crate::support::clickhouse::Database;
use crate::support::outside;
use crate::support::process::Workplace;
use crate::support::redis::{Redis, free_port};

const WITHIN: Duration = Duration::from_secs(2);

/// Others use the machine, too: what counts is how quick it can be.
const TRIES: usize = 3;

/// Waits until the first stage waits for this, and the others for this or for that stage. Says how long that took.
fn until_all_wait(rig: &Rig, words: &str) -> Duration {
    let waits_for = |screen: &Screen, id: StageId, words: &str| {
        let shown = stage(screen, id.as_str());
        shown.contains(" WAIT ") && shown.contains(words)
    };
    rig.until(words, |screen| {
        let (first, mut rest) = (StageId::IngestFills, outside::stages().filter(|id| *id != StageId::IngestFills));
        let first_is = format!("{first} has not");
        let is_told = |id: StageId| waits_for(screen, id, words) || waits_for(screen, id, &first_is);
        waits_for(screen, first, words) && rest.all(is_told)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn for_what_is_not_there_at_the_start() {
    let (world, server) = outside::busy(166, 100.0).await;
    let (redis, database, port) = (Redis::new(), Database::new(), free_port());
    let no_redis = format!(r#"redis = {{ url = "redis://127.0.0.1:{port}/" }}"#);
    let no_clickhouse = format!(r#"clickhouse = {{ url = "http://127.0.0.1:{port}" }}"#);
    let stores = |redis: &str, clickhouse: &str| outside::config(&world, &server, &format!("{redis}\n{clickhouse}"));
    let (node, no_node) = (format!("{:?}", server.urls(3)), format!("[\"http://127.0.0.1:{port}\"]"));
    for (config, words) in [
        (stores(&redis.section(), &database.section()).replace(&node, &no_node), "127.0.0.1:"),
        (stores(&no_redis, &database.section()), "Redis at"),
        (stores(&redis.section(), &no_clickhouse), "ClickHouse at"),
    ] {
        let place = Workplace::new(&config);
        let took = (0..TRIES).map(|_| {
            let rig = Rig::start(&place.command(&["run"]), USUAL, &place);
            let took = until_all_wait(&rig, words);
            rig.kill();
            took
        });
        let took = took.min().unwrap();
        println!("{words:?} after {took:?}");
        assert!(took < WITHIN, "{words:?} after {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn for_what_goes_away() {
    let (world, server) = outside::busy(167, 100.0).await;
    let (mut redis, database) = (Redis::own(&[]), Database::new());
    let place = Workplace::new(&outside::config(&world, &server, &[redis.section(), database.section()].join("\n")));
    let rig = Rig::start(&place.command(&["run"]), USUAL, &place);
    let took = (0..TRIES).map(|_| {
        rig.until("rows are written", |screen| stage(screen, "write-trades").contains(" RUN "));
        redis.kill();
        // The resolver needs no Redis.
        let took = rig.until("all others wait for Redis", |screen| {
            let mut others = outside::stages().filter(|id| *id != StageId::Resolver);
            others.all(|id| stage(screen, id.as_str()).contains("Redis at"))
        });
        redis.start();
        took
    });
    let took = took.min().unwrap();
    println!("Redis is gone after {took:?}");
    assert!(took < WITHIN, "{took:?}");
    rig.kill();
}
