//! Several processes at one server: who holds what, and who takes it.

use std::time::{Duration, Instant};

use polytape::broker::{Broker, BrokerError, EntryId, RedisBroker, Stream, StreamState};
use polytape::flow::StreamId;

use super::Redis;
use crate::broker::conformance::{KEEP_NOTHING, KEY, advance, entry, input, layout, read_all, texts};

async fn begun(redis: &Redis, consumer: &str) -> RedisBroker {
    let broker = redis.broker(consumer);
    broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap();
    broker
}

async fn joined(redis: &Redis, consumer: &str) -> RedisBroker {
    let broker = redis.broker(consumer);
    broker.join(&layout()).await.unwrap();
    broker
}

async fn append(broker: &RedisBroker, texts: &[&str], expected: &str, next: &str) {
    let entries = texts.iter().map(|text| entry(Stream::of(StreamId::OrderEvents), text)).collect();
    broker.append(entries, advance(expected, next)).await.unwrap();
}

/// Entries of one group are shared: each goes to one process.
#[tokio::test]
async fn processes_share_a_group() {
    let redis = Redis::new();
    let (one, other) = (begun(&redis, "one").await, joined(&redis, "other").await);
    append(&one, &["a", "b", "c", "d"], "0", "4").await;
    let (mut first, mut second) = (one.reader(&input()).await.unwrap(), other.reader(&input()).await.unwrap());
    assert_eq!(texts(&first.read(2, 1 << 20, Duration::ZERO).await.unwrap()), ["a", "b"]);
    assert_eq!(texts(&read_all(&mut *second).await), ["c", "d"]);
    assert!(read_all(&mut *first).await.is_empty());
}

/// Not before its key is gone, however long it holds them; and then within 15 seconds of its last sign of life.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_process_is_followed_and_a_live_one_left_alone() {
    let redis = Redis::new();
    let alive = begun(&redis, "alive").await;
    // A process that is killed is a runtime that ends without a word.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (dying, waiting) = (redis.broker("dying"), joined(&redis, "waiting").await);
    append(&alive, &["a", "b", "c"], "0", "3").await;
    let mut holder = alive.reader(&input()).await.unwrap();
    assert_eq!(texts(&holder.read(1, 1 << 20, Duration::ZERO).await.unwrap()), ["a"]);
    let held = runtime.spawn(async move {
        dying.join(&layout()).await.unwrap();
        let mut reader = dying.reader(&input()).await.unwrap();
        let held = reader.read(2, 1 << 20, Duration::ZERO).await.unwrap();
        // Neither says goodbye: they are dropped nowhere.
        std::mem::forget((reader, dying));
        held
    });
    assert_eq!(texts(&held.await.unwrap()), ["b", "c"]);
    let mut reader = waiting.reader(&input()).await.unwrap();
    assert!(reader.read(9, 1 << 20, Duration::from_secs(7)).await.unwrap().is_empty(), "both live");
    let died = Instant::now();
    runtime.shutdown_background();
    let taken = reader.read(9, 1 << 20, Duration::from_secs(30)).await.unwrap();
    assert_eq!(texts(&taken), ["b", "c"]);
    assert!(died.elapsed() < Duration::from_secs(15), "{:?}", died.elapsed());
    assert!(died.elapsed() > Duration::from_secs(5), "taken while it might live: {:?}", died.elapsed());
    assert!(reader.read(9, 1 << 20, Duration::from_secs(2)).await.unwrap().is_empty(), "the live one keeps its own");
    assert_eq!(waiting.acknowledge(&input(), taken.iter().map(|delivery| delivery.id).collect()).await.unwrap(), 2);
    let consumers =
        format!("{:?}", redis.run(&["XINFO", "CONSUMERS", &redis.key("stream:order_events"), "trade_processors"]));
    assert!(!consumers.contains("dying") && consumers.contains("alive"), "{consumers}");
}

/// Two find the streams lost; the slower one must not end what the quicker one has begun.
#[tokio::test]
async fn who_begins_anew_too_late_is_told() {
    let redis = Redis::new();
    let (one, other) = (redis.broker("one"), redis.broker("other"));
    let begin = [(KEY.to_owned(), "0".to_owned())];
    for _ in 0..2 {
        for broker in [&one, &other] {
            assert!(matches!(broker.join(&layout()).await, Err(BrokerError::Lost(_))));
        }
        one.begin(&layout(), &begin).await.unwrap();
        append(&one, &["a"], "0", "1").await;
        let late = other.begin(&layout(), &begin).await;
        assert!(matches!(&late, Err(BrokerError::Lost(why)) if why.contains("another process")), "{late:?}");
        other.join(&layout()).await.unwrap();
        assert_eq!(other.cursor(KEY).await.unwrap().as_deref(), Some("1"), "it goes on");
        redis.run(&["DEL", &redis.key("stream:trades")]);
    }
}

/// What only one process does is done by one, and by another once that has left it or is dead.
#[tokio::test]
async fn a_name_is_held_by_one_process_that_lives() {
    let redis = Redis::new();
    let (one, other) = (begun(&redis, "one").await, joined(&redis, "other").await);
    // A process lives by its key, which is there a moment after it has joined.
    let lives = async |name: &str| {
        while !redis.keys().contains(&redis.key(name)) {
            tokio::time::sleep(Duration::from_millis(5)).await
        }
    };
    lives("proc:one").await;
    lives("proc:other").await;
    assert!(one.acquire_lease("replay:x").await.unwrap());
    assert!(!other.acquire_lease("replay:x").await.unwrap());
    assert!(other.acquire_lease("replay:y").await.unwrap(), "another name");
    other.release_lease("replay:x").await.unwrap();
    assert!(one.acquire_lease("replay:x").await.unwrap(), "nobody leaves what another holds");
    one.release_lease("replay:x").await.unwrap();
    assert!(other.acquire_lease("replay:x").await.unwrap());
    assert!(!one.acquire_lease("replay:x").await.unwrap());
    redis.run(&["DEL", &redis.key("proc:other")]);
    assert!(one.acquire_lease("replay:x").await.unwrap(), "as if it were dead");
}

/// A stage that is stopped in a process that lives must not keep its entries from all others.
#[tokio::test]
async fn a_reader_that_is_given_up_leaves_its_entries_to_others() {
    let redis = Redis::new();
    let (one, other) = (begun(&redis, "one").await, joined(&redis, "other").await);
    append(&one, &["a"], "0", "1").await;
    let mut reader = one.reader(&input()).await.unwrap();
    assert_eq!(texts(&read_all(&mut *reader).await), ["a"]);
    let mut second = other.reader(&input()).await.unwrap();
    assert!(second.read(1, 1, Duration::from_millis(1_500)).await.unwrap().is_empty());
    drop(reader);
    assert_eq!(texts(&second.read(1, 1, Duration::from_secs(10)).await.unwrap()), ["a"]);
}

/// A process that ends says so, unless another has its name by then.
#[tokio::test]
async fn a_process_that_ends_is_followed_at_once() {
    let redis = Redis::new();
    let one = begun(&redis, "one").await;
    let proc = redis.key("proc:one");
    let until_beaten = async || {
        while !redis.keys().contains(&proc) {
            tokio::time::sleep(Duration::from_millis(5)).await
        }
    };
    until_beaten().await;
    let again = joined(&redis, "one").await;
    let reader = again.reader(&input()).await.unwrap();
    drop(one);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(redis.keys().contains(&proc), "it is another's now");
    drop((reader, again));
    let began = Instant::now();
    while redis.keys().contains(&proc) {
        assert!(began.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_reader_is_told_that_another_took_over() {
    let redis = Redis::new();
    let broker = begun(&redis, "one").await;
    append(&broker, &["a"], "0", "1").await;
    let mut first = broker.reader(&input()).await.unwrap();
    let mut second = broker.reader(&input()).await.unwrap();
    let error = first.read(1, 1, Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, BrokerError::Superseded(_)), "{error}");
    assert_eq!(second.read(1, 1, Duration::ZERO).await.unwrap().len(), 1);
    // Also by a process of the same name.
    let again = joined(&redis, "one").await;
    let mut third = again.reader(&input()).await.unwrap();
    let error = second.read(1, 1, Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, BrokerError::Superseded(_)), "{error}");
    assert_eq!(third.read(1, 1, Duration::ZERO).await.unwrap().len(), 1);
}

fn group(state: &StreamState, name: &str) -> (u64, u64, u64, EntryId) {
    let group = state.groups.iter().find(|group| group.name == name).unwrap();
    (group.pending, group.undelivered, group.unacknowledged_bytes, group.clear_up_to)
}

/// A group that is not required loses what is trimmed in front of it, and is told nothing else.
#[tokio::test]
async fn a_trim_over_the_head_of_a_replay_keeps_the_counts_honest() {
    let redis = Redis::new();
    let broker = begun(&redis, "one").await;
    append(&broker, &["a", "bb", "ccc", "dddd"], "0", "4").await;
    let stream = Stream::of(StreamId::OrderEvents);
    let replay = stream.group("replay:x");
    broker.open_group(&replay, EntryId::default()).await.unwrap();
    let (mut live, mut slow) = (broker.reader(&input()).await.unwrap(), broker.reader(&replay).await.unwrap());
    let read = read_all(&mut *live).await;
    assert_eq!(slow.read(2, 1 << 20, Duration::ZERO).await.unwrap().len(), 2);
    broker.acknowledge(&replay, vec![read[1].id]).await.unwrap();
    broker.acknowledge(&input(), read[..3].iter().map(|delivery| delivery.id).collect()).await.unwrap();
    let before = broker.stream(&stream).await.unwrap();
    assert_eq!(group(&before, "replay:x"), (1, 2, 8, EntryId { ms: read[0].id.ms - 1, seq: (1 << 20) - 1 }));
    assert_eq!(broker.trim(&stream, &[input()], KEEP_NOTHING).await.unwrap(), 3);
    let after = broker.stream(&stream).await.unwrap();
    assert_eq!((after.events, after.bytes), (1, 4));
    assert_eq!(group(&after, "replay:x").0, 0);
    assert_eq!(group(&after, "replay:x").1, 1);
    assert_eq!(group(&after, "replay:x").2, 4);
    assert_eq!(group(&after, "trade_processors").0, 1);
    assert_eq!(texts(&read_all(&mut *slow).await), ["dddd"]);
    broker.acknowledge(&replay, vec![read[3].id]).await.unwrap();
    assert!(broker.is_clear(&replay, read[3].id).await.unwrap());
}

/// Counting behind the begin of a group goes over pages, and says what is there.
#[tokio::test]
async fn a_group_that_is_opened_in_the_middle_knows_what_is_left() {
    let redis = Redis::new();
    let broker = begun(&redis, "one").await;
    for at in 0..6 {
        append(&broker, &["xyz"; 1_000], &at.to_string(), &(at + 1).to_string()).await;
    }
    let stream = Stream::of(StreamId::OrderEvents);
    let first = broker.oldest(&stream, EntryId::default()).await.unwrap().unwrap();
    let last = broker.stream(&stream).await.unwrap().last_id;
    assert_eq!(broker.count(&stream, first, last).await.unwrap(), 5_999);
    let replay = stream.group("replay:x");
    broker.open_group(&replay, first).await.unwrap();
    let (pending, undelivered, bytes, clear) = group(&broker.stream(&stream).await.unwrap(), "replay:x");
    assert_eq!((pending, undelivered, bytes, clear), (0, 5_999, 3 * 5_999, first));
    broker.open_group(&stream.group("replay:y"), last).await.unwrap();
    assert!(broker.is_clear(&stream.group("replay:y"), last).await.unwrap());
}
