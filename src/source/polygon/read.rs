//! Reads blocks from one endpoint, in the way that their depth below the head asks for.
//!
//! ```text
//! tip    within 128 blocks of the head     by hash
//! near   within 4,096                      a range; what is behind its last log by hash
//! deep   further back                      a range; what is behind its last log is a range without logs
//! ```

use super::Polygon;
use super::block::Block;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::log::ReadLog;
use super::settle::Case;
use crate::model::ChainPosition;

/// What is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: ChainPosition,
    /// The last block.
    pub(super) last: u64,
    /// The newest final block.
    pub(super) head: u64,
}

/// How far below the head a block lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Tip,
    Near,
    Deep,
}

/// What an endpoint said of some blocks, as far as it is settled.
#[derive(Debug)]
pub(super) struct Read {
    /// The last block that it covers.
    pub(super) to: u64,
    /// The blocks that hold logs, in order.
    pub(super) blocks: Vec<Block>,
    /// Logs that do not say in which block they are.
    pub(super) unplaced: Vec<ReadLog>,
    /// Whether many blocks, up to the last one, are only said to hold nothing.
    pub(super) empty_behind: bool,
}

impl Read {
    /// How many logs there are.
    pub(super) fn rows(&self) -> usize {
        self.unplaced.len() + self.blocks.iter().map(|block| block.logs.len()).sum::<usize>()
    }

    /// How many of them cannot be read.
    pub(super) fn garbled(&self) -> usize {
        self.unplaced.len() + self.blocks.iter().map(Block::garbled).sum::<usize>()
    }

    /// Whether nothing is doubtful about it.
    pub(super) fn is_whole(&self) -> bool {
        !self.empty_behind && self.garbled() == 0
    }

    /// In words, for a range that began at a block.
    pub(super) fn what_is_doubtful(&self, from: u64) -> String {
        match self.garbled() {
            0 => {
                let begin = self.blocks.last().map_or(from, |block| block.header.number + 1);
                format!("it has nothing from {begin} to {}", self.to)
            }
            garbled => format!("{garbled} logs from {from} to {} cannot be read", self.to),
        }
    }
}

impl Polygon {
    /// Reads from `span.from` on, as far as one request reaches and `span.last` allows.
    pub(super) async fn read(&self, endpoint: &Endpoint, span: Span) -> Result<Read, Failure> {
        self.check_chain(endpoint).await?;
        let from = span.from.block;
        // Of one that leaves logs out every block is read a second time, one by one.
        if self.depth(span) == Depth::Tip || endpoint.is_distrusted() {
            let blocks = self.shared.lock().sizer.blocks().min(super::tip::MOST_BLOCKS);
            let to = from.saturating_add(blocks - 1).min(span.last);
            return self.read_tip(endpoint, from, to, Vec::new()).await;
        }
        self.read_range(endpoint, span).await
    }

    /// Blocks by hash, behind others that are known already.
    pub(super) async fn read_tip(
        &self,
        endpoint: &Endpoint,
        from: u64,
        to: u64,
        mut cases: Vec<Case>,
    ) -> Result<Read, Failure> {
        let first = cases.first().map_or(from, |case| case.block.header.number.min(from));
        match self.by_hash(endpoint, from, to).await {
            Ok(more) => cases.extend(more),
            Err(failure) if cases.is_empty() => return Err(failure),
            Err(_) => {}
        }
        let to = cases.last().map_or(to, |case| case.block.header.number.max(from.saturating_sub(1)).min(to));
        self.settled(endpoint, first, to, cases).await
    }

    /// What is settled of some readings, which cover all blocks from `from` to `to`.
    pub(super) async fn settled(
        &self,
        endpoint: &Endpoint,
        from: u64,
        to: u64,
        cases: Vec<Case>,
    ) -> Result<Read, Failure> {
        let (blocks, stopped) = self.settle(endpoint, cases).await;
        let to = match stopped {
            Some((block, failure)) if block <= from => return Err(failure),
            Some((block, failure)) => {
                tracing::debug!(endpoint = endpoint.name(), block, ?failure, "a block is in doubt: reading up to it");
                block - 1
            }
            None => to,
        };
        let blocks = blocks.into_iter().filter(|block| !block.logs.is_empty()).collect();
        Ok(Read { to, blocks, unplaced: Vec::new(), empty_behind: false })
    }

    /// How far below the head the span begins.
    pub(super) fn depth(&self, span: Span) -> Depth {
        match span.head.saturating_sub(span.from.block) {
            below if below < self.config.by_hash_within => Depth::Tip,
            below if below < self.config.careful_within => Depth::Near,
            _ => Depth::Deep,
        }
    }
}
