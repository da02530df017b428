//! The demo world on a socket: nodes of its chain, Gamma, the Data API and a subgraph, with the faults that are switched on.

pub(super) mod clock;
mod control;
mod listener;
mod serve;
mod served;

use std::sync::atomic::{AtomicU64, Ordering};
use std::{io, net::SocketAddr, ops::RangeInclusive, sync::Arc};

use axum::Router;
use parking_lot::RwLock;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::listener::{LoopbackListener, Wire};
use self::serve::serve;
use self::served::{Served, Traffic};
use crate::demo::{chain::ledger::Ledger, faults::FaultSwitches, server::clock::Clock, world::World};

/// At so many addresses it listens, so that nodes of several operators can be told apart.
const OPERATORS: usize = 3;

/// A server of a [`World`]. It stops when it is dropped: idle connections close, and nobody is accepted any more.
#[derive(Debug)]
pub struct DemoServer {
    state: Arc<Served>,
    _stop: DropGuard,
}

impl DemoServer {
    /// Serves a world at an address, whose port may be 0. The head follows the time of day.
    pub async fn start(world: Arc<World>, address: SocketAddr) -> io::Result<Self> {
        let mut listeners = vec![TcpListener::bind(address).await?];
        while listeners.len() < OPERATORS {
            listeners.push(TcpListener::bind(SocketAddr::new(address.ip(), 0)).await?);
        }
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
        let state = Arc::new(Served {
            urls: addresses.iter().map(|address| format!("http://{address}")).collect(),
            ledger: Ledger::new(world),
            clock: RwLock::new(Clock::Wall),
            faults: FaultSwitches::default(),
            requests: AtomicU64::new(0),
            gamma_requests: AtomicU64::new(0),
            goldsky_requests: AtomicU64::new(0),
            faulted: AtomicU64::new(0),
            refused_ranges: AtomicU64::new(0),
            traffic: Traffic::default(),
        });
        let stop = CancellationToken::new();
        for listener in listeners {
            let router = Router::new().fallback(serve).with_state(Arc::clone(&state));
            let service = router.into_make_service_with_connect_info::<Wire>();
            let stopped = stop.clone().cancelled_owned();
            tokio::spawn(
                axum::serve(LoopbackListener(listener), service).with_graceful_shutdown(stopped).into_future(),
            );
        }
        Ok(Self { state, _stop: stop.drop_guard() })
    }

    /// Where it answers as a node, as Gamma (`/markets…`) and as the Data API (`/v2/tokens`).
    pub fn url(&self) -> String {
        self.state.url().to_owned()
    }

    /// Where it answers as the orderbook subgraph.
    pub fn goldsky_url(&self) -> String {
        format!("{}/goldsky/subgraphs/orderbook-subgraph/0.0.1/gn", self.state.url())
    }

    /// Where it answers as several nodes of one chain, each at an address of its own, as nodes of several operators are.
    /// [`Faults::only_node`](super::Faults::only_node) tells them apart.
    pub fn urls(&self, nodes: usize) -> Vec<String> {
        (0..nodes).zip(self.state.urls.iter().cycle()).map(|(node, url)| format!("{url}/node/{node}")).collect()
    }

    /// The same, all at one address, as nodes of one operator are.
    pub fn urls_of_one_operator(&self, nodes: usize) -> Vec<String> {
        (0..nodes).map(|node| format!("{}/node/{node}", self.state.url())).collect()
    }

    /// The world that it serves.
    pub fn world(&self) -> &World {
        &self.state.ledger.world
    }

    /// What goes wrong with it.
    pub fn faults(&self) -> &FaultSwitches {
        &self.state.faults
    }

    /// How many requests there were, those for `/demo` not counted.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// How many of them were for Gamma.
    pub fn gamma_requests(&self) -> u64 {
        self.state.gamma_requests.load(Ordering::Relaxed)
    }

    /// How many were for the subgraph.
    pub fn goldsky_requests(&self) -> u64 {
        self.state.goldsky_requests.load(Ordering::Relaxed)
    }

    /// How many of all met one of [`Faults::rates`](super::Faults::rates).
    pub fn faulted(&self) -> u64 {
        self.state.faulted.load(Ordering::Relaxed)
    }

    /// How many ranges were refused as too large.
    pub fn refused_ranges(&self) -> u64 {
        self.state.refused_ranges.load(Ordering::Relaxed)
    }

    /// How many requests a node has answered, and how many calls were in them.
    pub fn traffic(&self, node: usize) -> (u64, u64) {
        self.state.traffic.of(node)
    }

    /// Sets what moves the head.
    pub fn set_clock(&self, clock: Clock) {
        *self.state.clock.write() = clock;
    }

    /// Holds the head at a block.
    pub fn freeze_at(&self, block: u64) {
        self.set_clock(Clock::Frozen(block));
    }

    /// The newest block that it has now.
    pub fn head(&self) -> u64 {
        self.state.head()
    }

    /// The newest block that its nodes call final now.
    pub fn finalized(&self) -> u64 {
        self.world().finalized_in_steps(self.head(), self.faults().get().finality_step)
    }

    /// Renders the logs of these blocks now, so that answers about them are copies. They are kept: a kilobyte a log.
    pub fn prerender(&self, blocks: RangeInclusive<u64>) {
        self.state.ledger.prerender(blocks);
    }
}
