//! Reads a page of blocks from one endpoint.

use std::time::Instant;

use alloy_primitives::B256;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::Polygon;
use super::endpoint::{Call, Endpoint};
use super::failure::Failure;
use super::header::Header;
use super::log::ReadLog;
use super::page::Answer;
use super::vocabulary::Hint;
use crate::clock::unix_ms;
use crate::model::{ChainPosition, Exchange, ORDER_FILLED_V1, ORDER_FILLED_V2};
use crate::source::Page;
use crate::source::http::excerpt;

/// How often in one call a range is made smaller. Halving 100,000 blocks down to one takes 17.
const SHRINKS: usize = 24;

/// What an endpoint said of a range.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) page: Page,
    /// The last block.
    pub(super) to: u64,
    /// How many logs it has sent, also those before the position that was asked for.
    pub(super) rows: u64,
    /// How many of them cannot be read.
    pub(super) garbled: usize,
}

impl Read {
    /// Whether it holds logs, and all of them can be read.
    pub(super) const fn is_whole(&self) -> bool {
        self.rows > 0 && self.garbled == 0
    }

    /// In words, for a range that began at a block.
    pub(super) fn what_is_doubtful(&self, from: u64) -> String {
        match self.garbled {
            0 => format!("it has nothing from {from} to {}", self.to),
            garbled => format!("{garbled} logs from {from} to {} cannot be read", self.to),
        }
    }
}

impl Polygon {
    /// Reads from `from` on, as far as one request reaches and `last` allows.
    pub(super) async fn read(&self, endpoint: &Endpoint, from: ChainPosition, last: u64) -> Result<Read, Failure> {
        self.check_chain(endpoint).await?;
        for _ in 0..SHRINKS {
            let to = self.end_of_range(endpoint, from.block, last);
            match read_range(endpoint, from, to).await {
                Err(Failure::RangeTooLarge { hint, .. }) if to > from.block => {
                    self.shrink(endpoint, from.block, to, hint);
                }
                Err(Failure::TimedOut(cause)) => {
                    // Perhaps it was too much; asking for the same again would time out for ever.
                    self.shared.lock().sizer.shrink_to((to - from.block).div_ceil(2));
                    return Err(Failure::TimedOut(cause));
                }
                result => return result,
            }
        }
        Err(Failure::Refused(format!("the range is still too large after {SHRINKS} smaller ones")))
    }

    fn end_of_range(&self, endpoint: &Endpoint, from: u64, last: u64) -> u64 {
        let size = self.shared.lock().sizer.blocks();
        let limit = endpoint.range_limit(Instant::now()).unwrap_or(u64::MAX);
        from.saturating_add(size.min(limit) - 1).min(last)
    }

    /// A range was too large. A limit on blocks is the endpoint's and is remembered; one on rows concerns the range.
    fn shrink(&self, endpoint: &Endpoint, from: u64, to: u64, hint: Hint) {
        let tried = to - from + 1;
        let half = (tried / 2).max(1);
        let now = Instant::now();
        tracing::debug!(endpoint = endpoint.name(), tried, ?hint, "the range was too large");
        match hint {
            Hint::Blocks(limit) if limit < tried => endpoint.limit_range(limit, now),
            Hint::Blocks(_) | Hint::FewerBlocks => endpoint.limit_range(half, now),
            Hint::Window(first, end) if first <= from && (from..to).contains(&end) => {
                self.shared.lock().sizer.shrink_to(end - from + 1);
            }
            Hint::Window(..) | Hint::FewerRows => self.shared.lock().sizer.shrink_to(half),
        }
    }
}

/// Reads the blocks up to `to`, checked.
///
/// The header of the last block comes first in the same batch: a node that lacks the block has no header for it, but
/// an empty list of logs. Where batches are refused, asking for the header first keeps the order right.
async fn read_range(endpoint: &Endpoint, from: ChainPosition, to: u64) -> Result<Read, Failure> {
    let results = endpoint.all(&[header_call(to), logs_call(from.block, to)]).await?;
    let [header, logs] = &results[..] else {
        return Err(Failure::Untrusted(format!("{} results for 2 requests", results.len())));
    };
    let last = read_header(to, header)?.ok_or(Failure::Lagging(to))?;
    let mut answer = Answer::check(read_logs(logs)?, from.block, &last).map_err(Failure::Untrusted)?;

    let unknown = answer.blocks_without_time();
    let calls: Vec<Call> = unknown.iter().map(|block| header_call(*block)).collect();
    for (block, header) in unknown.iter().zip(endpoint.all(&calls).await?) {
        let header = read_header(*block, &header)?.ok_or(Failure::Lagging(*block))?;
        answer.learn(&header).map_err(Failure::Untrusted)?;
    }
    let (to, rows, garbled) = (answer.to(), answer.rows(), answer.garbled());
    Ok(Read { page: answer.into_page(from, unix_ms()), to, rows, garbled })
}

/// `eth_getBlockByNumber`, without the transactions.
pub(super) fn header_call(block: u64) -> Call {
    Call { method: "eth_getBlockByNumber", params: format!(r#"["{block:#x}",false]"#) }
}

pub(super) fn read_header(block: u64, json: &Bytes) -> Result<Option<Header>, Failure> {
    Header::read_of(block, json).map_err(Failure::Untrusted)
}

/// `eth_getLogs` for both events of all five contracts. Both ends are inclusive.
fn logs_call(from: u64, to: u64) -> Call {
    let addresses = Exchange::ALL.map(|exchange| format!("\"{:#x}\"", exchange.address())).join(",");
    let topics = [ORDER_FILLED_V1, ORDER_FILLED_V2].map(|topic: B256| format!("\"{topic:#x}\"")).join(",");
    let params =
        format!(r#"[{{"fromBlock":"{from:#x}","toBlock":"{to:#x}","address":[{addresses}],"topics":[[{topics}]]}}]"#);
    Call { method: "eth_getLogs", params }
}

fn read_logs(json: &Bytes) -> Result<Vec<ReadLog<'_>>, Failure> {
    let untrusted = |cause: serde_json::Error| {
        Failure::Untrusted(format!("logs that are no list: {}", excerpt(&cause.to_string(), 120)))
    };
    let logs: Vec<&RawValue> = serde_json::from_slice(json).map_err(untrusted)?;
    Ok(logs.into_iter().map(|log| ReadLog::read(log.get())).collect())
}
