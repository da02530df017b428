//! An answer, checked as a whole and turned into a page.
//!
//! The checks guard against nodes that answer for blocks that they lack or for a fork: such an answer is refused as a
//! whole. A single log that cannot be read is no such sign, and becomes a dead letter in its place.

use std::collections::BTreeMap;

use alloy_primitives::B256;

use super::header::Header;
use super::log::ReadLog;
use crate::model::{ChainPosition, DeadLetter, Fill, decode_order_filled};
use crate::source::{Page, SourceEvent};

/// The stage that refuses what is no fill.
const STAGE: &str = "ingest-fills";

/// Logs without a readable place in one answer, at most. They stand at one position, and the page can only be split
/// between positions.
const MOST_WITHOUT_PLACE: usize = 100;

/// The logs of a range of whole blocks.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    logs: Vec<ReadLog<'a>>,
    to: u64,
    blocks: BTreeMap<u64, Block>,
}

/// What is known of a block that holds logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    hash: B256,
    timestamp: Option<u64>,
}

impl<'a> Answer<'a> {
    /// Checks the logs of the blocks `from` to `last`, the header of the last block.
    ///
    /// An error says what cannot be true.
    pub(super) fn check(logs: Vec<ReadLog<'a>>, from: u64, last: &Header) -> Result<Self, String> {
        let to = last.number;
        let mut answer = Self { logs, to, blocks: BTreeMap::new() };
        for log in &answer.logs {
            if log.removed {
                return Err(format!("a removed log in final block {}", log.block.unwrap_or_default()));
            }
            if let Some(block) = log.block
                && !(from..=to).contains(&block)
            {
                return Err(format!("a log of block {block}, asked for {from} to {to}"));
            }
            if let (Some(number), Some(hash)) = (log.block, log.block_hash) {
                learn(&mut answer.blocks, number, hash, log.timestamp)?;
            }
        }
        if answer.blocks.contains_key(&to) {
            answer.learn(last)?;
        }
        let without_place = answer.logs.iter().filter(|log| log.block.is_none() || log.index.is_none()).count();
        if without_place > MOST_WITHOUT_PLACE {
            return Err(format!("{without_place} logs that do not say where they are"));
        }
        // Behind a balancer the header may be of one node and the logs of another that is some blocks behind. So the
        // answer counts up to its last log, and what is behind that is asked for again.
        answer.to = answer.logs.iter().filter_map(|log| log.block).max().unwrap_or(to);
        answer.sort()?;
        Ok(answer)
    }

    /// The last block that the answer is believed for.
    pub(super) const fn to(&self) -> u64 {
        self.to
    }

    /// Logs that cannot be read, which is the node's fault rather than the chain's.
    pub(super) fn garbled(&self) -> usize {
        self.logs.iter().filter(|log| log.log.is_err()).count()
    }

    /// How many logs there are.
    pub(super) fn rows(&self) -> u64 {
        self.logs.len() as u64
    }

    /// The blocks with logs whose time is not known yet.
    pub(super) fn blocks_without_time(&self) -> Vec<u64> {
        self.blocks.iter().filter(|(_, block)| block.timestamp.is_none()).map(|(number, _)| *number).collect()
    }

    /// Takes a block's time from its header, which must be that of the block that the logs name.
    pub(super) fn learn(&mut self, header: &Header) -> Result<(), String> {
        learn(&mut self.blocks, header.number, header.hash, Some(header.timestamp))
    }

    /// Sorts by block and index and drops repetitions; two different logs at one place cannot be.
    fn sort(&mut self) -> Result<(), String> {
        self.logs.sort_by_key(|log| (log.block, log.index));
        let mut clash = None;
        self.logs.dedup_by(|later, earlier| {
            if (later.block, later.index) != (earlier.block, earlier.index) {
                return false;
            }
            let repeats = later.repeats(earlier);
            if let (false, Some(block), Some(index)) = (repeats, later.block, later.index) {
                clash = Some(format!("two different logs at {block}:{index}"));
            }
            repeats
        });
        clash.map_or(Ok(()), Err)
    }

    /// The page from the position `from` on, which may stand inside the first block.
    ///
    /// A log without a readable place goes where reading it again loses nothing: before the first log of its block,
    /// or of the page.
    pub(super) fn into_page(self, from: ChainPosition, now_ms: i64) -> Page {
        let mut events = Vec::with_capacity(self.logs.len());
        for log in &self.logs {
            let next = match (log.block, log.index) {
                (Some(block), Some(index)) if (ChainPosition { block, log_index: index }) < from => continue,
                (Some(block), Some(index)) => ChainPosition::after(block, index),
                (Some(block), None) => ChainPosition::start_of(block).max(from),
                (None, _) => from,
            };
            let timestamp = log.block.and_then(|block| self.blocks.get(&block)?.timestamp);
            events.push(SourceEvent { next, fill: fill(log, timestamp).map_err(|why| dead_letter(log, why, now_ms)) });
        }
        Page { events, next: ChainPosition::start_of(self.to.saturating_add(1)) }
    }
}

/// Notes the hash and the time of a block; all who name the block must agree.
fn learn(blocks: &mut BTreeMap<u64, Block>, number: u64, hash: B256, timestamp: Option<u64>) -> Result<(), String> {
    let block = blocks.entry(number).or_insert(Block { hash, timestamp });
    if block.hash != hash {
        return Err(format!("two hashes of block {number}: {} and {hash}", block.hash));
    }
    match (block.timestamp, timestamp) {
        (Some(known), Some(other)) if known != other => {
            Err(format!("two times of block {number}: {known} and {other}"))
        }
        (known, other) => {
            block.timestamp = known.or(other);
            Ok(())
        }
    }
}

fn fill(log: &ReadLog<'_>, timestamp: Option<u64>) -> Result<Fill, String> {
    let raw = log.log.as_ref().map_err(Clone::clone)?;
    let timestamp = timestamp.ok_or("the time of its block is not known")?;
    decode_order_filled(raw, timestamp).map_err(|refusal| refusal.to_string())
}

fn dead_letter(log: &ReadLog<'_>, reason: String, first_seen: i64) -> DeadLetter {
    DeadLetter {
        source: super::NAME.to_owned(),
        position: log.letter_position(),
        stage: STAGE.to_owned(),
        reason,
        raw: log.raw.as_bytes().to_vec(),
        first_seen,
    }
}
