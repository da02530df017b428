//! The chain: one source of fills, whoever delivers its blocks.
//!
//! All providers deliver the same rows with the same identity. So they share one name, and with it one cursor, one
//! checkpoint and one watermark.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;

use super::frontier::{Frontier, Head};
use super::page::{Page, SourceEvent};
use super::state::{InDoubt, SourceState};
use super::{error::SourceError, evidence::Evidence, fills::FillSource, position::Position, start::Start};
use crate::model::ChainPosition;

/// The chain's name in cursors, checkpoints and dead letters.
pub const CHAIN: &str = "polygon";

/// Who delivers blocks of the chain.
#[async_trait]
pub trait ChainProvider: Evidence {
    /// Which chain it shows: `chain:137`.
    async fn world(&self) -> Result<String, SourceError>;

    /// The newest final block. It may be lower than it was.
    async fn head(&self) -> Result<Head, SourceError>;

    /// The events from `from` (inclusive) on, as far as one request reaches, never past the block `head`.
    ///
    /// `from.block` must not be above `head`. Who lacks blocks up to there fails, and never tells less than there is.
    async fn page(&self, from: ChainPosition, head: u64) -> Result<Page<ChainPosition>, SourceError>;

    /// The position at which `start` begins.
    async fn resolve(&self, start: &Start) -> Result<ChainPosition, SourceError>;

    /// As [`FillSource::remember`] has it.
    fn remember(&self, world: &str, from: ChainPosition) {
        let _ = (world, from);
    }
}

/// A provider, ready to be asked, or the key that is wrong and why.
pub type Built = Result<Arc<dyn ChainProvider>, (&'static str, String)>;

/// The chain, by its providers.
pub struct Chain {
    /// Who is asked first stands first.
    providers: Vec<Arc<dyn ChainProvider>>,
}

impl Chain {
    /// By these providers. The next one is asked where one fails.
    pub fn new(providers: Vec<Arc<dyn ChainProvider>>) -> Self {
        Self { providers }
    }

    /// By one provider.
    pub fn of(provider: impl ChainProvider + 'static) -> Self {
        Self::new(vec![Arc::new(provider)])
    }
}

/// What the first provider says that does not fail, or else why the first one failed.
macro_rules! first_of {
    ($chain:ident, $provider:ident => $call:expr) => {{
        let mut failed = None;
        for $provider in &$chain.providers {
            match $call.await {
                Ok(answer) => return Ok(answer.into()),
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        Err(failed.unwrap_or_else(nobody))
    }};
}

fn nobody() -> SourceError {
    SourceError::unreachable(CHAIN, "it has no provider")
}

/// A position of this source.
fn in_chain(position: &Position) -> Result<ChainPosition, SourceError> {
    let cause = || format!("{position} is no block");
    position.chain().ok_or_else(|| SourceError::Refused { endpoint: CHAIN.to_owned(), cause: cause() })
}

#[async_trait]
impl Evidence for Chain {
    async fn check(&self) -> Option<Vec<InDoubt>> {
        let mut found = None;
        for provider in &self.providers {
            if let Some(more) = provider.check().await {
                found.get_or_insert_with(Vec::new).extend(more);
            }
        }
        found
    }

    fn unproved(&self) -> Vec<(String, Option<u64>)> {
        self.providers.iter().flat_map(|provider| provider.unproved()).collect()
    }

    fn restore(&self, unproved: &HashMap<String, u64>) {
        self.providers.iter().for_each(|provider| provider.restore(unproved));
    }

    fn state(&self) -> SourceState {
        let mut all = SourceState::default();
        for state in self.providers.iter().map(|provider| provider.state()) {
            all.nodes.extend(state.nodes);
            all.unknown_events = all.unknown_events.or(state.unknown_events);
            all.upgrade = all.upgrade.or(state.upgrade);
        }
        all
    }
}

#[async_trait]
impl FillSource for Chain {
    fn name(&self) -> &'static str {
        CHAIN
    }

    async fn world(&self) -> Result<String, SourceError> {
        first_of!(self, provider => provider.world())
    }

    fn remember(&self, world: &str, from: Option<&Position>) {
        let from = from.and_then(Position::chain).unwrap_or(ChainPosition::start_of(0));
        self.providers.iter().for_each(|provider| provider.remember(world, from));
    }

    fn position(&self, stored: &str) -> Option<Position> {
        serde_json::from_str(stored).ok().map(Position::Chain)
    }

    async fn frontier(&self) -> Result<Frontier, SourceError> {
        first_of!(self, provider => provider.head())
    }

    async fn resolve(&self, start: &Start) -> Result<Position, SourceError> {
        first_of!(self, provider => provider.resolve(start))
    }

    async fn page(&self, from: &Position, end: &Position) -> Result<Page, SourceError> {
        let (from, end) = (in_chain(from)?, in_chain(end)?);
        first_of!(self, provider => provider.page(from, end.block.saturating_sub(1)))
    }
}

impl From<Head> for Frontier {
    fn from(head: Head) -> Self {
        Self {
            end: ChainPosition::start_of(head.block.saturating_add(1)).into(),
            timestamp: head.timestamp,
            subgraph: None,
        }
    }
}

impl From<Page<ChainPosition>> for Page {
    fn from(page: Page<ChainPosition>) -> Self {
        let event = |SourceEvent { next, fill }| SourceEvent { next: Position::Chain(next), fill };
        Self { events: page.events.into_iter().map(event).collect(), next: page.next.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A provider that is away, or shows blocks up to a number.
    struct Told(Option<u64>);

    impl Told {
        fn block(&self) -> Result<u64, SourceError> {
            let away = || SourceError::unreachable("one", "away");
            self.0.ok_or_else(away)
        }
    }

    impl Evidence for Told {
        fn unproved(&self) -> Vec<(String, Option<u64>)> {
            vec![("node".into(), self.0)]
        }
    }

    #[async_trait]
    impl ChainProvider for Told {
        async fn world(&self) -> Result<String, SourceError> {
            Ok(format!("chain:{}", self.block()?))
        }

        async fn head(&self) -> Result<Head, SourceError> {
            Ok(Head { block: self.block()?, timestamp: 7 })
        }

        async fn page(&self, _: ChainPosition, head: u64) -> Result<Page<ChainPosition>, SourceError> {
            self.block()?;
            Ok(Page { events: vec![], next: ChainPosition::start_of(head + 1) })
        }

        async fn resolve(&self, _: &Start) -> Result<ChainPosition, SourceError> {
            Ok(ChainPosition::start_of(self.block()?))
        }
    }

    #[tokio::test]
    async fn the_next_provider_is_asked_where_one_fails_and_all_are_one_source() {
        let chain = Chain::new(vec![Arc::new(Told(None)), Arc::new(Told(Some(9)))]);
        assert_eq!((chain.name(), chain.world().await), ("polygon", Ok("chain:9".into())));
        let frontier = chain.frontier().await.unwrap();
        assert_eq!(frontier.head(), Some(Head { block: 9, timestamp: 7 }));
        let from = chain.resolve(&Start::Genesis).await.unwrap();
        assert_eq!(chain.position(&from.stored()), Some(from.clone()));
        assert_eq!(chain.page(&from, &frontier.end).await.unwrap().next, frontier.end);
        assert_eq!(chain.unproved(), [("node".into(), None), ("node".into(), Some(9))]);
        let words = Chain::of(Told(None)).frontier().await.unwrap_err().to_string();
        assert_eq!(words, "one: away");
        assert!(chain.page(&Position::own("a", "a"), &frontier.end).await.is_err());
    }
}
