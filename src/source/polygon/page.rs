//! Blocks become a page: a fill or a dead letter for each log, in its place.

use super::block::Block;
use super::log::{Content, ReadLog};
use crate::model::{ChainPosition, DeadLetter, Fill, matches};
use crate::source::page::{Page, SourceEvent};
use crate::{flow::StageId, source::chain::CHAIN};

/// The page from the position `from`, which may stand inside the first block, to the end of the block `to`.
///
/// A log without a readable place goes where reading it again loses nothing: before the first log of its block, or, where
/// it names no block (`unplaced`), of the page.
pub(super) fn assemble(
    blocks: Vec<Block>,
    unplaced: &[ReadLog],
    from: ChainPosition,
    to: u64,
    now_ms: i64,
) -> Page<ChainPosition> {
    let letter = |log: &ReadLog, reason| dead_letter(log, reason, now_ms);
    let mut events: Vec<SourceEvent<ChainPosition>> = unplaced
        .iter()
        .map(|log| {
            let reason = log.log.as_ref().err().cloned().unwrap_or_else(|| "blockNumber is missing".to_owned());
            SourceEvent { next: from, fill: Err(letter(log, reason)) }
        })
        .collect();
    for block in blocks {
        let number = block.header.number;
        events.reserve(block.logs.len());
        // All rows of its transactions are here, also those before `from`.
        let of_match = matches(block.logs.iter().filter_map(ReadLog::fill)).log_indexes();
        // That an implementation was replaced is told elsewhere, and is no event of the tape.
        for log in block.logs.into_iter().filter(|log| !log.is_upgrade()) {
            let next = match log.index {
                Some(index) if (ChainPosition { block: number, log_index: index }) < from => continue,
                Some(index) => ChainPosition::after(number, index),
                None => ChainPosition::start_of(number).max(from),
            };
            let fill = match log.log {
                Ok(Content::Fill(fill)) => Ok(Fill { match_log_index: of_match.get(&fill.log_index).copied(), ..fill }),
                Ok(Content::Other(_, ref reason)) | Err(ref reason) => Err(letter(&log, reason.clone())),
            };
            events.push(SourceEvent { next, fill });
        }
    }
    Page { events, next: ChainPosition::start_of(to.saturating_add(1)).max(from) }
}

fn dead_letter(log: &ReadLog, reason: String, first_seen: i64) -> DeadLetter {
    DeadLetter {
        source: CHAIN.to_owned(),
        position: log.letter_position(),
        stage: StageId::IngestFills.to_string(),
        reason,
        raw: log.raw.to_vec(),
        first_seen,
    }
}
