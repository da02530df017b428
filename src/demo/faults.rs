//! What can go wrong with a node, to be switched on and off while it serves.
//!
//! Whether a request meets a fault is decided by the world's seed and the number of the request, so that a run of
//! requests in the same order meets the same faults again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;

use super::dice::Dice;

/// What may happen to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Status 429, half of the time with `Retry-After: 0`.
    TooManyRequests,
    /// Status 500.
    ServerError,
    /// Status 200 and a page for people.
    Html,
    /// A complete HTTP answer whose JSON ends early.
    CutJson,
    /// The connection closes in the middle of the body.
    CutBody,
    /// The connection is reset before the first byte.
    Reset,
    /// The right answer, [`Faults::stall`] later.
    Stall,
    /// The answer of a node that is [`Faults::lag`] blocks behind: an old head, null headers, `[]` for what it lacks.
    Lag,
    /// Status 200 and a JSON-RPC error about the rate of requests.
    RpcRateLimit,
}

/// A state of the switches. The default is a node in perfect health.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// The share of requests, from 0 to 1, that meets each fault. One request meets one at most.
    pub rates: BTreeMap<Fault, f64>,
    /// Only this node of [`DemoServer::urls`](super::DemoServer::urls) shows the faults of `rates`.
    pub only_node: Option<usize>,
    /// How late a stalled answer is.
    pub stall: Duration,
    /// How many blocks a lagging node is behind.
    pub lag: u64,
    /// The most blocks of an `eth_getLogs`.
    pub max_blocks: Option<u64>,
    /// The most rows of an `eth_getLogs`. One block alone is never refused.
    pub max_rows: Option<usize>,
    /// The most calls of a batch.
    pub batch_limit: Option<usize>,
    /// The tag `finalized` is answered with an error.
    pub no_finalized: bool,
    /// Logs come without `blockTimestamp`, which is no fault: some providers never give it.
    pub no_block_timestamp: bool,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            rates: BTreeMap::new(),
            only_node: None,
            stall: Duration::from_millis(500),
            lag: 20,
            max_blocks: None,
            max_rows: None,
            batch_limit: None,
            no_finalized: false,
            no_block_timestamp: false,
        }
    }
}

impl Faults {
    /// One fault, at a rate.
    pub fn of(fault: Fault, rate: f64) -> Self {
        Self { rates: BTreeMap::from([(fault, rate)]), ..Self::default() }
    }

    /// A bad day: a few percent of everything, and small ranges.
    pub fn storm() -> Self {
        let rates = [
            (Fault::TooManyRequests, 0.03),
            (Fault::ServerError, 0.03),
            (Fault::Html, 0.02),
            (Fault::CutJson, 0.02),
            (Fault::CutBody, 0.02),
            (Fault::Reset, 0.03),
            (Fault::Stall, 0.02),
            (Fault::Lag, 0.05),
            (Fault::RpcRateLimit, 0.03),
        ];
        Self {
            rates: rates.into(),
            stall: Duration::from_millis(200),
            max_blocks: Some(20),
            max_rows: Some(300),
            ..Self::default()
        }
    }

    /// What happens to a request to a node, if anything.
    pub(super) fn draw(&self, dice: &mut Dice, node: Option<usize>) -> Option<Fault> {
        let mut roll = dice.unit();
        if self.only_node.is_some() && self.only_node != node {
            return None;
        }
        self.rates.iter().find_map(|(fault, rate)| {
            roll -= rate;
            (roll < 0.0).then_some(*fault)
        })
    }
}

/// The switches of a running server.
#[derive(Debug, Default)]
pub struct FaultSwitches(RwLock<Arc<Faults>>);

impl FaultSwitches {
    /// The present state.
    pub fn get(&self) -> Arc<Faults> {
        Arc::clone(&self.0.read())
    }

    /// From the next request on, this.
    pub fn set(&self, faults: Faults) {
        *self.0.write() = Arc::new(faults);
    }

    /// [`Faults::storm`].
    pub fn storm(&self) {
        self.set(Faults::storm());
    }

    /// Perfect health.
    pub fn calm(&self) {
        self.set(Faults::default());
    }
}
