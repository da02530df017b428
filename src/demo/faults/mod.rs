//! What can go wrong outside, to be switched on and off while it serves.
//!
//! Whether a request meets a fault is decided by the world's seed and the number of the request, so that a run of
//! requests in the same order meets the same faults again.

pub(super) mod asked;
pub(super) mod goldsky;
pub(super) mod lies;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::RwLock;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::demo::{faults::asked::Asked, faults::goldsky::SubgraphFaults, faults::lies::Lies, rng::Rng};

/// What may happen to a request. A fault that makes no sense for a request does not happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// RPC: the answer of a node that is [`Faults::lag`] blocks behind: an old head, null headers, `[]` for what it lacks.
    Lag,
    /// RPC: status 200 and a JSON-RPC error about the rate of requests.
    RpcRateLimit,
    /// Gamma, the Data API or the subgraph answers as it did [`Faults::lag`] blocks ago.
    Stale,
    /// A listing does not know the cursor any more: 422.
    LostCursor,
    /// The next page of a listing is this one again, or the second one.
    CircularCursor,
    /// Subgraph: status 200 and nothing but `errors`.
    QueryErrors,
    /// Subgraph: `errors` beside `data` that lacks rows: a half of them, all, or the list itself.
    PartialData,
    /// Subgraph: `errors` that say `Query timed out`.
    QueryTimedOut,
    /// Subgraph: status 524 of the proxy before it, whose origin took too long.
    OriginTimeout,
    /// Subgraph: status 429 and a text about the allowance of queries.
    Allowance,
}

impl Fault {
    /// Whether it can happen to such a request.
    fn concerns(self, asked: Asked) -> bool {
        match self {
            Self::Lag | Self::RpcRateLimit => matches!(asked, Asked::Rpc { .. }),
            Self::Stale => asked.is_gamma() || matches!(asked, Asked::Tokens | Asked::Goldsky),
            Self::LostCursor | Self::CircularCursor => asked == Asked::Keyset { from_cursor: true },
            Self::QueryErrors | Self::PartialData | Self::QueryTimedOut | Self::OriginTimeout | Self::Allowance => {
                asked == Asked::Goldsky
            }
            _ => true,
        }
    }
}

/// A state of the switches. The default is perfect health.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The share of requests, from 0 to 1, that meets each fault. One request meets one at most.
    pub rates: BTreeMap<Fault, f64>,
    /// Of the nodes of [`DemoServer::urls`](super::DemoServer::urls) only this one shows the faults of `rates` and tells
    /// `lies`. Gamma, the Data API and the subgraph show faults all the
    /// same.
    pub only_node: Option<usize>,
    /// How late a stalled answer is: `stall_ms` in JSON.
    #[serde(rename = "stall_ms", serialize_with = "as_millis", deserialize_with = "from_millis")]
    pub stall: Duration,
    /// How many blocks a lagging node or a stale answer is behind.
    pub lag: u64,
    /// The most blocks of an `eth_getLogs`.
    pub max_blocks: Option<u64>,
    /// The most rows of an `eth_getLogs`. One block alone is never refused.
    pub max_rows: Option<usize>,
    /// The most calls of a batch.
    pub batch_limit: Option<usize>,
    /// The tag `finalized` is answered with an error.
    pub no_finalized: bool,
    /// Finality moves by so many blocks at once, which is no fault either: milestones do.
    pub finality_step: u64,
    /// Logs come without `blockTimestamp`, which is no fault: some providers never give it.
    pub no_block_timestamp: bool,
    /// Listings come sorted by id, whatever is asked for.
    pub ignore_order: bool,
    /// Gamma answers 500 to every request whose answer would hold this market of its own, by its id …
    pub poison: Option<u64>,
    /// … and the Data API to every one about a token of this market.
    pub data_api_poison: Option<u64>,
    /// Gamma lists the positions of markets of both protocols in the other order …
    pub swapped_positions: bool,
    /// … or those of another such market.
    pub exchanged_positions: bool,
    /// Gamma answers 503 …
    pub gamma_down: bool,
    /// … and so does the Data API …
    pub data_api_down: bool,
    /// … and the chain.
    pub rpc_down: bool,
    /// The subgraph answers 503.
    pub goldsky_down: bool,
    /// How the chain's nodes lie.
    pub lies: Lies,
    /// How the subgraph fares.
    pub goldsky: SubgraphFaults,
    /// In this block the proxy of Exchange V3 says that its implementation was replaced, which is no fault.
    pub upgraded_at: Option<u64>,
    /// Every so many blocks Exchange V3 emits a fill in a layout that nobody knows, in transactions of its own. It is in no
    /// truth, since nobody could read it.
    pub unknown_layout_every: Option<u64>,
}

fn as_millis<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn from_millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
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
            finality_step: 1,
            no_block_timestamp: false,
            ignore_order: false,
            poison: None,
            data_api_poison: None,
            swapped_positions: false,
            exchanged_positions: false,
            gamma_down: false,
            data_api_down: false,
            rpc_down: false,
            goldsky_down: false,
            lies: Lies::default(),
            goldsky: SubgraphFaults::default(),
            upgraded_at: None,
            unknown_layout_every: None,
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
            (Fault::Stale, 0.03),
            (Fault::LostCursor, 0.02),
            (Fault::CircularCursor, 0.02),
            (Fault::QueryErrors, 0.03),
            (Fault::PartialData, 0.03),
            (Fault::QueryTimedOut, 0.03),
            (Fault::OriginTimeout, 0.02),
            (Fault::Allowance, 0.03),
        ];
        Self {
            rates: rates.into(),
            stall: Duration::from_millis(200),
            max_blocks: Some(20),
            max_rows: Some(300),
            ..Self::default()
        }
    }

    /// Lies of all nodes, and nothing else wrong.
    pub fn lying(lies: Lies) -> Self {
        Self { lies, ..Self::default() }
    }

    /// Whether some blocks have logs that are neither fills nor what always stands between them.
    pub(in crate::demo) fn surprise(&self) -> bool {
        self.upgraded_at.is_some() || self.unknown_layout_every.is_some()
    }

    /// How a node lies that is asked.
    pub(in crate::demo) fn lies_of(&self, asked: Asked) -> Lies {
        match asked {
            Asked::Rpc { node } if self.only_node.is_some() && self.only_node != node => Lies::default(),
            _ => self.lies.clone(),
        }
    }

    /// What happens to a request, if anything.
    pub(in crate::demo) fn draw(&self, rng: &mut Rng, asked: Asked) -> Option<Fault> {
        let mut roll = rng.unit();
        if let Asked::Rpc { node } = asked
            && self.only_node.is_some()
            && self.only_node != node
        {
            return None;
        }
        let drawn = self.rates.iter().find_map(|(fault, rate)| {
            roll -= rate;
            (roll < 0.0).then_some(*fault)
        });
        drawn.filter(|fault| fault.concerns(asked))
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
