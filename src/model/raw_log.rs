//! A log as the chain holds it, before anyone has asked what it means.

use alloy_primitives::{Address, B256, Bytes};

/// One event log of a mined block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLog {
    /// The contract that emitted it.
    pub address: Address,
    /// The event's signature hash and its indexed arguments.
    pub topics: Vec<B256>,
    /// The other arguments, ABI encoded.
    pub data: Bytes,
    /// The block it is in.
    pub block_number: u64,
    /// Its place in that block.
    pub log_index: u32,
    /// The transaction that emitted it.
    pub transaction_hash: B256,
}
