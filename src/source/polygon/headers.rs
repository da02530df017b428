//! Headers of blocks: asked for in batches, and remembered.
//!
//! A header that one endpoint gave serves for another, since logs count only under the hash that it names.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use bytes::Bytes;
use parking_lot::Mutex;

use super::{call::Call, endpoint::Endpoint, failure::Failure, failure::Result, header::Header, time};
use crate::clock::since_epoch;

/// So many headers are remembered.
const MOST: usize = 4_096;

/// The headers that were read last, by number. What was learned first is forgotten first, so that none is forgotten while the
/// blocks around it are read: a cache that keeps what is asked for most would not take what is new.
#[derive(Default)]
pub(super) struct Headers(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    by_number: BTreeMap<u64, Header>,
    in_order: VecDeque<u64>,
}

impl Headers {
    pub(super) fn get(&self, block: u64) -> Option<Header> {
        self.0.lock().by_number.get(&block).copied()
    }

    /// Those of a range that are remembered.
    pub(super) fn within(&self, blocks: RangeInclusive<u64>) -> BTreeMap<u64, Header> {
        self.0.lock().by_number.range(blocks).map(|(block, header)| (*block, *header)).collect()
    }

    pub(super) fn learn(&self, header: &Header) {
        let mut remembered = self.0.lock();
        if remembered.by_number.insert(header.number, *header).is_none() {
            remembered.in_order.push_back(header.number);
        }
        while remembered.in_order.len() > MOST {
            if let Some(first) = remembered.in_order.pop_front() {
                remembered.by_number.remove(&first);
            }
        }
    }

    pub(super) fn forget(&self, block: u64) {
        let mut remembered = self.0.lock();
        if remembered.by_number.remove(&block).is_some() {
            remembered.in_order.retain(|number| *number != block);
        }
    }

    /// The headers of some blocks, in their order: those that are remembered, and the rest from an endpoint.
    pub(super) async fn of(&self, endpoint: &Endpoint, blocks: &[u64]) -> Result<Vec<Header>> {
        // What is remembered may be forgotten while more is learned, so it is taken first.
        let remembered = blocks.iter().filter_map(|block| Some((*block, self.get(*block)?)));
        let mut known: BTreeMap<u64, Header> = remembered.collect();
        let missing: Vec<u64> = blocks.iter().copied().filter(|block| !known.contains_key(block)).collect();
        let calls: Vec<Call> = missing.iter().map(|block| header_call(*block)).collect();
        for (block, json) in missing.iter().zip(endpoint.all(&calls).await?) {
            let header = read_header(*block, &json)?.ok_or(Failure::Lagging(*block))?;
            self.learn(&header);
            known.insert(*block, header);
        }
        blocks.iter().map(|block| known.get(block).copied().ok_or(Failure::Lagging(*block))).collect()
    }
}

/// `eth_getBlockByNumber`, without the transactions.
pub(super) fn header_call(block: u64) -> Call {
    Call { method: "eth_getBlockByNumber", params: format!(r#"["{block:#x}",false]"#) }
}

/// Reads the header of a block, and refuses one that cannot be true; `None` where the node does not have it.
pub(super) fn read_header(block: u64, json: &Bytes) -> Result<Option<Header>> {
    let header = Header::read_of(block, json).map_err(Failure::Untrusted)?;
    if let Some(header) = &header {
        time::check(header, since_epoch().as_secs()).map_err(Failure::Untrusted)?;
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    fn header(number: u64) -> Header {
        Header { number, hash: B256::with_last_byte(1), timestamp: number, parent: None, transactions: None }
    }

    #[test]
    fn what_is_new_is_always_taken_and_what_is_oldest_goes() {
        let headers = Headers::default();
        for number in (0..2 * MOST as u64).rev() {
            headers.learn(&header(number));
            // Asked for again and again, as blocks around the head are.
            assert!(headers.get(number).is_some() && headers.get(number).is_some());
        }
        assert_eq!(headers.within(0..=u64::MAX).len(), MOST);
        assert!(headers.get(0).is_some() && headers.get(MOST as u64).is_none());
        headers.forget(0);
        headers.learn(&header(0));
        assert_eq!(headers.within(0..=9).len(), 10);
    }
}
