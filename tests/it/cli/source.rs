//! A source that is not there, or stands still.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use polytape::demo::{DemoServer, Faults, WorldConfig};
use tokio::net::TcpSocket;

use super::{SOON, place, run, serve, world};
use crate::support::process::until;
use crate::support::tables::compare_fills;

const SHORTLY: [&str; 4] = ["--no-tui", "--until-caught-up", "--timeout", "5s"];

/// A port that nobody listens on, and that nobody else gets as long as it is held.
struct ClosedPort {
    _held: TcpSocket,
    address: SocketAddr,
}

impl ClosedPort {
    fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = socket.local_addr().unwrap();
        Self { _held: socket, address }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn that_stands_still_is_named_frozen() {
    let world = world(1, 1_000_000);
    let server = serve(&world).await;
    server.freeze_at(world.config().first_block + 500);
    let place = place(&server.url());
    run(place.command(&SHORTLY)).failed_with(1, &["not caught up", "frozen"]);

    let blocks = world.config().first_block..=world.finalized(server.head());
    let difference = compare_fills(&place.store().unwrap(), &world, blocks);
    assert!(difference.is_none(), "what it has is read all the same: {difference:#?}");
}

/// The chain moves on all the time, and it is no progress towards markets that nobody serves.
#[tokio::test(flavor = "multi_thread")]
async fn that_serves_markets_and_is_away_is_named_while_the_chain_goes_on() {
    let server = serve(&world(1, 100)).await;
    server.faults().set(Faults { gamma_down: true, data_api_down: true, ..Faults::default() });
    let place = place(&server.url());
    let stuck = ["not caught up: no progress for 5s", "the open markets", "ingest-markets", "503"];
    run(place.command(&SHORTLY)).failed_with(1, &stuck);
}

/// And the other way round: markets change all the time.
#[tokio::test(flavor = "multi_thread")]
async fn that_stands_still_is_named_while_markets_go_on() {
    let (chain, apis) = (serve(&world(1, 1_000_000)).await, serve(&world(2, 1_000)).await);
    chain.freeze_at(WorldConfig::default().first_block + 500);
    let place = place(&chain.url());
    let mut command = place.command(&SHORTLY);
    command.env("POLYTAPE_SOURCES__GAMMA__URL", apis.url()).env("POLYTAPE_SOURCES__DATA_API__URL", apis.url());
    run(command).failed_with(1, &["not caught up", "frozen"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn that_cannot_be_reached_is_named() {
    let port = ClosedPort::new();
    let place = place(&format!("http://{}", port.address));
    run(place.command(&SHORTLY)).failed_with(1, &["not caught up", &port.address.to_string(), "refused"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn that_comes_late_is_waited_for() {
    let port = ClosedPort::new();
    let address = port.address;
    let place = place(&format!("http://{address}"));
    let mut running = place.start(&["--no-tui"]);
    let waits = format!("\"cause\":\"{address}");
    until(SOON, "it waits and says for whom", || running.stderr().contains(&waits));
    assert!(running.ended().is_none());

    drop(port);
    let world = world(1, 100);
    let server = DemoServer::start(Arc::clone(&world), address).await.unwrap();
    server.freeze_at(server.head());
    let first_block = WorldConfig::default().first_block;
    let truth = world.truth(first_block..=world.finalized(server.head()));
    until(SOON * 2, "it catches up", || place.count("trades") == truth.trades.len() as u64);
    running.terminate();
    running.wait(SOON).succeeded();
}
