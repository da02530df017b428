//! The nodes that deliver the chain, and what they have in common.

use std::time::Instant;

use parking_lot::Mutex;

use super::config::{PolygonConfig, PolygonConfigError};
use super::endpoint::{Chain, Endpoint};
use super::{
    call::Call, confirmed::Confirmed, emptiness::Emptiness, failure::Failure, failure::Result, headers::Headers, hex,
    imbalances::Imbalances, range::RangeSizer, samples::Samples, span::Span, surprises::Surprises,
};
use crate::model::ChainPosition;
use crate::source::http::{Timeouts, connections};

/// A provider of the chain: one or more JSON-RPC endpoints of one chain.
pub struct Polygon {
    pub(super) config: PolygonConfig,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) shared: Mutex<Shared>,
    pub(super) headers: Headers,
    pub(super) emptiness: Mutex<Emptiness>,
    pub(super) imbalances: Mutex<Imbalances>,
    pub(super) samples: Mutex<Samples>,
    pub(super) surprises: Mutex<Surprises>,
}

/// What the endpoints have in common. Never locked while one of them is asked.
pub(super) struct Shared {
    /// The endpoint to ask first.
    pub(super) next: usize,
    /// The chain that the first endpoint to answer has named.
    pub(super) chain: Option<u64>,
    pub(super) sizer: RangeSizer,
    /// Whether most blocks of the last range held logs.
    pub(super) dense: bool,
    pub(super) head: Option<Confirmed>,
    /// The last block that the store holds whole, as the caller says.
    pub(super) cursor: Option<u64>,
}

impl Polygon {
    /// A source that asks the endpoints of `config`. Connects to nobody yet.
    pub fn new(config: PolygonConfig) -> Result<Self, PolygonConfigError> {
        let urls = config.endpoints()?;
        let timeouts = Timeouts { total: config.timeout, connect: config.connect_timeout };
        let client = connections(&urls, timeouts).map_err(PolygonConfigError::Client)?;
        let endpoints = urls.into_iter().map(|url| Endpoint::new(url, client.clone(), &config));
        let endpoints = endpoints.collect();
        let sizer = RangeSizer::new(config.target_rows, config.max_range);
        let shared = Mutex::new(Shared { next: 0, chain: None, sizer, dense: true, head: None, cursor: None });
        Ok(Self {
            config,
            endpoints,
            shared,
            headers: Headers::default(),
            emptiness: Mutex::default(),
            imbalances: Mutex::default(),
            samples: Mutex::default(),
            surprises: Mutex::default(),
        })
    }

    /// Asks an endpoint which chain it serves, once, and refuses it where that is not the chain of the others.
    pub(super) async fn check_chain(&self, endpoint: &Endpoint) -> Result<u64> {
        if let (Chain::Right, Some(chain)) = (endpoint.chain(), self.shared.lock().chain) {
            return Ok(chain);
        }
        let answer = endpoint.one(Call { method: "eth_chainId", params: "[]".to_owned() }).await?;
        let found =
            hex::quantity_of(&answer).map_err(|cause| Failure::Untrusted(format!("a chain id that {cause}")))?;
        let expected = *self.shared.lock().chain.get_or_insert(found);
        if found != expected {
            tracing::warn!(endpoint = endpoint.name(), found, expected, "wrong chain: the endpoint is ignored");
            endpoint.set_chain(Chain::Wrong(found));
            return Err(Failure::WrongChain { expected, found });
        }
        endpoint.set_chain(Chain::Right);
        Ok(found)
    }

    /// What is to be read from a position on, up to the block `last`.
    pub(super) fn span(&self, from: ChainPosition, last: u64) -> Span {
        let known = self.shared.lock().head.map_or(0, Confirmed::block);
        Span { from, last, head: known.max(last) }
    }

    /// The endpoints of the right chain but one.
    pub(super) fn others<'a>(&'a self, than: &'a Endpoint) -> impl Iterator<Item = &'a Endpoint> {
        self.endpoints.iter().filter(move |endpoint| !std::ptr::eq(*endpoint, than) && endpoint.is_usable())
    }

    /// Whether another endpoint may yet say what it knows: one that is silent, but not for long.
    pub(super) fn may_still_speak(&self, than: &Endpoint) -> bool {
        self.others(than).any(|other| self.may_speak(other))
    }

    /// The same of endpoints of other operators.
    pub(super) fn another_operator_may_speak(&self, than: &Endpoint) -> bool {
        let mut others = self.others(than).filter(|other| other.operator() != than.operator());
        others.any(|other| self.may_speak(other))
    }

    fn may_speak(&self, endpoint: &Endpoint) -> bool {
        let now = Instant::now();
        match endpoint.silent_for(now) {
            Some(silence) => silence < self.config.patience,
            None => endpoint.cools_for(now).is_some() || endpoint.rests(now),
        }
    }
}
