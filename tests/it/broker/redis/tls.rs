//! Over TLS, with an authority of one's own.
//!
//! `tls/` holds an authority, whose key is gone, and a server's certificate for `localhost` and 127.0.0.1 with its key,
//! both good for a hundred years.

use std::time::Duration;

use polytape::broker::{Broker, RedisBroker, RedisConfig, Stream};
use polytape::failure::FailureClass;
use polytape::flow::StreamId;

use super::Redis;
use crate::broker::conformance::{KEY, advance, entry, input, layout, read_all, texts};
use crate::support::redis::free_port;

/// A server that speaks TLS at another port, that port, and the authority that vouches for it.
pub fn with_tls() -> (Redis, u16, String) {
    let file = |name: &str| format!("{}/tests/it/broker/redis/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    let port = free_port();
    let (certificate, key, authority) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let redis = Redis::own(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &authority,
        "--tls-auth-clients",
        "no",
    ]);
    (redis, port, authority)
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted() {
    let (redis, port, authority) = with_tls();
    let config = RedisConfig {
        url: format!("rediss://localhost:{port}/"),
        key_prefix: redis.prefix().into(),
        consumer: "one".into(),
    };
    let broker = RedisBroker::connect_trusting(config.clone(), std::fs::read(&authority).unwrap()).unwrap();
    broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap();
    broker.append(vec![entry(Stream::of(StreamId::OrderEvents), "a")], advance("0", "1")).await.unwrap();
    let mut reader = broker.reader(&input()).await.unwrap();
    assert_eq!(texts(&read_all(&mut *reader).await), ["a"]);
    assert!(reader.read(1, 1, Duration::from_millis(700)).await.unwrap().is_empty());
    // Without it, the server could be anybody.
    let error = RedisBroker::connect(config).unwrap().join(&layout()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Retry);
    assert!(error.to_string().contains("certificate"), "{error}");
}
