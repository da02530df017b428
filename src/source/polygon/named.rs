//! What an endpoint names as the newest final block.

use std::time::{Duration, Instant};

use super::headers::{header_call, read_header};
use super::{
    call::Call, confirmed::Confirmed, endpoint::Endpoint, error_classifier, failure::Failure, failure::Result,
    header::Header, hex,
};

/// How deep a block lies that no reorganisation reaches, for nodes without finality. Since Heimdall v2 they are one or
/// two blocks deep.
const DEEP_ENOUGH: u64 = 64;

/// So many blocks behind the known head are asked for together with the next one: what is new is most often among them,
/// and then its header by number, and that of its parent, cost no request.
const AHEAD: u64 = 2;

/// A head that is known for longer says little of where the next one is.
const RECENT: Duration = Duration::from_secs(60);

/// What an endpoint names as the newest final block, and the headers by number that it gave along.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) header: Header,
    pub(super) near: Vec<Header>,
}

/// What an endpoint names as the newest final block.
pub(super) async fn named_head(endpoint: &Endpoint, known: Option<Confirmed>) -> Result<Named> {
    if endpoint.lacks_finality(Instant::now()) {
        return deep_block(endpoint).await;
    }
    let known = known.filter(|known| known.since.elapsed() < RECENT && endpoint.batch_size() as u64 > AHEAD);
    let ahead = known.map_or(0..0, |known| known.block() + 1..known.block() + 1 + AHEAD);
    let finalized = Call { method: "eth_getBlockByNumber", params: r#"["finalized",false]"#.to_owned() };
    let calls: Vec<Call> = std::iter::once(finalized).chain(ahead.clone().map(header_call)).collect();
    let mut answers = match endpoint.each(&calls).await {
        Ok(answers) => answers.into_iter(),
        // Of one call alone its failure is that of the request.
        Err(failure) if calls.len() == 1 => vec![Err(failure)].into_iter(),
        Err(failure) => return Err(failure),
    };
    let header = match answers.next().unwrap_or_else(|| Err(Failure::Untrusted("no answer".to_owned()))) {
        Ok(json) => Header::read(&json).map_err(Failure::Untrusted)?,
        Err(Failure::LacksBlock(_)) => None,
        Err(Failure::Refused(cause)) if error_classifier::refuses_finalized(&cause) => None,
        Err(failure) => return Err(failure),
    };
    let Some(header) = header else {
        tracing::debug!(endpoint = endpoint.name(), "no finality: taking a block that lies deep enough");
        endpoint.set_lacks_finality(Instant::now());
        return deep_block(endpoint).await;
    };
    // What is not there yet, or cannot be read, is simply not known.
    let near = ahead.zip(answers).filter_map(|(block, json)| read_header(block, &json.ok()?).ok()?).collect();
    Ok(Named { header, near })
}

/// A block so deep that it is as good as final. It was read by number.
async fn deep_block(endpoint: &Endpoint) -> Result<Named> {
    let answer = endpoint.one(Call { method: "eth_blockNumber", params: "[]".to_owned() }).await?;
    let tip = hex::quantity_of(&answer).map_err(|cause| Failure::Untrusted(format!("a block number that {cause}")))?;
    let block = tip.saturating_sub(DEEP_ENOUGH);
    let header = endpoint.one(header_call(block)).await?;
    let header = read_header(block, &header)?.ok_or(Failure::Lagging(block))?;
    Ok(Named { header, near: vec![header] })
}
