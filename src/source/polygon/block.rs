//! The logs of one block, checked against its header, and what is doubtful about them.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use alloy_primitives::B256;

use super::balance::{self, Sheet};
use super::log::{Content, ReadLog};
use super::{header::Header, places};
use crate::model::{Fill, RawLog};

/// A block as one reading shows it.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) header: Header,
    /// Sorted, without repeats.
    pub(super) logs: Vec<ReadLog>,
    /// What cannot be true about where they stand.
    pub(super) misplaced: Option<String>,
    /// Whether a transaction is numbered from 0 where others come before it.
    pub(super) begins_anew: bool,
    /// Whether their matches add up.
    pub(super) sheet: Sheet,
    /// Whether a log says another time than the header.
    pub(super) other_time: bool,
}

/// How two readings of a block differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Same,
    /// The first has all of the second, and more.
    More,
    /// The second has all of the first, and more.
    Less,
    /// Each has what the other lacks, or they contradict each other.
    Differs,
}

impl Block {
    /// The logs of the block with this header. An error says what cannot be true of any log of it.
    pub(super) fn new(header: Header, mut logs: Vec<ReadLog>) -> Result<Self, String> {
        let Header { number, hash, timestamp, .. } = header;
        for log in &logs {
            if log.removed {
                return Err(format!("a removed log in final block {number}"));
            }
            if let Some(block) = log.block.filter(|block| *block != number) {
                return Err(format!("a log of block {block} for block {number}"));
            }
            if let Some(other) = log.block_hash.filter(|other| *other != hash) {
                return Err(format!("two hashes of block {number}: {hash} and {other}"));
            }
        }
        for log in &mut logs {
            if let Ok(Content::Fill(fill)) = &mut log.log {
                fill.timestamp = timestamp;
            }
        }
        let (logs, clash) = sorted(logs);
        let unreadable: HashSet<B256> =
            logs.iter().filter(|log| log.fill().is_none()).filter_map(|log| log.transaction).collect();
        let sheet =
            balance::add_up(logs.iter().filter_map(ReadLog::fill), |transaction| unreadable.contains(&transaction));
        let misplaced = clash.or_else(|| places::check(&logs).err());
        let begins_anew = places::begin_anew(&logs);
        let other_time = logs.iter().any(|log| log.timestamp.is_some_and(|time| time != timestamp));
        Ok(Self { header, logs, misplaced, begins_anew, sheet, other_time })
    }

    /// Logs that cannot be read, which is the node's fault rather than the chain's.
    pub(super) fn garbled(&self) -> usize {
        self.logs.iter().filter(|log| log.log.is_err()).count()
    }

    /// All logs of two readings of which each has some that the other lacks; `None` where they contradict each other: a log
    /// that stands at one place here and at another there.
    pub(super) fn merge(&self, other: &Self) -> Option<Self> {
        let bare = |log: &ReadLog| match log.log.clone().ok()? {
            Content::Fill(fill) => Some(Content::Fill(Fill { log_index: 0, ..fill })),
            Content::Other(raw, cause) => Some(Content::Other(RawLog { log_index: 0, ..raw }, cause)),
        };
        let here: HashMap<B256, Vec<&ReadLog>> = self.logs.iter().fold(HashMap::new(), |mut all, log| {
            all.entry(log.transaction.unwrap_or_default()).or_default().push(log);
            all
        });
        let moved = other.logs.iter().any(|log| {
            let mut same = here.get(&log.transaction.unwrap_or_default()).into_iter().flatten();
            same.any(|mine| mine.index != log.index && bare(mine) == bare(log))
        });
        let logs = self.logs.iter().chain(&other.logs).cloned().collect();
        let both = Self::new(self.header, logs).ok()?;
        (!moved && both.misplaced.is_none() && both.garbled() == 0).then_some(both)
    }

    /// How this reading differs from another one of the same block.
    pub(super) fn compare(&self, other: &Self) -> Comparison {
        let (mut more, mut less) = (false, false);
        let (mut mine, mut theirs) = (self.logs.iter().peekable(), other.logs.iter().peekable());
        loop {
            let order = match (mine.peek(), theirs.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.index.cmp(&b.index),
            };
            match order {
                Ordering::Less => more = mine.next().is_some(),
                Ordering::Greater => less = theirs.next().is_some(),
                Ordering::Equal => {
                    if let (Some(a), Some(b)) = (mine.next(), theirs.next())
                        && !a.repeats(b)
                    {
                        return Comparison::Differs;
                    }
                }
            }
        }
        match (more, less) {
            (false, false) => Comparison::Same,
            (true, false) => Comparison::More,
            (false, true) => Comparison::Less,
            (true, true) => Comparison::Differs,
        }
    }
}

/// Sorts by index and drops exact repeats; two different logs at one place cannot be.
fn sorted(mut logs: Vec<ReadLog>) -> (Vec<ReadLog>, Option<String>) {
    logs.sort_by_key(|log| log.index);
    let mut clash = None;
    logs.dedup_by(|later, earlier| {
        if later.index != earlier.index {
            return false;
        }
        let repeats = later.repeats(earlier);
        if let (false, Some(block), Some(index)) = (repeats, later.block, later.index) {
            clash = Some(format!("two different logs at {block}:{index}"));
        }
        repeats
    });
    (logs, clash)
}
