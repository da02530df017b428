//! A URL that shows another chain than the store holds.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use polytape::demo::{DemoServer, Faults, World, WorldConfig};

use crate::support::lying::Lying;

/// Row 16: the first of three URLs says another chain at a restart. It is left out, which is said; the others go on.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_of_three_urls_shows_another_chain_at_a_restart() {
    let lying = Lying::new(3, Faults::default()).await;
    let mut running = lying.start();
    lying.go_on(&mut running, Duration::from_secs(3)).await;
    running.terminate();
    assert_eq!(running.wait(Duration::from_secs(20)).code, Some(0));

    let other = Arc::new(World::new(WorldConfig { seed: 1, ..WorldConfig::default() }));
    let other = DemoServer::start(other, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let mut urls = lying.server.urls(3);
    urls[0] = other.url();
    let first_block = lying.world.config().first_block.to_string();
    lying.place.configure(&lying.config(&urls, &first_block));
    let mut running = lying.start();
    lying.go_on(&mut running, Duration::from_secs(2)).await;
    if running.ended().is_some() {
        panic!("ended at a restart: {}", running.stderr().lines().last().unwrap_or_default());
    }
    let tables = lying.come_to_the_end(&mut running).await;
    tables.assert_whole(lying.last(), "beside a URL of another chain");
    assert!(running.stderr().contains("wrong chain"), "it is said: {}", running.stderr());
}
