//! What one node is asked while the program follows the head.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use polytape::demo::{DemoServer, Faults, World, WorldConfig};

use crate::support::length::short_or_long;
use crate::support::lying::Lying;

/// With blocks of 1.5 seconds, as they are.
const BLOCK_TIME: Duration = Duration::from_millis(1_500);

/// Row 1: a block by its hash, headers and proofs of emptiness included, at most 100 posts and 300 calls a minute. For the
/// first half minute the program does not know how long a block takes, and asks a little more often.
#[tokio::test(flavor = "multi_thread")]
async fn posts_and_calls_a_minute() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let genesis = now - BLOCK_TIME * 60;
    let world = Arc::new(World::new(WorldConfig {
        seed: 20_261_128,
        block_time: BLOCK_TIME,
        genesis_ms: i64::try_from(genesis.as_millis()).unwrap(),
        ..WorldConfig::default()
    }));
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let urls = server.urls(1);
    let lying = Lying::reading(world, server, &urls, Faults::default());
    // With its own ideas of how often to ask.
    let config = lying.config(&urls, "90000000").replace(r#"poll_interval = "50ms", timeout"#, "timeout");
    lying.place.configure(&config);
    let mut running = lying.start();
    let begin = Instant::now();
    while lying.watermark() + 2 < lying.last() && begin.elapsed() < Duration::from_secs(60) {
        assert!(running.ended().is_none(), "the program ended");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (warm_up, time, most) = short_or_long((0, 15, 125), (45, 60, 100));
    tokio::time::sleep(Duration::from_secs(warm_up)).await;
    let time = Duration::from_secs(time);
    let (posts, calls) = lying.server.traffic(0);
    tokio::time::sleep(time).await;
    let (posts_then, calls_then) = lying.server.traffic(0);
    let a_minute = |before: u64, after: u64| (after - before) * 60 / time.as_secs();
    let (posts, calls) = (a_minute(posts, posts_then), a_minute(calls, calls_then));
    println!("{posts} posts and {calls} calls a minute");
    assert!(lying.watermark() + 6 > lying.last(), "it does not follow the head");
    assert!((20..=most).contains(&posts), "{posts} posts a minute to one node");
    assert!(calls <= 300, "{calls} calls a minute to one node");
}
