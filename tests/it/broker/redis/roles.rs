//! Servers that are there and not what is wanted: a replica, a primary without its replicas, a Sentinel, one that cannot save.

use std::time::Duration;

use polytape::broker::{Broker, BrokerError};
use polytape::failure::FailureClass;
use polytape::flow::StreamId;

use super::Redis;
use crate::broker::conformance::{KEY, advance, entry, layout};
use crate::support::process::until;

fn begin() -> [(String, String); 1] {
    [(KEY.into(), "0".into())]
}

/// Waits until something is so of what a server says of itself.
fn until_says(redis: &Redis, words: &str) {
    let said = || format!("{:?}", redis.run(&["INFO", "replication"]));
    until(Duration::from_secs(30), words, || said().contains(words));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_told_as_one_and_waited_for() {
    let primary = Redis::own(&[]);
    let port = primary.port().to_string();
    let replica = Redis::own(&["--replicaof", "127.0.0.1", &port]);
    let broker = replica.broker("one");
    let words = format!("it is a replica of 127.0.0.1:{port}, which takes no writes: name its primary");
    let error = broker.join(&layout()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Retry, "it may become the primary");
    assert!(error.to_string().contains(&words), "{error}");
    let look = broker.look().await.unwrap();
    assert!(look.fault.unwrap().what().contains(&words));
    until_says(&replica, "master_link_status:up");
    let error = broker.try_write().await.unwrap_err().to_string();
    assert!(error.contains("READONLY") && error.contains("name its primary"), "{error}");
    replica.run(&["REPLICAOF", "NO", "ONE"]);
    assert!(matches!(broker.join(&layout()).await, Err(BrokerError::Lost(_))), "it is one now");
    broker.begin(&layout(), &begin()).await.unwrap();
}

/// One that takes writes all the same loses them, but they are taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_takes_writes_is_warned_of() {
    let primary = Redis::own(&[]);
    let port = primary.port().to_string();
    let replica = Redis::own(&["--replicaof", "127.0.0.1", &port, "--replica-read-only", "no"]);
    until_says(&replica, "master_link_status:up");
    let broker = replica.broker("one");
    let look = broker.look().await.unwrap();
    assert!(look.fault.is_none() && look.warnings[0].contains(&port), "{look:?}");
    broker.begin(&layout(), &begin()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_without_its_replicas_is_told_and_waited_for() {
    let primary = Redis::own(&["--min-replicas-to-write", "1", "--repl-diskless-sync-delay", "0"]);
    let broker = primary.broker("one");
    let words = "fewer replicas are in reach than its min-replicas-to-write asks for";
    let error = broker.join(&layout()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Retry);
    assert!(error.to_string().contains(words), "{error}");
    // It says how many are in reach, but not how many it wants: then the first write tells.
    let port = primary.port().to_string();
    let _replica = Redis::own(&["--replicaof", "127.0.0.1", &port]);
    until_says(&primary, "min_slaves_good_slaves:1");
    primary.run(&["CONFIG", "SET", "min-replicas-to-write", "2"]);
    assert!(broker.look().await.unwrap().fault.is_none());
    for error in [broker.try_write().await.unwrap_err(), broker.begin(&layout(), &begin()).await.unwrap_err()] {
        assert_eq!(error.class(), FailureClass::Retry);
        let told = error.to_string();
        assert!(told.contains("NOREPLICAS") && told.contains(words), "{told}");
    }
    primary.run(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    broker.try_write().await.unwrap();
    broker.begin(&layout(), &begin()).await.unwrap();
}

#[tokio::test]
async fn a_sentinel_names_the_primary() {
    let primary = Redis::own(&[]);
    let sentinel = Redis::watching(primary.port());
    let broker = sentinel.broker("one");
    let error = broker.join(&layout()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Deterministic);
    let told = error.to_string();
    assert!(told.contains("it is a Sentinel, which holds no streams: name the address of the primary"), "{told}");
    assert!(told.contains(&format!("mymaster is at 127.0.0.1:{}", primary.port())), "{told}");
}

/// A snapshot that cannot be written stops all writes, until one can.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_save_is_waited_for() {
    let redis = Redis::own(&["--save", "3600 1"]);
    let broker = redis.broker("one");
    broker.begin(&layout(), &begin()).await.unwrap();
    redis.obstruct("dump.rdb");
    let saved = |how: &str| {
        redis.run(&["BGSAVE"]);
        let said = || format!("{:?}", redis.run(&["INFO", "persistence"]));
        until(Duration::from_secs(30), how, || {
            said().contains(&format!("rdb_last_bgsave_status:{how}")) && said().contains("rdb_bgsave_in_progress:0")
        });
    };
    saved("err");
    let append = async || {
        broker.append(vec![entry(polytape::broker::Stream::of(StreamId::Trades), "a")], advance("0", "1")).await
    };
    for error in [broker.try_write().await.unwrap_err(), append().await.unwrap_err()] {
        assert_eq!(error.class(), FailureClass::Retry);
        let told = error.to_string();
        assert!(told.contains("MISCONF") && told.contains("it cannot save to its disk: see its log"), "{told}");
    }
    redis.clear("dump.rdb");
    saved("ok");
    append().await.unwrap();
}
