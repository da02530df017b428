//! Somebody else at the port of a Redis: told as such, within seconds, and in no words of a library.

use std::time::{Duration, Instant};

use polytape::broker::{Broker, RedisBroker, RedisConfig};
use polytape::failure::FailureClass;
use tokio::io::AsyncReadExt;

use super::tls::with_tls;
use crate::broker::conformance::layout;
use crate::support::stranger::{Stranger, Way};

/// Within how long it is said who is there.
const SECONDS: Duration = Duration::from_secs(9);

fn broker_at(url: &str) -> RedisBroker {
    RedisBroker::connect(RedisConfig { url: url.into(), key_prefix: String::new(), consumer: "one".into() }).unwrap()
}

/// What is said of whoever is at a URL, which is the same whenever it is asked.
async fn said(url: &str) -> String {
    let broker = broker_at(url);
    let began = Instant::now();
    let joining = broker.join(&layout()).await.unwrap_err();
    assert!(began.elapsed() < SECONDS, "{:?}: {joining}", began.elapsed());
    let looking = broker.look().await.unwrap_err();
    assert_eq!(joining.to_string(), looking.to_string());
    assert_eq!(joining.class(), FailureClass::Retry, "it may be another by the next time");
    let told = joining.to_string();
    for foreign in ["os error", "Parse", "invalid", "rror:", "handshake", "corrupt", "pipe", "peer"] {
        assert!(!told.contains(foreign), "in the words of a library: {told}");
    }
    told
}

#[tokio::test]
async fn others_at_the_port_are_told() {
    for (way, words) in [
        (Way::Http, "an HTTP server answers there and no Redis, check host and port"),
        (Way::ClickhouseNative, "the native port of ClickHouse is there and no Redis"),
        (Way::Greets, "something that is no Redis answers there (\"SSH-2.0-OpenSSH_9.2\")"),
        (Way::Closes, "it closes every connection before it says anything"),
        (Way::Silent, "no answer in time; it lets connections in and says nothing"),
    ] {
        let stranger = Stranger::new(way).await;
        let told = said(&format!("redis://{}/", stranger.address())).await;
        assert!(told.starts_with(&format!("Redis at {}: {words}", stranger.address())), "{told}");
    }
}

#[tokio::test]
async fn tls_where_none_is_spoken_and_none_where_it_is() {
    let (redis, port, _) = with_tls();
    let told = said(&format!("redis://127.0.0.1:{port}/")).await;
    assert!(told.contains("it speaks TLS, so its URL has to begin with rediss://"), "{told}");
    let told = said(&redis.url().replace("redis://", "rediss://")).await;
    assert!(told.contains("it speaks no TLS, so its URL has to begin with redis://"), "{told}");
    let http = Stranger::new(Way::Http).await;
    let told = said(&format!("rediss://{}/", http.address())).await;
    assert!(told.contains("an HTTP server answers there"), "{told}");
}

/// What is down is not kept down by being asked who it is: once, however often it is tried.
#[tokio::test]
async fn nobody_is_asked_who_they_are_again_and_again() {
    let stranger = Stranger::new(Way::Closes).await;
    let broker = broker_at(&format!("redis://{}/", stranger.address()));
    for _ in 0..5 {
        broker.join(&layout()).await.unwrap_err();
    }
    // Five attempts, and the two questions of the first.
    assert_eq!(stranger.came(), 7);
}

/// Nobody who is not there is asked anything.
#[tokio::test]
async fn a_name_or_a_port_that_is_not_there_is_told_as_ever() {
    let told = said("redis://127.0.0.1:1/").await;
    assert!(told.ends_with(": connection refused"), "{told}");
    // A label of a name has 63 letters at most, so no resolver needs to ask anybody.
    let told = said(&format!("redis://{}:6379/", "x".repeat(64))).await;
    assert!(told.ends_with(": no address is known for its host"), "{told}");
}

/// The first bytes that are sent to whoever is there are no password.
#[tokio::test]
async fn a_password_is_sent_to_nobody_but_by_the_client() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        for _ in 0..2 {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 1_024];
            let read = client.read(&mut bytes).await.unwrap();
            bytes.truncate(read);
            heard.push(bytes);
        }
        heard
    });
    broker_at(&format!("redis://me:s3cret-word@{at}/")).join(&layout()).await.unwrap_err();
    let heard = heard.await.unwrap();
    assert!(String::from_utf8_lossy(&heard[0]).contains("s3cret-word"), "the client logs in");
    assert!(!String::from_utf8_lossy(&heard[1]).contains("s3cret-word"), "who asks who it is does not");
}
