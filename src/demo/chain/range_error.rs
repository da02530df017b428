//! How nodes say that a range is too large: everyone in words of their own.
//!
//! The texts are those of Alchemy, Infura, Ankr, QuickNode, publicnode, Chainstack, Cloudflare, thirdweb, Coinbase and
//! others, as ponder and erpc recognise them.

use std::ops::RangeInclusive;

use super::rpc_error::RpcError;

/// More blocks than `limit` were asked for.
pub(in crate::demo) fn too_many_blocks(draw: u64, asked: &RangeInclusive<u64>, limit: u64) -> RpcError {
    let (from, to) = (*asked.start(), *asked.end());
    let fits = from.saturating_add(limit.saturating_sub(1));
    match draw % 10 {
        0 => RpcError::new(-32602, alchemy(from, fits)),
        1 => RpcError::new(-32600, "block range is too wide"),
        2 => RpcError::new(-32602, format!("eth_getLogs is limited to a {limit} range")),
        3 => RpcError::new(-32701, format!("exceed maximum block range: {limit}")),
        4 => RpcError::new(-32602, "Block range limit exceeded. See more details in the documentation."),
        5 => RpcError::new(
            -32047,
            format!("Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: {limit}"),
        ),
        6 => RpcError::new(-32602, format!("Maximum allowed number of requested blocks is {limit}")),
        7 => RpcError::new(-32000, format!("please limit the query to at most {limit} blocks")),
        8 => RpcError::new(-32000, format!("requested too many blocks from {from} to {to}, maximum is set to {limit}")),
        _ => RpcError::new(-32005, format!("query exceeds max block range {limit}")),
    }
}

/// More than `limit` rows were found; those up to the block `fits` are not too many.
pub(in crate::demo) fn too_many_rows(draw: u64, asked: &RangeInclusive<u64>, fits: u64, limit: usize) -> RpcError {
    let from = *asked.start();
    match draw % 4 {
        0 => RpcError::new(
            -32005,
            format!("query returned more than {limit} results. Try with this block range [{from:#x}, {fits:#x}]."),
        ),
        1 => RpcError::new(-32602, alchemy(from, fits)),
        2 => RpcError::new(-32005, format!("query returned more than {limit} results")),
        _ => RpcError::new(-32000, format!("query exceeds max results {limit}, retry with the range {from}-{fits}")),
    }
}

fn alchemy(from: u64, fits: u64) -> String {
    format!(
        "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the \
         response size, or you can request any block range with a cap of 10K logs in the response. Based on your \
         parameters and the response size limit, this block range should work: [{from:#x}, {fits:#x}]"
    )
}
