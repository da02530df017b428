//! Connections to Redis and ClickHouse that are spoiled: what was asked is done once, or it is said that it may be asked again.

use std::time::{Duration, Instant};

use polytape::broker::{Appended, Broker, BrokerError, RedisBroker, Stream};
use polytape::failure::FailureClass;
use polytape::flow::{StreamId, TableId};
use polytape::model::{Resolution, Trade};
use polytape::warehouse::{ClickhouseConfig, ClickhouseWarehouse, Inspection, WarehouseError, WriteRows};

use crate::broker::conformance::{KEY, advance, entry, layout};
use crate::support::clickhouse::Database;
use crate::support::proxy::{Proxy, Spoil};
use crate::support::redis::Redis;
use crate::warehouse::conformance::trade;

const RESETS: [Spoil; 3] = [Spoil::Request, Spoil::Answer, Spoil::HalfAnswer];

async fn broker(redis: &Redis) -> (RedisBroker, Proxy) {
    let url = redis.url().to_owned();
    let host = url.trim_start_matches("redis://").split('/').next().unwrap();
    let proxy = Proxy::to(host.rsplit('@').next().unwrap()).await;
    let broker = redis.broker_at(&url.replace(host.rsplit('@').next().unwrap(), &proxy.address().to_string()), "one");
    broker.begin(&layout(), &[(KEY.into(), "0".into())]).await.unwrap();
    // The first sign of life has come through: what is spoiled next is what the test asks.
    while !redis.keys().contains(&redis.key("proc:one")) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (broker, proxy)
}

async fn append(broker: &RedisBroker, at: usize) -> Result<Appended, BrokerError> {
    let (expected, next) = (at.to_string(), (at + 1).to_string());
    broker.append(vec![entry(Stream::of(StreamId::OrderEvents), &expected)], advance(&expected, &next)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_connection_is_reset_is_done_once() {
    let redis = Redis::own(&[]);
    let (broker, proxy) = broker(&redis).await;
    for (at, spoil) in RESETS.into_iter().enumerate() {
        proxy.spoil(spoil, 1);
        let appended = append(&broker, at).await.unwrap_or_else(|error| panic!("{spoil:?}: {error}"));
        assert_eq!(appended == Appended::Now, spoil == Spoil::Request, "{spoil:?}: {appended:?}");
        assert!(proxy.spoiled() > at, "{spoil:?}");
    }
    assert_eq!(broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap().events, 3);
    for (at, spoil) in RESETS.into_iter().enumerate() {
        proxy.spoil(spoil, 1_000);
        let error = append(&broker, 3 + at).await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Retry, "{spoil:?}: {error}");
        proxy.spoil(spoil, 0);
        assert!(!matches!(append(&broker, 3 + at).await.unwrap(), Appended::Conflict(_)), "{spoil:?}");
    }
    assert_eq!(broker.stream(&Stream::of(StreamId::OrderEvents)).await.unwrap().events, 6);
    proxy.slow_down(Duration::from_millis(700));
    assert_eq!(append(&broker, 6).await.unwrap(), Appended::Now, "slow is not gone");
}

async fn warehouse(database: &Database) -> (ClickhouseWarehouse, Proxy) {
    let config = database.config();
    let proxy = Proxy::to(config.url.trim_start_matches("http://").trim_end_matches('/')).await;
    let url = format!("http://{}", proxy.address());
    let warehouse = ClickhouseWarehouse::new(ClickhouseConfig { url, ..config });
    warehouse.write_rows(&rows(0)).await.unwrap();
    (warehouse, proxy)
}

/// Ten rows that nobody else writes.
fn rows(at: u32) -> Vec<Trade> {
    (10 * at..10 * at + 10).map(|log_index| trade(1, log_index, Resolution::Unknown)).collect()
}

const FINAL: &str = "SELECT count() FROM trades FINAL";

#[tokio::test(flavor = "multi_thread")]
async fn rows_whose_connection_is_reset_are_there_once() {
    let database = Database::new();
    let (warehouse, proxy) = warehouse(&database).await;
    for (at, spoil) in (1..).zip(RESETS) {
        proxy.spoil(spoil, 1);
        warehouse.write_rows(&rows(at)).await.unwrap_or_else(|error| panic!("{spoil:?}: {error}"));
        assert_eq!(proxy.spoiled(), at as usize, "{spoil:?}");
        assert_eq!(database.number(FINAL), u64::from(at + 1) * 10, "{spoil:?}");
    }
    for (at, spoil) in (4..).zip(RESETS) {
        proxy.spoil(spoil, 1_000);
        for error in
            [warehouse.write_rows(&rows(at)).await.unwrap_err(), warehouse.row_counts().await.map(|_| ()).unwrap_err()]
        {
            assert_eq!(error.class(), FailureClass::Retry, "{spoil:?}: {error}");
            assert!(!matches!(error, WarehouseError::Rows(_)), "{spoil:?}: {error}");
        }
        proxy.spoil(spoil, 0);
        warehouse.write_rows(&rows(at)).await.unwrap();
        assert_eq!(database.number(FINAL), u64::from(at + 1) * 10, "{spoil:?}");
    }
    proxy.slow_down(Duration::from_millis(700));
    warehouse.write_rows(&rows(7)).await.expect("slow is not gone");
    assert_eq!(warehouse.row_counts().await.unwrap()[TableId::Trades], 80);
}

/// A minute long: so long it may take ClickHouse to confirm.
#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_that_never_answers_is_given_up() {
    let database = Database::new();
    let (warehouse, proxy) = warehouse(&database).await;
    proxy.spoil(Spoil::Everything, 1_000);
    let began = Instant::now();
    let more = rows(1);
    let (written, read) = tokio::join!(warehouse.write_rows(&more), warehouse.row_counts());
    for error in [written.unwrap_err(), read.map(|_| ()).unwrap_err()] {
        assert_eq!(error.class(), FailureClass::Retry, "{error}");
        assert!(error.to_string().contains("did not answer within"), "{error}");
    }
    assert!(began.elapsed() < Duration::from_secs(80), "{:?}", began.elapsed());
    proxy.spoil(Spoil::Everything, 0);
    warehouse.write_rows(&more).await.unwrap();
    assert_eq!(database.number(FINAL), 20);
}
