//! Fills from Polygon JSON-RPC nodes, read with `eth_getLogs` up to the newest final block.
//!
//! ```text
//! page ── round ── endpoint ── http            one POST, bounded in time and size
//!          │          └─ reply, vocabulary     whose answer it is, what an error means
//!          └─ read ── log ── page              JSON to logs, logs to a checked page
//! ```
//!
//! Public nodes lag, lie and limit, each in its own words. So nothing is believed that can be checked: every answer
//! comes with the header of its last block, hashes must agree, and an empty answer needs a second endpoint that says
//! the same. An answer that fails is refused as a whole and the next endpoint is asked; a page is never shorter than
//! what it claims to cover.
//!
//! Nothing here sleeps: an error that says when to come back goes to the caller.

mod config;
mod endpoint;
mod failure;
mod head;
mod header;
mod hex;
mod http;
mod log;
mod page;
mod range;
mod read;
mod reply;
mod resolve;
mod retry_after;
mod round;
#[cfg(test)]
mod tests;
mod vocabulary;

use async_trait::async_trait;
use parking_lot::Mutex;

use self::endpoint::{Call, Chain, Endpoint};
use self::failure::Failure;
use self::head::{Highest, quantity};
use self::range::RangeSizer;
use self::read::Read;
use super::{FillSource, Head, Page, SourceError, Start};
use crate::model::{ChainPosition, Exchange};

pub use self::config::{PolygonConfig, PolygonConfigError};

/// The source's name.
const NAME: &str = "polygon";

/// A source of fills: one or more JSON-RPC endpoints of one chain.
pub struct Polygon {
    config: PolygonConfig,
    endpoints: Vec<Endpoint>,
    shared: Mutex<Shared>,
}

/// What the endpoints have in common. Never locked while one of them is asked.
struct Shared {
    /// The endpoint to ask first.
    next: usize,
    /// The chain that the first endpoint to answer has named.
    chain: Option<u64>,
    sizer: RangeSizer,
    highest: Option<Highest>,
}

impl Polygon {
    /// A source that asks the endpoints of `config`. Connects to nobody yet.
    pub fn new(config: PolygonConfig) -> Result<Self, PolygonConfigError> {
        let client = http::connections(&config)?;
        let endpoints = config.endpoints()?.into_iter().map(|url| Endpoint::new(url, client.clone(), &config));
        let endpoints = endpoints.collect();
        let sizer = RangeSizer::new(config.target_rows, config.max_range);
        let shared = Mutex::new(Shared { next: 0, chain: None, sizer, highest: None });
        Ok(Self { config, endpoints, shared })
    }

    /// Asks an endpoint which chain it serves, once, and refuses it where that is not the chain of the others.
    async fn check_chain(&self, endpoint: &Endpoint) -> Result<u64, Failure> {
        if let (Chain::Right, Some(chain)) = (endpoint.chain(), self.shared.lock().chain) {
            return Ok(chain);
        }
        let answer = endpoint.one(Call { method: "eth_chainId", params: "[]".to_owned() }).await?;
        let found = quantity(&answer).map_err(|cause| Failure::Untrusted(format!("a chain id that {cause}")))?;
        let expected = *self.shared.lock().chain.get_or_insert(found);
        if found != expected {
            tracing::warn!(endpoint = endpoint.name(), found, expected, "wrong chain: the endpoint is left out");
            endpoint.set_chain(Chain::Wrong(found));
            return Err(Failure::WrongChain { expected, found });
        }
        endpoint.set_chain(Chain::Right);
        Ok(found)
    }
}

impl Polygon {
    /// Takes an answer as the page behind `from`.
    fn believe(&self, from: ChainPosition, read: Read) -> Page {
        self.shared.lock().sizer.succeeded(read.to - from.block + 1, read.rows);
        read.page
    }
}

#[async_trait]
impl FillSource for Polygon {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn world(&self) -> Result<String, SourceError> {
        if let Some(chain) = self.shared.lock().chain {
            return Ok(format!("chain:{chain}"));
        }
        let mut round = self.round()?;
        while let Some(endpoint) = round.next_endpoint() {
            match self.check_chain(endpoint).await {
                Ok(chain) => return Ok(format!("chain:{chain}")),
                Err(failure) => round.failed(failure),
            }
        }
        Err(round.into_error())
    }

    async fn head(&self) -> Result<Head, SourceError> {
        self.newest_final_block().await
    }

    async fn resolve(&self, start: &Start) -> Result<ChainPosition, SourceError> {
        let block = match *start {
            Start::Block(block) => block,
            Start::Genesis => self.head().await?.block.min(Exchange::FIRST_BLOCK),
            Start::Latest => self.head().await?.block.saturating_add(1),
            Start::Time(time) => self.first_block_at(time).await?,
        };
        Ok(ChainPosition::start_of(block))
    }

    async fn page(&self, from: ChainPosition, head: u64) -> Result<Page, SourceError> {
        if from.block > head {
            return Ok(Page { events: vec![], next: from });
        }
        let mut round = self.round()?;
        // An endpoint that has seen nothing, and how far: not believed while another may know better.
        let mut empty: Option<(&Endpoint, u64)> = None;
        // An answer with logs that cannot be read: another may have them whole.
        let mut garbled = None;
        while let Some(endpoint) = round.next_endpoint() {
            let last = empty.map_or(head, |(_, to)| to);
            let read = match self.read(endpoint, from, last).await {
                Ok(read) => read,
                Err(failure) => {
                    round.failed(failure);
                    continue;
                }
            };
            if read.garbled > 0 {
                tracing::warn!(endpoint = endpoint.name(), "{} logs cannot be read", read.garbled);
                garbled.get_or_insert(read);
                continue;
            }
            match empty {
                None if read.rows == 0 && round.has_others() => {
                    empty = Some((endpoint, read.to));
                    continue;
                }
                Some((first, _)) if read.rows > 0 => {
                    tracing::warn!(endpoint = first.name(), "an empty answer for blocks that hold fills");
                    round.settle();
                }
                // The second endpoint only agrees: the first keeps its turn.
                Some(_) => {}
                None => round.settle(),
            }
            return Ok(self.believe(from, read));
        }
        if let Some(read) = garbled {
            return Ok(self.believe(from, read));
        }
        if let Some((first, to)) = empty {
            // Nobody else can say. Then it counts what the same one says twice, as it would if it were alone.
            if let Ok(read) = self.read(first, from, to).await {
                tracing::debug!(endpoint = first.name(), "an empty answer that only it could give, twice");
                return Ok(self.believe(from, read));
            }
            let cause = format!("it has nothing from {} to {to}, and no second endpoint confirms it", from.block);
            round.unconfirmed(first.name(), cause);
        }
        Err(round.into_error())
    }
}
