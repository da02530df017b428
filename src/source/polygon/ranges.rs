//! **Ends and caps**: blocks further back are asked for in ranges.
//!
//! An answer counts up to its last log: a node that cut it, or lacks what is behind, says so in no way. Unless that is the
//! range's last block, reading goes on *at* it, since it may have been cut inside; where nothing else comes of that, what is
//! behind is a range without logs.

use std::collections::BTreeMap;

use super::filter::{self, Blocks};
use super::headers::{header_call, read_header};
use super::list::{self, Said};
use super::span::{Depth, Span};
use super::{
    block::Block, call::Call, caps, case::Case, doubt::Doubt, endpoint::Endpoint, error_classifier::Hint,
    failure::Failure, failure::Result, header::Header, log::ReadLog, nodes::Polygon, reading::Read, tip::MOST_BLOCKS,
};

/// How often in one call a range is made smaller. Halving 100,000 blocks down to one takes 17.
const SHRINKS: usize = 24;

/// Logs without a readable place in one answer, at most. They stand at one position, and the page can only be split
/// between positions.
const MOST_WITHOUT_PLACE: usize = 100;

/// A range as an endpoint answered it.
struct Answer {
    /// The blocks that hold logs, in order.
    blocks: Vec<Block>,
    unplaced: Vec<ReadLog>,
}

impl Answer {
    fn rows(&self) -> u64 {
        (self.unplaced.len() + self.blocks.iter().map(|block| block.logs.len()).sum::<usize>()) as u64
    }

    /// How many logs lie in blocks up to this one.
    fn rows_to(&self, block: u64) -> usize {
        let within = self.blocks.iter().take_while(|it| it.header.number <= block);
        within.map(|block| block.logs.len()).sum()
    }
}

impl Polygon {
    /// Reads a range that the endpoint allows and does not cut.
    pub(super) async fn read_range(&self, endpoint: &Endpoint, span: Span) -> Result<Read> {
        let (from, depth) = (span.from.block, span.depth(&self.config));
        let mut most = u64::MAX;
        let mut suspect: Option<Answer> = None;
        for _ in 0..SHRINKS {
            let (to, full) = self.end_of_range(endpoint, span, depth, most);
            let asked = to - from + 1;
            let answer = match self.ask_range(endpoint, from, to).await {
                Ok(answer) => answer,
                Err(Failure::RangeTooLarge { hint, .. }) if to > from => {
                    self.shrink(endpoint, depth, (from, to), hint);
                    continue;
                }
                Err(failure) => {
                    if failure.may_be_size() {
                        endpoint.refused_range(asked, depth);
                    }
                    return Err(failure);
                }
            };
            let rows = answer.rows();
            let counted = endpoint.counted(rows);
            // It had more for a part than for the whole, or as much for a half as for the whole.
            if let Some(before) = suspect.take()
                && (before.rows_to(to) < answer.rows_to(to) || before.rows() == rows)
            {
                let cap = before.rows();
                tracing::warn!(endpoint = endpoint.name(), cap, "the endpoint truncates its answers silently");
                endpoint.note(Doubt::Cut);
                endpoint.set_row_cap(cap);
            }
            if caps::is_suspect(rows, counted) && to > from {
                most = (asked / 2).max(1);
                suspect = Some(answer);
                continue;
            }
            endpoint.answered_range(asked, depth);
            self.shared.lock().sizer.succeeded(asked, rows, full);
            let cut = to == from && caps::is_suspect(rows, None);
            return self.up_to_its_last_log(endpoint, span, to, answer, cut).await;
        }
        Err(Failure::Refused(format!("the range is still too large after {SHRINKS} smaller ones")))
    }

    async fn up_to_its_last_log(
        &self,
        endpoint: &Endpoint,
        span: Span,
        to: u64,
        mut answer: Answer,
        cut: bool,
    ) -> Result<Read> {
        let from = span.from.block;
        let last = answer.blocks.last().map(|block| block.header.number);
        let mut case = |block| Case::new(block, false, cut);
        let unplaced = std::mem::take(&mut answer.unplaced);
        let read = match last {
            Some(last) if last == to => {
                let cases = answer.blocks.into_iter().map(&mut case).collect();
                self.settled(endpoint, from, to, cases).await?
            }
            last if span.depth(&self.config) != Depth::Deep => {
                // What lies behind the last log, and its block again, is asked for by hash.
                let begin = last.unwrap_or(from);
                let cases = answer.blocks.into_iter().filter(|block| block.header.number < begin).map(&mut case);
                let blocks = self.shared.lock().sizer.blocks().min(MOST_BLOCKS);
                self.read_tip(endpoint, begin, begin.saturating_add(blocks - 1).min(to), cases.collect()).await?
            }
            Some(last) if last > from => {
                let cases = answer.blocks.into_iter().filter(|block| block.header.number < last).map(&mut case);
                self.settled(endpoint, from, last - 1, cases.collect()).await?
            }
            _ => {
                let cases = answer.blocks.into_iter().map(&mut case).collect();
                let read = self.settled(endpoint, from, to, cases).await?;
                Read { empty_behind: read.to == to, ..read }
            }
        };
        Ok(Read { unplaced, ..read })
    }

    /// Where a range ends, and whether it is as large as it may be.
    fn end_of_range(&self, endpoint: &Endpoint, span: Span, depth: Depth, most: u64) -> (u64, bool) {
        let (blocks, rows) = {
            let sizer = self.shared.lock().sizer;
            (sizer.blocks(), sizer.target_rows())
        };
        // Of an endpoint that cuts its answers so much is asked for that there is nothing to cut.
        let uncut = endpoint.row_cap().map_or(blocks, |cap| (blocks.saturating_mul(cap) / rows / 2).clamp(1, blocks));
        let size = uncut.min(endpoint.range_limit(depth).unwrap_or(u64::MAX)).min(most).max(1);
        // A range does not reach into blocks that are read with more care.
        let within = match depth {
            Depth::Tip => 0,
            Depth::Near => self.config.by_hash_within,
            Depth::Deep => self.config.careful_within,
        };
        let end = span.from.block.saturating_add(size - 1);
        let last = span.last.min(span.head.saturating_sub(within)).max(span.from.block);
        (end.min(last), end <= last)
    }

    /// A range was too large. A limit on blocks is the endpoint's and is remembered; one on rows concerns the range.
    fn shrink(&self, endpoint: &Endpoint, depth: Depth, (from, to): (u64, u64), hint: Hint) {
        let tried = to - from + 1;
        let half = (tried / 2).max(1);
        tracing::debug!(endpoint = endpoint.name(), tried, ?hint, "the range was too large");
        match hint {
            Hint::Blocks(limit) if limit < tried => endpoint.limit_range(limit, depth),
            // Its own words would allow the range, or name no number: a guess, that the next answer proves.
            Hint::Blocks(_) | Hint::FewerBlocks => endpoint.refused_range(tried, depth),
            Hint::Window(first, end) if first <= from && (from..to).contains(&end) => {
                self.shared.lock().sizer.shrink_to(end - from + 1);
            }
            Hint::Window(..) | Hint::FewerRows => self.shared.lock().sizer.shrink_to(half),
        }
    }

    /// Asks for the blocks up to `to`.
    ///
    /// The header of the last block comes first in the same batch: a node that lacks the block has no header for it, but
    /// an empty list of logs. Where batches are refused, asking for the header first keeps the order right. Where nearly
    /// every block holds logs, their headers come along.
    async fn ask_range(&self, endpoint: &Endpoint, from: u64, to: u64) -> Result<Answer> {
        let room = endpoint.batch_size().saturating_sub(2) as u64;
        let along: Vec<u64> = match to - from {
            others if others <= room && self.shared.lock().dense => {
                (from..to).filter(|block| self.headers.get(*block).is_none()).collect()
            }
            _ => Vec::new(),
        };
        let mut calls: Vec<Call> = std::iter::once(to).chain(along.iter().copied()).map(header_call).collect();
        calls.push(filter::logs(Blocks::Range(from, to)));
        let mut results = endpoint.all(&calls).await?;
        let logs = results.pop().ok_or_else(|| Failure::Untrusted("no logs".to_owned()))?;
        for (block, json) in std::iter::once(&to).chain(&along).zip(&results) {
            let header = read_header(*block, json)?.ok_or(Failure::Lagging(*block))?;
            self.headers.learn(&header);
        }
        let logs = match list::read(&logs).map_err(Failure::Untrusted)? {
            Said::Logs(logs) => logs,
            // Of a range it means that there was nothing.
            Said::Null => Vec::new(),
        };
        let (by_block, unplaced) = placed(logs, from, to)?;
        let blocks: Vec<u64> = by_block.keys().copied().collect();
        self.shared.lock().dense = (blocks.len() as u64).saturating_mul(2) > to - from;
        let fresh = |block: u64| block == to || along.contains(&block);
        self.forget_others(&by_block, fresh);
        let headers = self.headers.of(endpoint, &blocks).await?;
        let build = |(header, logs): (Header, Vec<ReadLog>)| Block::new(header, logs).map_err(Failure::Untrusted);
        let blocks = headers.into_iter().zip(by_block.into_values()).map(build).collect::<Result<_, _>>()?;
        Ok(Answer { blocks, unplaced })
    }

    /// Forgets remembered headers that are not those of the logs: they may have come from a node that lied, and are asked for
    /// again. Not those that just came with the logs: they must agree.
    fn forget_others(&self, logs: &ByBlock, fresh: impl Fn(u64) -> bool) {
        for (block, logs) in logs.iter().filter(|(block, _)| !fresh(**block)) {
            let hash = logs.iter().find_map(|log| log.block_hash);
            if let (Some(hash), Some(header)) = (hash, self.headers.get(*block))
                && hash != header.hash
            {
                self.headers.forget(*block);
            }
        }
    }
}

/// Logs by the number of their block.
type ByBlock = BTreeMap<u64, Vec<ReadLog>>;

/// The logs of a range by block, and those that name none.
pub(super) fn placed(logs: Vec<ReadLog>, from: u64, to: u64) -> Result<(ByBlock, Vec<ReadLog>)> {
    let without_place = logs.iter().filter(|log| log.block.is_none() || log.index.is_none()).count();
    if without_place > MOST_WITHOUT_PLACE {
        return Err(Failure::Untrusted(format!("{without_place} logs that do not say where they are")));
    }
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for log in &logs {
        match log.block {
            _ if log.removed => {
                let block = log.block.unwrap_or_default();
                return Err(Failure::Untrusted(format!("a removed log in final block {block}")));
            }
            Some(block) if !(from..=to).contains(&block) => {
                return Err(Failure::Untrusted(format!("a log of block {block}, asked for {from} to {to}")));
            }
            Some(block) => *counts.entry(block).or_default() += 1,
            None => {}
        }
    }
    // What grows as it is filled would move every log several times.
    let empty = counts.into_iter().map(|(block, count)| (block, Vec::with_capacity(count)));
    let (mut blocks, mut unplaced): (ByBlock, _) = (empty.collect(), Vec::new());
    for log in logs {
        match log.block {
            Some(block) => blocks.entry(block).or_default().push(log),
            None => unplaced.push(log),
        }
    }
    Ok((blocks, unplaced))
}
