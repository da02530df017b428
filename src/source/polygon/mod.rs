//! Fills from Polygon JSON-RPC nodes, read with `eth_getLogs` up to the newest final block.
//!
//! ```text
//! page ── round ── endpoint ── http                    one POST, bounded in time and size
//!          │          ├─ reply, vocabulary             whose answer it is, what an error means
//!          │          └─ limits, pace                  what it allows, how often it is asked
//!          └─ read ── tip, ranges                      near the head by hash, further back in ranges
//!               └─ settle ── receipts, transactions    what is in doubt is read in another way
//!                    └─ block ── list, log             JSON to logs, logs to blocks that are checked
//! ```
//!
//! Public nodes lag, lie and limit, each in its own words. So nothing is believed that can be checked. The rules stand in a
//! file each:
//!
//! | rule | file |
//! |---|---|
//! | near the head a block is asked for by its hash, and an empty one needs more than one node's word | `tip`, `emptiness` |
//! | a row's time is its header's, and no header is from a time that cannot be | `time`, `headers` |
//! | indexes rise with transactions | `places` |
//! | an answer counts up to its last log; a round number of logs may be a cut | `ranges`, `caps` |
//! | the rows of a match add up, or are read twice | `balance`, `imbalances` |
//! | a refusal that is not understood makes the next range smaller | `limits` |
//! | a head is confirmed by another operator's node, or holds together with what is known; it may fall | `head`, `confirm` |
//! | one range in twenty is compared; who leaves logs out is distrusted, and what rested on it read again | `compare`, `trail` |
//! | unknown events and new implementations are told | `surprises` |
//! | what fails is asked less and less often | `pace` |
//! | two URLs of one operator are one opinion | `operator` |
//!
//! An answer that fails is refused as a whole and the next endpoint is asked; a page is never shorter than what it claims to
//! cover. Nothing here sleeps: an error that says when to come back goes to the caller.

mod balance;
mod block;
mod caps;
mod compare;
mod config;
mod confirm;
mod doubt;
mod elements;
mod emptiness;
mod endpoint;
mod failure;
mod filter;
mod head;
mod header;
mod headers;
mod hex;
mod http;
mod imbalances;
mod limits;
mod list;
mod log;
mod operator;
mod pace;
mod page;
mod places;
mod range;
mod ranges;
mod read;
mod receipts;
mod reply;
mod resolve;
mod round;
mod settle;
mod surprises;
#[cfg(test)]
mod tests;
mod time;
mod tip;
mod trail;
mod transactions;
mod vocabulary;

use std::collections::HashMap;
use std::time::Instant;

use async_trait::async_trait;
use parking_lot::Mutex;

use self::compare::Samples;
use self::emptiness::Emptiness;
use self::endpoint::{Call, Chain, Endpoint};
use self::failure::Failure;
use self::head::{Confirmed, quantity};
use self::headers::Headers;
use self::imbalances::Imbalances;
use self::range::RangeSizer;
use self::read::{Read, Span};
use self::surprises::Surprises;
use super::http::{Timeouts, connections};
use super::{FillSource, Head, InDoubt, NodeState, Page, SourceError, SourceState, Start};
use crate::clock::unix_ms;
use crate::model::{ChainPosition, Exchange};

pub use self::config::{PolygonConfig, PolygonConfigError};

/// The source's name.
const NAME: &str = "polygon";

/// A source of fills: one or more JSON-RPC endpoints of one chain.
pub struct Polygon {
    config: PolygonConfig,
    endpoints: Vec<Endpoint>,
    shared: Mutex<Shared>,
    headers: Headers,
    emptiness: Mutex<Emptiness>,
    imbalances: Mutex<Imbalances>,
    samples: Mutex<Samples>,
    surprises: Mutex<Surprises>,
}

/// What the endpoints have in common. Never locked while one of them is asked.
struct Shared {
    /// The endpoint to ask first.
    next: usize,
    /// The chain that the first endpoint to answer has named.
    chain: Option<u64>,
    sizer: RangeSizer,
    /// Whether most blocks of the last range held logs.
    dense: bool,
    head: Option<Confirmed>,
    /// The last block that the store holds whole, as the caller says.
    cursor: Option<u64>,
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

    /// What is to be read from a position on, up to the block `last`.
    fn span(&self, from: ChainPosition, last: u64) -> Span {
        let known = self.shared.lock().head.map_or(0, Confirmed::block);
        Span { from, last, head: known.max(last) }
    }

    /// The endpoints of the right chain but one.
    fn others<'a>(&'a self, than: &'a Endpoint) -> impl Iterator<Item = &'a Endpoint> {
        self.endpoints.iter().filter(move |endpoint| !std::ptr::eq(*endpoint, than) && endpoint.is_usable())
    }

    /// Whether another endpoint may yet say what it knows: one that is silent, but not for long.
    fn may_still_speak(&self, than: &Endpoint) -> bool {
        self.others(than).any(|other| self.may_speak(other))
    }

    /// The same of endpoints of other operators.
    fn another_operator_may_speak(&self, than: &Endpoint) -> bool {
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

/// An answer that is not believed while another endpoint may know better: an empty one, or one with garbled logs.
struct Doubt<'a> {
    endpoint: &'a Endpoint,
    read: Read,
}

#[async_trait]
impl FillSource for Polygon {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn world(&self) -> Result<String, SourceError> {
        let is_shown = self.endpoints.iter().any(|endpoint| endpoint.chain() == Chain::Right);
        if let Some(chain) = self.shared.lock().chain.filter(|_| is_shown) {
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

    fn remember(&self, world: &str, from: ChainPosition) {
        let chain = world.strip_prefix("chain:").and_then(|number| number.parse().ok());
        let mut shared = self.shared.lock();
        shared.chain = shared.chain.or(chain);
        shared.cursor = from.block.checked_sub(1);
    }

    async fn head(&self) -> Result<Head, SourceError> {
        self.newest_final_block().await
    }

    async fn check(&self) -> Option<Vec<InDoubt>> {
        // First what needs nobody's answer, so that it is said at the end of a process, too.
        if let Some(in_doubt) = self.distrust_caught() {
            return Some(in_doubt);
        }
        self.look_for_unknown().await;
        self.compare_next().await
    }

    fn unproved(&self) -> Vec<(String, Option<u64>)> {
        self.endpoints.iter().map(|it| (it.name().to_owned(), it.trail().lock().begin())).collect()
    }

    fn recall(&self, unproved: &HashMap<String, u64>) {
        for endpoint in &self.endpoints {
            if let Some(from) = unproved.get(endpoint.name()) {
                endpoint.trail().lock().recall(*from);
            }
        }
    }

    fn state(&self) -> SourceState {
        let node = |endpoint: &Endpoint| NodeState {
            name: endpoint.name().to_owned(),
            doubts: endpoint.doubts().map(|(doubt, count)| (doubt.label(), count)).collect(),
            is_distrusted: endpoint.is_distrusted(),
            other_chain: match endpoint.chain() {
                Chain::Wrong(chain) => Some(chain),
                _ => None,
            },
        };
        let surprises = self.surprises.lock();
        SourceState {
            nodes: self.endpoints.iter().map(node).collect(),
            unknown_events: surprises.unknown(),
            upgrade: surprises.upgrade(),
        }
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
        let mut doubt: Option<Doubt<'_>> = None;
        let span = self.span(from, head);
        let believe = |read: Read| {
            for log in read.blocks.iter().flat_map(|block| &block.logs).filter(|log| log.is_upgrade()) {
                self.note_upgrade(log);
            }
            page::assemble(read.blocks, &read.unplaced, from, read.to, unix_ms())
        };
        while let Some(endpoint) = round.next_endpoint() {
            let last = doubt.as_ref().map_or(head, |doubt| doubt.read.to);
            let was_distrusted = endpoint.is_distrusted();
            let read = match self.read(endpoint, Span { last, ..span }).await {
                Ok(read) => read,
                Err(failure) => {
                    if !matches!(failure, Failure::Unconfirmed(_)) {
                        endpoint.set_silent(Instant::now());
                    }
                    round.failed(failure);
                    continue;
                }
            };
            endpoint.set_heard();
            let alone = read.garbled() == 0 && doubt.is_none() && self.others(endpoint).next().is_none();
            // Noted before anything else is asked: who is caught from here on has it read again.
            if (read.is_whole() || alone) && !was_distrusted {
                self.note_delivered(endpoint, from.block, &read);
            }
            if endpoint.is_distrusted() && !was_distrusted {
                // It was read as one that can be trusted.
                round.failed(Failure::Unconfirmed("it was just found to leave logs out".to_owned()));
                continue;
            }
            if read.is_whole() || alone {
                if let Some(doubt) = doubt.filter(|doubt| doubt.read.empty_behind && read.rows() > doubt.read.rows()) {
                    tracing::warn!(endpoint = doubt.endpoint.name(), "an empty answer for blocks that hold fills");
                    doubt.endpoint.note(doubt::Doubt::Missing);
                }
                round.settle();
                return Ok(believe(read));
            }
            match &doubt {
                // The second endpoint only agrees: the first keeps its turn.
                Some(doubt) if doubt.read.garbled() == 0 && read.garbled() == 0 && doubt.read.rows() <= read.rows() => {
                    if doubt.endpoint.operator() == endpoint.operator() {
                        // Two URLs, one opinion.
                        self.note_delivered(endpoint, from.block, &read);
                    }
                    return Ok(believe(read));
                }
                Some(doubt) if doubt.read.garbled() > 0 => {}
                // Nodes leave logs out: the one that has more stays in question.
                Some(doubt) if doubt.read.rows() > read.rows() => {
                    if read.garbled() > 0 {
                        endpoint.note(doubt::Doubt::Garbled);
                    } else if read.to >= doubt.read.to {
                        endpoint.note(doubt::Doubt::Missing);
                    }
                }
                _ => {
                    if read.garbled() > 0 {
                        endpoint.note(doubt::Doubt::Garbled);
                    }
                    doubt = Some(Doubt { endpoint, read });
                }
            }
        }
        if let Some(Doubt { endpoint, read }) = doubt {
            let what = read.what_is_doubtful(from.block);
            if !self.may_still_speak(endpoint) {
                // Nobody else can say. Then it counts what the same one says twice.
                if let Ok(again) = self.read(endpoint, Span { last: read.to, ..span }).await {
                    if again.garbled() > 0 {
                        tracing::warn!(endpoint = endpoint.name(), "{what}, twice: they become dead letters");
                    }
                    self.note_delivered(endpoint, from.block, &again);
                    return Ok(believe(again));
                }
            }
            round.unconfirmed(endpoint.name(), format!("{what}, and no second endpoint confirms it"));
        }
        Err(round.into_error())
    }
}
