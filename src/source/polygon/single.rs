//! The logs of single blocks: by the hash of each, or by its number where an endpoint does not know hashes.

use bytes::Bytes;

use super::filter::{self, Blocks};
use super::list::{self, Said};
use super::{
    block::Block, call::Call, endpoint::Endpoint, error_classifier, failure::Failure, failure::Result, header::Header,
};

/// What an endpoint says of the logs of single blocks, one answer for each.
pub(super) async fn logs_of(endpoint: &Endpoint, blocks: &[Header]) -> Result<Vec<Result<Bytes>>> {
    let ask = async |by_hash: bool| {
        let calls: Vec<Call> = blocks
            .iter()
            .map(|block| match by_hash {
                true => filter::logs(Blocks::Hash(block.hash)),
                false => filter::logs(Blocks::Range(block.number, block.number)),
            })
            .collect();
        endpoint.each(&calls).await
    };
    if endpoint.lacks_block_hash() {
        return ask(false).await;
    }
    let answers = ask(true).await?;
    if answers
        .iter()
        .any(|answer| matches!(answer, Err(Failure::Refused(it)) if error_classifier::refuses_block_hash(it)))
    {
        endpoint.set_lacks_block_hash();
        return ask(false).await;
    }
    Ok(answers)
}

/// The logs of one block. `null` is no answer.
pub(super) fn read_block(header: Header, json: &Bytes) -> Result<Block> {
    said_of_block(header, json)?.ok_or(Failure::Lagging(header.number))
}

/// The same; `None` for `null`.
pub(super) fn said_of_block(header: Header, json: &Bytes) -> Result<Option<Block>> {
    match list::read(json).map_err(Failure::Untrusted)? {
        Said::Null => Ok(None),
        Said::Logs(logs) => Block::new(header, logs).map(Some).map_err(Failure::Untrusted),
    }
}
