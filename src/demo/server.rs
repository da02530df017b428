//! The demo world on a socket: a node of its chain, with the faults that are switched on.

use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use parking_lot::RwLock;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::clock::Clock;
use super::dice::{Dice, Purpose};
use super::faults::{Fault, FaultSwitches, Faults};
use super::ledger::Ledger;
use super::listener::{LoopbackListener, Wire};
use super::rpc;
use super::world::World;

/// A server of a [`World`]. It stops when it is dropped: idle connections close, and nobody is accepted any more.
#[derive(Debug)]
pub struct DemoServer {
    address: SocketAddr,
    state: Arc<Served>,
    _stop: DropGuard,
}

/// What the requests share.
#[derive(Debug)]
struct Served {
    ledger: Ledger,
    clock: RwLock<Clock>,
    faults: FaultSwitches,
    requests: AtomicU64,
    faulted: AtomicU64,
    refused_ranges: AtomicU64,
}

impl DemoServer {
    /// Serves a world at an address, whose port may be 0. The head follows the time of day.
    pub async fn start(world: Arc<World>, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Served {
            ledger: Ledger::new(world),
            clock: RwLock::new(Clock::Wall),
            faults: FaultSwitches::default(),
            requests: AtomicU64::new(0),
            faulted: AtomicU64::new(0),
            refused_ranges: AtomicU64::new(0),
        });
        let router = Router::new().fallback(serve).with_state(Arc::clone(&state));
        let service = router.into_make_service_with_connect_info::<Wire>();
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(axum::serve(LoopbackListener(listener), service).with_graceful_shutdown(stopped).into_future());
        Ok(Self { address, state, _stop: stop.drop_guard() })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it answers as several nodes of one chain. [`Faults::only_node`] tells them apart.
    pub fn urls(&self, nodes: usize) -> Vec<String> {
        (0..nodes).map(|node| format!("{}/node/{node}", self.url())).collect()
    }

    /// The world that it serves.
    pub fn world(&self) -> &World {
        &self.state.ledger.world
    }

    /// What goes wrong with it.
    pub fn faults(&self) -> &FaultSwitches {
        &self.state.faults
    }

    /// How many requests there were.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// How many of them met one of [`Faults::rates`].
    pub fn faulted(&self) -> u64 {
        self.state.faulted.load(Ordering::Relaxed)
    }

    /// How many ranges were refused as too large.
    pub fn refused_ranges(&self) -> u64 {
        self.state.refused_ranges.load(Ordering::Relaxed)
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

    /// Renders the logs of these blocks now, so that answers about them are copies. They are kept: a kilobyte a log.
    pub fn prerender(&self, blocks: RangeInclusive<u64>) {
        self.state.ledger.prerender(blocks);
    }
}

impl Served {
    fn head(&self) -> u64 {
        let clock = *self.clock.read();
        clock.head(&self.ledger.world)
    }
}

async fn serve(
    State(state): State<Arc<Served>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    uri: Uri,
    body: Bytes,
) -> Response {
    let number = state.requests.fetch_add(1, Ordering::Relaxed);
    let mut dice = Dice::new(state.ledger.world.config().seed, Purpose::Faults, number);
    let faults = state.faults.get();
    let fault = faults.draw(&mut dice, node(&uri));
    state.faulted.fetch_add(u64::from(fault.is_some()), Ordering::Relaxed);
    match fault {
        Some(Fault::TooManyRequests) => too_many_requests(&mut dice),
        Some(Fault::ServerError) => (StatusCode::INTERNAL_SERVER_ERROR, "upstream unavailable").into_response(),
        Some(Fault::Html) => html(),
        Some(Fault::Reset) => {
            wire.reset();
            StatusCode::OK.into_response()
        }
        fault => match state.compute(dice, faults, fault, body).await {
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Ok(mut answer) => match fault {
                Some(Fault::CutJson) => {
                    answer.truncate(answer.len() * 2 / 3);
                    json(answer)
                }
                Some(Fault::CutBody) => closing_midway(answer),
                _ => json(answer),
            },
        },
    }
}

impl Served {
    /// The answer of a node that is as the faults make it.
    async fn compute(
        self: Arc<Self>,
        mut dice: Dice,
        faults: Arc<Faults>,
        fault: Option<Fault>,
        body: Bytes,
    ) -> Result<Vec<u8>, tokio::task::JoinError> {
        if fault == Some(Fault::Stall) {
            tokio::time::sleep(faults.stall).await;
        }
        let lag = if fault == Some(Fault::Lag) { faults.lag } else { 0 };
        let head = self.head().saturating_sub(lag).max(self.ledger.world.config().first_block);
        let rate_limited = fault == Some(Fault::RpcRateLimit);
        // A wide range takes a while to render: not on a thread that others wait for.
        let compute = move || {
            let refused_ranges = &self.refused_ranges;
            let node = rpc::Node { ledger: &self.ledger, head, faults: &faults, rate_limited, refused_ranges };
            rpc::answer(&node, &mut dice, &body)
        };
        tokio::task::spawn_blocking(compute).await
    }
}

/// The number in `/node/<number>`.
fn node(uri: &Uri) -> Option<usize> {
    uri.path().strip_prefix("/node/")?.parse().ok()
}

const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

fn json(body: Vec<u8>) -> Response {
    ([JSON], body).into_response()
}

fn too_many_requests(dice: &mut Dice) -> Response {
    let status = StatusCode::TOO_MANY_REQUESTS;
    if dice.one_in(2) {
        (status, [(header::RETRY_AFTER, "0")], "Too many requests").into_response()
    } else {
        (status, "Too many requests").into_response()
    }
}

fn html() -> Response {
    let page = "<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body></body></html>\n";
    ([(header::CONTENT_TYPE, "text/html; charset=UTF-8")], page).into_response()
}

/// Promises all of the body and sends half of it.
fn closing_midway(mut body: Vec<u8>) -> Response {
    let promised = body.len();
    body.truncate(promised / 2);
    let half = stream::once(async move { Ok(Bytes::from(body)) });
    let end = stream::once(async {
        // The half is written out while this waits; an error at once would discard it.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::UnexpectedEof))
    });
    let headers = [JSON, (header::CONTENT_LENGTH, &promised.to_string())];
    (headers, Body::from_stream(half.chain(end))).into_response()
}
