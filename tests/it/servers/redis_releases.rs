//! The program on other servers of the Redis family. `scripts/engines` runs it on those that are not here.

use super::check::whole_run;
use crate::support::cells;
use crate::support::redis::Redis;
use crate::support::redis_release::Kind;

async fn run_on(seed: u64, name: &str, said: &str) {
    let kind = Kind::named(name);
    let redis = Redis::of(kind, &[]);
    let look = redis.broker("one").look().await.unwrap();
    let server = look.server.unwrap().name();
    assert!(server.starts_with(said), "{server}");
    whole_run(seed, redis, &kind).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_on_redis_8_2() {
    run_on(41, "redis-8.2", "Redis 8.2.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_on_a_node_of_a_cluster() {
    run_on(42, "redis-7.0-cluster", "Redis 7.0.").await;
}

/// Whatever `POLYTAPE_TEST_REDIS_RELEASE` names says who it is.
#[tokio::test]
async fn the_server_of_the_tests_is_called_by_its_own_name() {
    let kind = Kind::of_tests();
    let look = Redis::of(kind, &[]).broker("one").look().await.unwrap();
    let server = look.server.unwrap().name().to_lowercase().replace(' ', "-");
    assert!(server.starts_with(&format!("{}.", kind.release.name)), "{server}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "by scripts/engines redis-6.2, which fetches a server of that release"]
async fn redis_6_2_is_too_old() {
    let kind = Kind::named("redis-6.2");
    let look = Redis::of(kind, &[]).broker("one").look().await.unwrap();
    assert_eq!(look.fault.unwrap().what(), "it is version 6.2.14, 7.0 or newer is needed");
    cells::ran(&kind.name());
}
