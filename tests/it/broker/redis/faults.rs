//! A server that is lost, killed, full, slow or not ours.

use std::time::{Duration, Instant};

use polytape::broker::{
    AckAndForward, Appended, Broker, BrokerError, EntryId, NewEntry, RedisBroker, RedisConfig, Stream,
};
use polytape::failure::FailureClass;
use polytape::flow::StreamId;

use super::Redis;
use crate::broker::conformance::{KEEP_NOTHING, KEY, advance, batch, entry, input, layout, output, read_all, texts};

async fn begun(redis: &Redis) -> RedisBroker {
    let broker = redis.broker("one");
    broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap();
    broker
}

async fn append(broker: &RedisBroker, texts: &[&str], expected: &str, next: &str) -> Result<Appended, BrokerError> {
    let entries = texts.iter().map(|text| entry(Stream::of(StreamId::OrderEvents), text)).collect();
    broker.append(entries, advance(expected, next)).await
}

fn is_lost<T: std::fmt::Debug>(result: Result<T, BrokerError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, BrokerError::Lost(_)), "{error}");
}

/// Calls until it succeeds, as a stage does: only a failure that passes may come in between.
async fn patiently<T>(mut call: impl AsyncFnMut() -> Result<T, BrokerError>) -> T {
    let began = Instant::now();
    loop {
        match call().await {
            Ok(value) => return value,
            Err(error) => {
                assert_eq!(error.class(), FailureClass::Retry, "{error}");
                assert!(began.elapsed() < Duration::from_secs(30), "{error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// By everyone, also by who waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_flush_is_noticed_by_every_call() {
    let redis = Redis::new();
    let broker = begun(&redis).await;
    append(&broker, &["a"], "0", "1").await.unwrap();
    let mut reader = broker.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    let waiting = tokio::spawn(async move { reader.read(1, 1, Duration::from_secs(60)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    redis.flush();
    let (stream, id) = (Stream::of(StreamId::OrderEvents), read[0].id);
    is_lost(append(&broker, &["b"], "1", "2").await);
    is_lost(append(&broker, &[], "1", "2").await);
    is_lost(broker.forward(&input(), vec![AckAndForward { id, outputs: vec![] }]).await);
    is_lost(broker.acknowledge(&input(), vec![id]).await);
    is_lost(broker.cursor(KEY).await);
    is_lost(broker.barrier(KEY, &stream).await);
    is_lost(broker.stream(&stream).await);
    is_lost(broker.is_clear(&input(), id).await);
    is_lost(broker.oldest(&stream, EntryId::default()).await);
    is_lost(broker.count(&stream, EntryId::default(), id).await);
    is_lost(broker.trim(&stream, &[input()], KEEP_NOTHING).await);
    is_lost(broker.open_group(&stream.group("replay:x"), id).await);
    is_lost(broker.reader(&input()).await.map(|_| ()));
    is_lost(broker.join(&layout()).await);
    let noticed = Instant::now();
    is_lost(waiting.await.unwrap());
    assert!(noticed.elapsed() < Duration::from_secs(3));
    let left: Vec<String> = redis.keys().into_iter().filter(|key| !key.contains("proc:")).collect();
    assert!(left.is_empty(), "nothing was written into the empty server: {left:?}");
}

/// Entries that somebody else removes or adds make every count wrong, and may be what nobody had acknowledged.
#[tokio::test]
async fn what_somebody_else_does_to_a_stream_is_noticed() {
    let redis = Redis::new();
    let stream = redis.key("stream:order_events");
    for command in [vec!["XTRIM", &stream, "MAXLEN", "1"], vec!["XADD", &stream, "*", "foreign", "1"]] {
        let broker = begun(&redis).await;
        let cursor = broker.cursor(KEY).await.unwrap().unwrap();
        append(&broker, &["a", "b"], &cursor, &format!("{cursor}+")).await.unwrap();
        redis.run(&command);
        is_lost(broker.join(&layout()).await);
        is_lost(append(&broker, &["c"], "2", "3").await);
        let fresh = begun(&redis).await;
        let state = fresh.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap();
        assert_eq!(format!("{:?}", redis.run(&["XLEN", &stream])), format!("int({})", state.events));
    }
}

/// Streams of another program under the same names are not taken over.
#[tokio::test]
async fn streams_of_another_program_are_refused() {
    let redis = Redis::new();
    redis.run(&["XADD", &redis.key("stream:trades"), "*", "market_id", "1", "price", "0.5"]);
    let error = redis.broker("one").begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Deterministic);
    assert!(error.to_string().contains("choose another key_prefix"), "{error}");
    assert_eq!(redis.keys(), [redis.key("stream:trades")], "nothing was done");
}

/// A server that is killed comes back with what it had, and whoever worked goes on where they were.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_gone_on_with() {
    let mut redis = Redis::own(&["--appendonly", "yes", "--appendfsync", "no"]);
    let broker = begun(&redis).await;
    append(&broker, &["a", "b"], "0", "2").await.unwrap();
    let mut reader = broker.reader(&input()).await.unwrap();
    assert_eq!(texts(&reader.read(1, 1 << 20, Duration::ZERO).await.unwrap()), ["a"]);
    redis.kill();
    let error = reader.read(1, 1 << 20, Duration::ZERO).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Retry, "{error}");
    let error = append(&broker, &["c"], "2", "3").await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Retry, "{error}");
    redis.start();
    assert_eq!(patiently(async || append(&broker, &["c"], "2", "3").await).await, Appended::Now);
    let rest = patiently(async || reader.read(9, 1 << 20, Duration::from_secs(1)).await).await;
    assert_eq!(texts(&rest), ["b", "c"], "a is in hand");
    // A connection that died while nobody used it costs nothing, not even an error.
    redis.kill();
    redis.start();
    assert_eq!(append(&broker, &["d"], "3", "4").await.unwrap(), Appended::Now);
    assert_eq!(texts(&reader.read(9, 1 << 20, Duration::from_secs(1)).await.unwrap()), ["d"]);
}

/// The connections are cut, again and again, while entries flow: all of them arrive, each once.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_lose_and_double_nothing() {
    let redis = Redis::own(&[]);
    let broker = begun(&redis).await;
    let cutting = {
        let mut client = redis.client();
        tokio::task::spawn_blocking(move || {
            for _ in 0..60 {
                redis::cmd("CLIENT").arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]).exec(&mut client).unwrap();
                std::thread::sleep(Duration::from_millis(25));
            }
        })
    };
    let appending = async {
        for at in 0..300_u32 {
            let (expected, next) = (at.to_string(), (at + 1).to_string());
            let entry = || vec![entry(Stream::of(StreamId::OrderEvents), &expected)];
            let call = async || broker.append(entry(), advance(&expected, &next)).await;
            assert!(!matches!(patiently(call).await, Appended::Conflict(_)));
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    let forwarding = async {
        let mut reader = patiently(async || broker.reader(&input()).await).await;
        let mut read_before = std::collections::BTreeSet::new();
        while read_before.len() < 300 {
            let read = patiently(async || reader.read(10, 1 << 20, Duration::from_millis(200)).await).await;
            for delivery in &read {
                assert!(read_before.insert(delivery.id), "{:?} was in hand", delivery.id);
            }
            let handover = |delivery: &polytape::broker::Delivery| AckAndForward {
                id: delivery.id,
                outputs: vec![NewEntry { stream: Stream::of(StreamId::Trades), body: delivery.body.clone() }],
            };
            let handovers: Vec<AckAndForward> = read.iter().map(handover).collect();
            patiently(async || broker.forward(&input(), handovers.clone()).await).await;
        }
    };
    tokio::join!(appending, forwarding);
    cutting.await.unwrap();
    let mut reader = broker.reader(&output()).await.unwrap();
    let expected: Vec<String> = (0..300).map(|at| at.to_string()).collect();
    assert_eq!(texts(&read_all(&mut *reader).await), expected);
    assert_eq!(broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap().groups[0].unacknowledged_bytes, 0);
}

/// After a restart of the server, or a `SCRIPT FLUSH`, it knows no script any more.
#[tokio::test]
async fn scripts_that_the_server_has_forgotten_are_sent_again() {
    let redis = Redis::own(&[]);
    let broker = begun(&redis).await;
    let mut reader = broker.reader(&input()).await.unwrap();
    for at in 0..3_u32 {
        redis.run(&["SCRIPT", "FLUSH"]);
        append(&broker, &["a"], &at.to_string(), &(at + 1).to_string()).await.unwrap();
        redis.run(&["SCRIPT", "FLUSH"]);
        assert_eq!(read_all(&mut *reader).await.len(), 1);
    }
}

/// A polytape that knows of no batches counts entries: what it trims is weighed by the next one that trims.
#[tokio::test]
async fn what_another_version_trimmed_is_weighed() {
    let redis = Redis::own(&[]);
    let broker = begun(&redis).await;
    let (stream, counters) = (redis.key("stream:order_events"), redis.key("tally:stream:order_events"));
    let entries = [7, 40, 1, 512].map(|events| batch(input().stream, events, "e")).to_vec();
    broker.append(entries, advance("0", "1")).await.unwrap();
    let mut reader = broker.reader(&input()).await.unwrap();
    let ids: Vec<EntryId> = read_all(&mut *reader).await.iter().map(|delivery| delivery.id).collect();
    broker.acknowledge(&input(), ids[..3].to_vec()).await.unwrap();
    redis.run(&["XDEL", &stream, &ids[0].to_string()]);
    redis.run(&["HINCRBY", &counters, "removed", "1"]);
    redis.run(&["HINCRBY", &counters, "removed_bytes", "4"]);
    broker.trim(&input().stream, &[input()], KEEP_NOTHING).await.unwrap();
    let state = broker.stream(&input().stream).await.unwrap();
    assert_eq!((state.events, state.groups[0].pending), (512, 512));
}

/// Users with a password, and what is said where it is wrong.
#[tokio::test]
async fn users_and_passwords() {
    let redis = Redis::own(&[]);
    redis.run(&["ACL", "SETUSER", "tape", "on", ">s3cret-word", "~*", "+@all", "-@dangerous", "-@admin"]);
    redis.run(&["ACL", "SETUSER", "looker", "on", ">s3cret-word", "~*", "+@read", "+@connection"]);
    redis.run(&["CONFIG", "SET", "requirepass", "other"]);
    let at = |who: &str| redis.url().replace("redis://", &format!("redis://{who}"));
    let broker = redis.broker_at(&at("tape:s3cret-word@"), "one");
    broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap();
    append(&broker, &["a"], "0", "1").await.unwrap();
    let mut reader = broker.reader(&input()).await.unwrap();
    assert_eq!(texts(&read_all(&mut *reader).await), ["a"]);
    for (who, word) in [("", "password"), ("tape:wr0ng-word@", "password"), ("looker:s3cret-word@", "NOPERM")] {
        let error = redis.broker_at(&at(who), "two").join(&layout()).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Deterministic, "{error}");
        let told = format!("{error} {error:?}");
        assert!(told.contains(word), "{told}");
        assert!(!told.contains("s3cret-word") && !told.contains("wr0ng-word"), "{told}");
    }
    let config = |url: &str| RedisConfig { url: url.into(), key_prefix: String::new(), consumer: "x".into() };
    for url in ["redis://me:s3cret-word@host:port/", "http://me:s3cret-word@host/", "s3cret-word"] {
        let error = RedisBroker::connect(config(url)).err().unwrap();
        assert_eq!(error.class(), FailureClass::Deterministic);
        assert!(!format!("{error} {error:?} {:?}", config(url)).contains("s3cret-word"), "{error}");
    }
}

/// What README says that a user needs is enough for everything that is done.
#[tokio::test]
async fn a_user_needs_no_more_than_readme_says() {
    let readme = include_str!("../../../../README.md");
    let (keys, commands) = readme.split_once("An ACL user needs the keys ").unwrap().1.split_once("commands").unwrap();
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let commands = quoted(commands).remove(0);
    let redis = Redis::own(&[]);
    let mut rules: Vec<String> = ["ACL", "SETUSER", "tape", "on", ">s3cret-word"].map(str::to_owned).into();
    rules.extend(quoted(keys).iter().map(|pattern| format!("~{}{pattern}", redis.prefix())));
    rules.extend(commands.split_whitespace().map(str::to_owned));
    redis.run(&rules.iter().map(String::as_str).collect::<Vec<_>>());
    let broker = redis.broker_at(&redis.url().replace("redis://", "redis://tape:s3cret-word@"), "one");
    assert!(broker.join(&layout()).await.unwrap_err().to_string().contains("lost"));
    broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap();
    append(&broker, &["a", "b"], "0", "2").await.unwrap();
    let replay = input().stream.group("replay:x");
    broker.open_group(&replay, EntryId::default()).await.unwrap();
    let mut reader = broker.reader(&input()).await.unwrap();
    let ids: Vec<EntryId> = read_all(&mut *reader).await.iter().map(|delivery| delivery.id).collect();
    let outputs = vec![entry(Stream::of(StreamId::Trades), "A")];
    broker.forward(&input(), vec![AckAndForward { id: ids[0], outputs }]).await.unwrap();
    broker.acknowledge(&input(), ids).await.unwrap();
    broker.trim(&input().stream, &[input()], KEEP_NOTHING).await.unwrap();
    broker.close_group(&replay).await.unwrap();
    let state = broker.stream(&input().stream).await.unwrap();
    assert_eq!((state.events, state.groups.len()), (0, 1));
    broker.barrier(KEY, &input().stream).await.unwrap();
    assert!(broker.acquire_lease("replay:x").await.unwrap());
    broker.release_lease("replay:x").await.unwrap();
    let look = broker.look().await.unwrap();
    assert!(look.fault.is_none() && look.server.is_some() && look.warnings.is_empty(), "{look:?}");
    broker.try_write().await.unwrap();
    while !redis.keys().contains(&redis.key("proc:one")) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    broker.remove().await.unwrap();
    assert!(redis.keys().is_empty(), "{:?}", redis.keys());
}

/// Everything that a prefix holds, to be compared.
fn dump(redis: &Redis) -> Vec<(String, String)> {
    let keys = redis.keys().into_iter().filter(|key| !key.contains("proc:"));
    keys.map(|key| (key.clone(), format!("{:?}", redis.run(&["DUMP", &key])))).collect()
}

/// Redis rolls nothing back: one key of a wrong type, found by its first write, would leave half of a call done.
#[tokio::test]
async fn a_key_of_a_wrong_type_leaves_nothing_half_done() {
    for wrong in ["stream:trades", "tally:stream:trades", KEY, "state:generation", "tally:stream:order_events"] {
        let redis = Redis::new();
        let broker = begun(&redis).await;
        append(&broker, &["a", "b"], "0", "2").await.unwrap();
        let mut reader = broker.reader(&input()).await.unwrap();
        let read = read_all(&mut *reader).await;
        redis.run(&["DEL", &redis.key(wrong)]);
        redis.run(&["LPUSH", &redis.key(wrong), "not", "yours"]);
        let before = dump(&redis);
        let page = vec![entry(Stream::of(StreamId::OrderEvents), "c"), entry(Stream::of(StreamId::Trades), "d")];
        let error = broker.append(page, advance("2", "3")).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Deterministic, "{wrong}: {error}");
        if wrong != KEY {
            let handover =
                |text| AckAndForward { id: read[0].id, outputs: vec![entry(Stream::of(StreamId::Trades), text)] };
            let error = broker.forward(&input(), vec![handover("A")]).await.unwrap_err();
            assert_eq!(error.class(), FailureClass::Deterministic, "{wrong}: {error}");
        }
        let error = broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Deterministic, "{wrong}: {error}");
        assert_eq!(dump(&redis), before, "{wrong}");
    }
}

/// A server that is full refuses what makes it fuller, as a whole, and nothing that makes it emptier.
#[tokio::test]
async fn a_full_server_refuses_appends_and_lets_the_rest_go_on() {
    let redis = Redis::own(&["--maxmemory-policy", "noeviction"]);
    let broker = begun(&redis).await;
    append(&broker, &["a", "b", "c"], "0", "3").await.unwrap();
    redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    let before = dump(&redis);
    let error = append(&broker, &["d"], "3", "4").await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Retry);
    assert!(error.to_string().contains("OOM") && error.to_string().contains("maxmemory"), "{error}");
    assert_eq!(dump(&redis), before);
    // Who reads may even begin to, also in a new process.
    let late = redis.broker("late");
    late.join(&layout()).await.unwrap();
    let mut reader = late.reader(&input()).await.unwrap();
    let read = read_all(&mut *reader).await;
    assert_eq!(texts(&read), ["a", "b", "c"]);
    let handover =
        |at: usize| AckAndForward { id: read[at].id, outputs: vec![entry(Stream::of(StreamId::Trades), "A")] };
    assert_eq!(late.forward(&input(), vec![handover(0), handover(1)]).await.unwrap(), 2);
    assert_eq!(broker.acknowledge(&input(), vec![read[2].id]).await.unwrap(), 1);
    assert_eq!(broker.trim(&Stream::of(StreamId::OrderEvents), &[input()], KEEP_NOTHING).await.unwrap(), 3);
    assert_eq!(broker.stream(&Stream::of(StreamId::Trades)).await.unwrap().events, 2);
    // Nobody is taken for dead because of it, even if the sign of life had gone.
    let proc = redis.key("proc:one");
    redis.run(&["DEL", &proc]);
    let began = Instant::now();
    while !redis.keys().contains(&proc) {
        assert!(began.elapsed() < Duration::from_secs(10), "no sign of life");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(append(&broker, &["d"], "3", "4").await.unwrap(), Appended::Now);
    assert_eq!(texts(&read_all(&mut *reader).await), ["d"]);
}

/// Also where a group gives way that was given nothing of it: making room must not need any.
#[tokio::test]
async fn a_full_server_is_trimmed_over_the_head_of_a_replay() {
    let redis = Redis::own(&["--maxmemory-policy", "noeviction"]);
    let broker = begun(&redis).await;
    append(&broker, &["a", "b", "c"], "0", "3").await.unwrap();
    let replay = input().stream.group("replay:x");
    broker.open_group(&replay, EntryId::default()).await.unwrap();
    let mut reader = broker.reader(&input()).await.unwrap();
    let ids = read_all(&mut *reader).await.into_iter().map(|delivery| delivery.id).collect();
    redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    broker.acknowledge(&input(), ids).await.unwrap();
    broker.acknowledge(&input(), vec![]).await.unwrap();
    assert_eq!(broker.trim(&input().stream, &[input()], KEEP_NOTHING).await.unwrap(), 3);
    let state = broker.stream(&input().stream).await.unwrap();
    let lost = |name: &str| state.groups.iter().find(|group| group.name == name).unwrap().lost;
    assert_eq!((state.events, lost("replay:x")), (0, 3));
}

/// Its memory and its limit, as they are now; a user who may not ask is told nothing, and works on.
#[tokio::test]
async fn a_server_says_how_full_it_is() {
    let redis = Redis::own(&["--maxmemory-policy", "noeviction"]);
    let broker = begun(&redis).await;
    let memory = broker.memory().await.unwrap().unwrap();
    assert!(memory.used > 100_000 && memory.limit.is_none() && memory.percent().is_none(), "{memory:?}");
    redis.run(&["CONFIG", "SET", "maxmemory", "100mb"]);
    let text = "x".repeat(1 << 20);
    append(&broker, &[&text, &text], "0", "2").await.unwrap();
    let fuller = broker.memory().await.unwrap().unwrap();
    assert!(fuller.used > memory.used + (2 << 20) && fuller.limit == Some(100 << 20), "{fuller:?}");
    assert!(fuller.percent().unwrap() < 20, "{fuller:?}");
    redis.run(&["ACL", "SETUSER", "tape", "on", ">s3cret-word", "~*", "+@all", "-info"]);
    let at = redis.url().replace("redis://", "redis://tape:s3cret-word@");
    let other = redis.broker_at(&at, "other");
    other.join(&layout()).await.unwrap();
    for _ in 0..3 {
        assert_eq!(other.memory().await.unwrap(), None);
    }
    assert_eq!(other.cursor(KEY).await.unwrap().as_deref(), Some("2"));
}

/// A server that does not answer is given up after a while, and gone on with once it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_given_up() {
    let redis = Redis::own(&[]);
    let broker = begun(&redis).await;
    let mut reader = broker.reader(&input()).await.unwrap();
    redis.signal("STOP");
    let began = Instant::now();
    let (appended, read) = tokio::join!(append(&broker, &["a"], "0", "1"), reader.read(1, 1, Duration::from_secs(1)));
    for error in [appended.unwrap_err(), read.unwrap_err()] {
        assert_eq!(error.class(), FailureClass::Retry, "{error}");
        assert!(error.to_string().contains("no answer in time"), "{error}");
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    redis.signal("CONT");
    // What was sent before may have arrived: then the repetition finds it done.
    let again = patiently(async || append(&broker, &["a"], "0", "1").await).await;
    assert!(!matches!(again, Appended::Conflict(_)), "{again:?}");
    let read = patiently(async || reader.read(9, 1 << 20, Duration::from_secs(1)).await).await;
    assert_eq!(texts(&read), ["a"]);
}

/// No server at all: the broker is there, and every call says so.
#[tokio::test]
async fn a_server_need_not_be_there_yet() {
    let mut redis = Redis::own(&[]);
    redis.kill();
    let broker = redis.broker("one");
    let error = broker.join(&layout()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Retry);
    assert!(error.to_string().starts_with("Redis at 127.0.0.1:"), "{error}");
    redis.start();
    is_lost(broker.join(&layout()).await);
    broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap();
}
