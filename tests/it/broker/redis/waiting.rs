//! Readers that wait, and readers that are given up in the middle of it.

use std::time::{Duration, Instant};

use polytape::broker::{Broker, RedisBroker, Stream};
use polytape::flow::StreamId;

use super::Redis;
use crate::broker::conformance::{KEY, advance, entry, input, layout, read_all, texts};

async fn begun(redis: &Redis) -> RedisBroker {
    let broker = redis.broker("one");
    broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap();
    broker
}

async fn append(broker: &RedisBroker, text: &str, expected: &str, next: &str) {
    broker.append(vec![entry(Stream::of(StreamId::OrderEvents), text)], advance(expected, next)).await.unwrap();
}

/// The client's own limit of half a second, or any other, does not end a wait.
#[tokio::test]
async fn a_wait_lasts_as_long_as_it_should() {
    let redis = Redis::new();
    let broker = begun(&redis).await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let began = Instant::now();
    assert!(reader.read(1, 1, Duration::from_millis(2_500)).await.unwrap().is_empty());
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(2_500) && took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn what_comes_wakes_who_waits() {
    let redis = Redis::new();
    let broker = begun(&redis).await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let appending = broker.clone();
    let appended = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1_300)).await;
        append(&appending, "a", "0", "1").await;
        Instant::now()
    });
    assert_eq!(texts(&reader.read(9, 1 << 20, Duration::from_secs(20)).await.unwrap()), ["a"]);
    let woken = appended.await.unwrap().elapsed();
    assert!(woken < Duration::from_millis(500), "{woken:?}");
}

/// However often a read is cut off, waiting or in the middle of an answer: what it was given comes again, once.
#[tokio::test]
async fn a_read_that_is_given_up_loses_nothing() {
    let redis = Redis::new();
    let broker = begun(&redis).await;
    let mut reader = broker.reader(&input()).await.unwrap();
    let mut seen = Vec::new();
    for round in 0..60_u64 {
        append(&broker, &round.to_string(), &round.to_string(), &(round + 1).to_string()).await;
        let wait = Duration::from_micros(round * 37 % 1_500);
        if let Ok(read) = tokio::time::timeout(wait, reader.read(1, 1 << 20, Duration::from_secs(10))).await {
            seen.extend(texts(&read.unwrap()));
        }
    }
    seen.extend(texts(&read_all(&mut *reader).await));
    let mut expected: Vec<String> = (0..60).map(|round| round.to_string()).collect();
    let in_order = seen.is_sorted_by_key(|text| text.parse::<u32>().unwrap());
    expected.sort();
    seen.sort();
    assert_eq!(seen, expected);
    assert!(in_order, "what was given up comes before what is new");
}

/// A command of a connection that is gone may arrive at the server behind those of the next. It must get nothing.
#[tokio::test]
async fn a_late_read_of_an_earlier_connection_is_refused() {
    let redis = Redis::new();
    let broker = begun(&redis).await;
    let reader = broker.reader(&input()).await.unwrap();
    let seat = |text: &str| format!("{:?}", redis.run(&["HGET", &redis.key("tally:stream:order_events"), text]));
    let first = seat("seat:trade_processors:one");
    let mut again = broker.reader(&input()).await.unwrap();
    assert_ne!(seat("seat:trade_processors:one"), first, "a seat is never taken twice");
    drop(reader);
    append(&broker, "a", "0", "1").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(texts(&read_all(&mut *again).await), ["a"], "the first gives up a seat that is not its own any more");
}
