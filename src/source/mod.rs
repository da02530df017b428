//! Where fills and markets come from.
//!
//! A [`FillSource`] is asked for its [`Head`] and for pages of events behind a position, a [`MarketSource`] for pages of a
//! listing and for single markets. They answer with facts only: what cannot be decoded is a [`DeadLetter`] in its place
//! in the page, and an answer that cannot be trusted (a node that lacks the blocks, a cut body) is a [`SourceError`],
//! never a shorter page.
//!
//! A new source is one module here and a line in the config.

pub mod data_api;
pub mod gamma;
mod guarded;
mod http;
mod markets;
pub mod polygon;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;

use crate::breaker::Breaker;
use crate::failure::FailureClass;
use crate::model::{ChainPosition, DeadLetter, Fill};

pub use guarded::Guarded;
pub use http::{ApiConfig, ApiConfigError, host_of};
pub use markets::{Listing, Lookup, MarketPage, MarketSource, Order, Place, TokenFact, TokenSource};

/// The newest block that is final: everything up to it can be read and will never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub block: u64,
    /// Its time, in unix seconds. Its age proves that the source is alive: "no new rows" proves nothing.
    pub timestamp: u64,
}

impl Head {
    /// A head that is older than this does not prove that the source is alive. A node without the `finalized` tag is
    /// about two minutes behind by design.
    pub const FRESH: Duration = Duration::from_secs(300);

    /// How old it is at a time since 1970.
    pub const fn age(self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_secs(self.timestamp))
    }
}

/// One event of a page, in the order of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceEvent {
    /// The position behind it, from which reading may go on.
    pub next: ChainPosition,
    /// The fill, or why it is none.
    pub fill: Result<Fill, DeadLetter>,
}

/// Everything between the position that was asked for and `next`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The events, in order. May be empty: that the range holds nothing is news, too.
    pub events: Vec<SourceEvent>,
    /// The position behind the page.
    pub next: ChainPosition,
}

/// Blocks that rest on the word of a provider that was found to leave events out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InDoubt {
    /// Host and port.
    pub endpoint: String,
    /// The first block.
    pub from: u64,
    /// The last block.
    pub to: u64,
}

/// One provider of a source, as it has shown itself in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeState {
    /// Host and port.
    pub name: String,
    /// How often there was reason to look twice at what it said, by kind.
    pub doubts: Vec<(&'static str, u64)>,
    /// It leaves events out: nothing is believed of it alone.
    pub is_distrusted: bool,
    /// It shows this chain rather than that of the store, and is left out.
    pub other_chain: Option<u64>,
}

/// What a source has found out about its providers and its contracts in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceState {
    /// Its providers, in the order of the configuration.
    pub nodes: Vec<NodeState>,
    /// How many events of unknown kinds known contracts emitted in the blocks that were looked at, and one kind of them.
    pub unknown_events: Option<(u64, String)>,
    /// The last contract whose implementation was replaced, in words.
    pub upgrade: Option<String>,
}

/// Where a first run begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// The first block whose time is not before this one (unix seconds).
    Time(u64),
    /// This block.
    Block(u64),
    /// The source's first block.
    Genesis,
    /// The block behind the head.
    Latest,
}

/// A source of fills.
#[async_trait]
pub trait FillSource: Send + Sync {
    /// Its name, in cursor keys, dead letters and on screen: `polygon`.
    fn name(&self) -> &'static str;

    /// What keeps it from being asked by everybody while it is away, where it has that.
    fn breaker(&self) -> Option<Breaker> {
        None
    }

    /// Which world it shows: `chain:137`. A store holds one world only.
    async fn world(&self) -> Result<String, SourceError>;

    /// What the store says before the source is asked: the world that it holds, and from where it goes on. A provider that
    /// shows another world is then left out, rather than decide which one is right.
    fn remember(&self, world: &str, from: ChainPosition) {
        let _ = (world, from);
    }

    /// Does one piece of checking that waits, beside the reading. Says which blocks are in doubt since then; `None` where
    /// nothing waits. Errors are no news here.
    async fn check(&self) -> Option<Vec<InDoubt>> {
        None
    }

    /// Since which block what a provider delivered rests on its word alone, by the provider's name; `None` where nothing does.
    /// It may turn out to have left something out.
    fn unproved(&self) -> Vec<(String, Option<u64>)> {
        Vec::new()
    }

    /// Takes up what an earlier process knew of that.
    fn recall(&self, unproved: &HashMap<String, u64>) {
        let _ = unproved;
    }

    /// What it has found out about its providers.
    fn state(&self) -> SourceState {
        SourceState::default()
    }

    /// The newest final block. It may be lower than it was.
    async fn head(&self) -> Result<Head, SourceError>;

    /// The position at which `start` begins.
    async fn resolve(&self, start: &Start) -> Result<ChainPosition, SourceError>;

    /// The events from `from` (inclusive) on, as far as one request reaches, never past the block `head`.
    ///
    /// `from.block` must not be above `head`.
    async fn page(&self, from: ChainPosition, head: u64) -> Result<Page, SourceError>;
}

/// Why a source did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not reached, timed out, or cut off.
    #[error("{endpoint}: {cause}")]
    Unreachable {
        /// Host and port.
        endpoint: String,
        /// In words.
        cause: String,
    },
    /// Asked too often, or not entitled.
    #[error("{endpoint} turns requests away: {cause}")]
    RateLimited {
        /// Host and port.
        endpoint: String,
        /// In its own words.
        cause: String,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// It answered with an error of its own.
    #[error("{endpoint} answered: {cause}")]
    Refused {
        /// Host and port.
        endpoint: String,
        /// In its own words.
        cause: String,
    },
    /// It failed on what was asked for, or on anything: a smaller request tells.
    #[error("{endpoint} answered: {cause}")]
    Failed {
        /// Host and port.
        endpoint: String,
        /// In its own words.
        cause: String,
    },
    /// It was reached, and broke off or timed out: likewise.
    #[error("{endpoint}: {cause}")]
    Broken {
        /// Host and port.
        endpoint: String,
        /// In words.
        cause: String,
    },
    /// It answered what cannot be true or cannot be read.
    #[error("{endpoint} cannot be trusted: {cause}")]
    Untrusted {
        /// Host and port.
        endpoint: String,
        /// What is wrong with the answer.
        cause: String,
    },
    /// It does not have the block yet, whatever it answered.
    #[error("{endpoint} lags: it does not have block {block}")]
    Lagging {
        /// Host and port.
        endpoint: String,
        /// The block that it lacks.
        block: u64,
    },
    /// It does not know the place in a listing that it gave out: the listing is to be read from its beginning.
    #[error("{endpoint} does not know its own cursor any more: {cause}")]
    Cursor {
        /// Host and port.
        endpoint: String,
        /// In its own words.
        cause: String,
    },
    /// It serves another chain than the rest.
    #[error("{endpoint} serves chain {found}, not {expected}")]
    WrongChain {
        /// Host and port.
        endpoint: String,
        /// The chain of the others.
        expected: u64,
        /// Its chain.
        found: u64,
    },
}

impl SourceError {
    /// What to do about it.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::WrongChain { .. } => FailureClass::Deterministic,
            _ => FailureClass::Retry,
        }
    }

    /// Whether a part of what was asked for may be to blame, so that the rest is worth asking for.
    pub const fn may_be_of_a_part(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Broken { .. } | Self::Untrusted { .. })
    }

    /// How long the source asked to be left alone.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
