//! What a source of fills can be asked.

use async_trait::async_trait;

use super::{error::SourceError, evidence::Evidence, frontier::Frontier, page::Page, position::Position, start::Start};
use crate::breaker::Breaker;

/// A source of fills.
#[async_trait]
pub trait FillSource: Evidence {
    /// Its name, in cursor keys, dead letters and on screen: `polygon`.
    fn name(&self) -> &'static str;

    /// What keeps it from being asked by everybody while it is away, where it has that.
    fn breaker(&self) -> Option<Breaker> {
        None
    }

    /// Which world it shows: `chain:137`. A store holds one world only.
    async fn world(&self) -> Result<String, SourceError>;

    /// What the store says before the source is asked: the world that it holds, and from where it goes on, as far as that can
    /// be read. A provider that shows another world is then left out, rather than decide which one is right.
    fn remember(&self, world: &str, from: Option<&Position>) {
        let _ = (world, from);
    }

    /// The position that a text holds, as it was kept.
    fn position(&self, stored: &str) -> Option<Position>;

    /// How far it can be read now. That may be less than it was.
    async fn frontier(&self) -> Result<Frontier, SourceError>;

    /// The position at which `start` begins.
    async fn resolve(&self, start: &Start) -> Result<Position, SourceError>;

    /// How far along a position is, in what a replay counts: blocks of a chain; seconds of a source whose positions are ordered by
    /// time, which says so itself.
    fn measure(&self, position: &Position) -> u64 {
        position.chain().map_or(0, |position| position.block)
    }

    /// The events from `from` (inclusive) on, as far as one request reaches, never past `end`.
    ///
    /// `from` must be before `end`.
    async fn page(&self, from: &Position, end: &Position) -> Result<Page, SourceError>;
}
