//! Headers of blocks: asked for in batches, and remembered.
//!
//! A header that one endpoint gave serves for another, since logs count only under the hash that it names.

use quick_cache::sync::Cache;

use super::Polygon;
use super::endpoint::{Call, Endpoint};
use super::failure::Failure;
use super::header::Header;
use super::time;
use crate::clock::since_epoch;
use bytes::Bytes;

/// So many headers are remembered.
const MOST: usize = 4_096;

/// The headers that were read last, by number.
pub(super) struct Headers(Cache<u64, Header>);

impl Default for Headers {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Headers {
    pub(super) fn get(&self, block: u64) -> Option<Header> {
        self.0.get(&block)
    }

    pub(super) fn learn(&self, header: &Header) {
        self.0.insert(header.number, *header);
    }

    pub(super) fn forget(&self, block: u64) {
        self.0.remove(&block);
    }
}

/// `eth_getBlockByNumber`, without the transactions.
pub(super) fn header_call(block: u64) -> Call {
    Call { method: "eth_getBlockByNumber", params: format!(r#"["{block:#x}",false]"#) }
}

/// Reads the header of a block, and refuses one that cannot be true; `None` where the node does not have it.
pub(super) fn read_header(block: u64, json: &Bytes) -> Result<Option<Header>, Failure> {
    let header = Header::read_of(block, json).map_err(Failure::Untrusted)?;
    if let Some(header) = &header {
        time::check(header, since_epoch().as_secs()).map_err(Failure::Untrusted)?;
    }
    Ok(header)
}

impl Polygon {
    /// The headers of some blocks, in their order: those that are remembered, and the rest from an endpoint.
    pub(super) async fn headers_of(&self, endpoint: &Endpoint, blocks: &[u64]) -> Result<Vec<Header>, Failure> {
        let missing: Vec<u64> = blocks.iter().copied().filter(|block| self.headers.get(*block).is_none()).collect();
        let mut fetched = std::collections::BTreeMap::new();
        let calls: Vec<Call> = missing.iter().map(|block| header_call(*block)).collect();
        for (block, json) in missing.iter().zip(endpoint.all(&calls).await?) {
            let header = read_header(*block, &json)?.ok_or(Failure::Lagging(*block))?;
            self.headers.learn(&header);
            fetched.insert(*block, header);
        }
        let header = |block: &u64| fetched.get(block).copied().or_else(|| self.headers.get(*block));
        blocks.iter().map(|block| header(block).ok_or(Failure::Lagging(*block))).collect()
    }
}
