//! Users who may do less than everything: who may not look runs and is warned, and who may not do what is needed is told which
//! ACL rule is missing, before anything is done.

use std::time::Duration;

use polytape::broker::{Broker, BrokerError, RedisBroker, Retention, Stream};
use polytape::failure::FailureClass;
use polytape::flow::StreamId;

use super::Redis;
use crate::broker::conformance::{KEY, advance, entry, input, layout, read_all};

const ALL: [&str; 2] = ["~*", "+@all"];

/// A broker of a user with these rules.
fn broker_of(redis: &Redis, rules: &[&str]) -> RedisBroker {
    let reset = ["ACL", "SETUSER", "tape", "reset", "on", ">s3cret-word"];
    redis.run(&[&reset[..], rules].concat());
    redis.broker_at(&redis.url().replace("redis://", "redis://tape:s3cret-word@"), "one")
}

async fn begun(broker: &RedisBroker) {
    broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap();
}

/// Everything is done, and entries are trimmed by the clock of the process.
#[tokio::test]
async fn without_info_and_time_it_runs_and_is_warned() {
    for (denied, unknown) in [("-info", "version, eviction policy, persistence"), ("-time", "its clock is unknown")] {
        let redis = Redis::own(&[]);
        let broker = broker_of(&redis, &[&ALL[..], &[denied]].concat());
        let look = broker.look().await.unwrap();
        assert!(look.fault.is_none() && look.warnings.len() == 1, "{look:?}");
        let rule = denied.replace('-', "+");
        assert!(look.warnings[0].contains(unknown) && look.warnings[0].contains(&rule), "{look:?}");
        assert!(matches!(broker.join(&layout()).await, Err(BrokerError::Lost(_))));
        begun(&broker).await;
        let entries = vec![entry(Stream::of(StreamId::OrderEvents), "a")];
        broker.append(entries, advance("0", "1")).await.unwrap();
        let mut reader = broker.reader(&input()).await.unwrap();
        let ids = read_all(&mut *reader).await.iter().map(|delivery| delivery.id).collect();
        broker.acknowledge(&input(), ids).await.unwrap();
        let keep = |age| Retention { age, bytes: 1 << 20, full: 1 << 20 };
        let trim = async |age| broker.trim(&input().stream, &[input()], keep(age)).await.unwrap();
        assert_eq!(trim(Duration::from_secs(60)).await, 0, "{denied}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(trim(Duration::from_millis(1)).await, 1, "{denied}");
        broker.try_write().await.unwrap();
    }
}

#[tokio::test]
async fn the_rule_that_is_missing_is_named_before_anything_is_done() {
    let redis = Redis::own(&[]);
    for (rules, words) in [
        (&["-xadd"][..], "its user may not run XADD: add the ACL rule +xadd"),
        (&["-xgroup|create"], "its user may not run XGROUP CREATE: add the ACL rule +xgroup|create"),
        (&["-xreadgroup", "-xack"], "its user may not run XACK, XREADGROUP: add the ACL rule +xack +xreadgroup"),
        (&["-hincrby"], "its user may not run HINCRBY: add the ACL rule +hincrby"),
        (&["-pexpire"], "its user may not run PEXPIRE: add the ACL rule +pexpire"),
        (&["-xread"], "its user may not run XREAD: add the ACL rule +xread"),
        (&["-evalsha"], "its user may not run EVALSHA: add the ACL rule +evalsha"),
        (&["-eval"], "its user may not run EVAL: add the ACL rule +eval"),
    ] {
        redis.run(&["SCRIPT", "FLUSH"]);
        let broker = broker_of(&redis, &[&ALL[..], rules].concat());
        let error = broker.join(&layout()).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Deterministic, "{error}");
        assert!(error.to_string().contains(words), "{rules:?}: {error}");
        let looked = match broker.look().await {
            Ok(look) => look.fault.unwrap().to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(looked, error.to_string());
    }
    assert_eq!(redis.keys(), [""; 0], "nothing was done");
}

/// Scripts are sent by EVAL, so that nothing else is needed of @scripting.
#[tokio::test]
async fn without_script_it_runs() {
    let redis = Redis::own(&[]);
    let broker = broker_of(&redis, &[&ALL[..], &["-script"]].concat());
    let look = broker.look().await.unwrap();
    assert!(look.fault.is_none() && look.warnings.is_empty(), "{look:?}");
    begun(&broker).await;
}

#[tokio::test]
async fn keys_that_are_missing_are_named() {
    let redis = Redis::own(&[]);
    let pattern = |kind: &str| format!("~{}{kind}:*", redis.prefix());
    let kinds = ["stream", "state", "tally", "proc", "hold"];
    for missing in kinds {
        let mut rules: Vec<String> = kinds.iter().filter(|kind| **kind != missing).map(|kind| pattern(kind)).collect();
        rules.push("+@all".into());
        let broker = broker_of(&redis, &rules.iter().map(String::as_str).collect::<Vec<_>>());
        let error = broker.join(&layout()).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Deterministic, "{error}");
        let told = error.to_string();
        assert!(told.contains(&format!("{}{missing}:*", redis.prefix())), "{told}");
        assert!(told.ends_with(&pattern(missing)), "{told}");
    }
}

/// A rule that is taken back while it runs is told as one, out of a script, too.
#[tokio::test]
async fn a_right_that_is_taken_back_is_told() {
    let redis = Redis::own(&[]);
    let broker = broker_of(&redis, &ALL);
    begun(&broker).await;
    redis.run(&["ACL", "SETUSER", "tape", "-xadd"]);
    let append = async || broker.append(vec![entry(Stream::of(StreamId::OrderEvents), "a")], advance("0", "1")).await;
    let error = append().await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Deterministic, "{error}");
    // Redis 7.0 does not say which command that was.
    let told = error.to_string();
    assert!(told.contains("+xadd") || told.contains("polytape check names the ACL rule"), "{told}");
    redis.run(&["ACL", "SETUSER", "tape", "+xadd", "-evalsha"]);
    let error = append().await.unwrap_err();
    assert!(error.to_string().contains("add the ACL rule +evalsha"), "{error}");
    redis.run(&["ACL", "SETUSER", "tape", "+evalsha"]);
    append().await.unwrap();
}
