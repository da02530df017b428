//! The newest final block.
//!
//! What an endpoint names is only a candidate: `confirm` says what makes it a head. A head may fall, where nobody has it any
//! more; until that is known, an endpoint that names a lower one is only behind.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Polygon;
use super::doubt::Doubt;
use super::endpoint::{Call, Endpoint};
use super::failure::Failure;
use super::header::Header;
use super::headers::{header_call, read_header};
use super::hex;
use super::round::Round;
use super::vocabulary;
use crate::source::{Head, SourceError};

/// How deep a block lies that no reorganisation reaches, for nodes without finality. Since Heimdall v2 they are one or
/// two blocks deep.
const DEEP_ENOUGH: u64 = 64;

/// So many blocks behind the known head are asked for together with the next one: what is new is most often among them,
/// and then its header by number, and that of its parent, cost no request.
const AHEAD: u64 = 2;

/// A head that is known for longer says little of where the next one is.
const RECENT: Duration = Duration::from_secs(60);

/// The head that was confirmed last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confirmed {
    pub(super) header: Header,
    /// Since when it is known.
    since: Instant,
    /// When somebody was last seen to have it.
    seen: Instant,
}

impl Confirmed {
    pub(super) const fn block(self) -> u64 {
        self.header.number
    }

    const fn head(self) -> Head {
        Head { block: self.header.number, timestamp: self.header.timestamp }
    }
}

/// What an endpoint names as the newest final block, and the headers by number that it gave along.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) header: Header,
    pub(super) near: Vec<Header>,
}

impl Polygon {
    /// The newest final block, as far as it is proved.
    pub(super) async fn newest_final_block(&self) -> Result<Head, SourceError> {
        let mut round = self.round()?;
        while let Some(endpoint) = round.next_endpoint() {
            match self.head_of(endpoint, &round).await {
                Ok(head) => return Ok(head),
                Err(failure) => {
                    if matches!(failure, Failure::Unconfirmed(_)) {
                        endpoint.note(Doubt::Head);
                    }
                    round.failed(failure);
                }
            }
        }
        Err(round.into_error())
    }

    /// What an endpoint names, if that holds; the head that is known already, where it is only behind that.
    async fn head_of(&self, endpoint: &Endpoint, round: &Round<'_>) -> Result<Head, Failure> {
        self.check_chain(endpoint).await?;
        let known = self.shared.lock().head;
        let named = self.named_head(endpoint, known).await?;
        let (now, found) = (Instant::now(), named.header);
        let mut anchor = known.map(|known| known.header);
        if let Some(known) = known {
            if known.header.hash == found.hash && known.block() == found.number {
                if now.duration_since(known.since) >= self.config.stale_after {
                    round.rotate();
                } else {
                    round.settle();
                }
                self.see(known.header, now);
                return Ok(known.head());
            }
            if found.number <= known.block() {
                round.rotate();
                if now.duration_since(known.seen) < self.config.stale_after || self.is_there(known.header).await {
                    return Ok(known.head());
                }
                // Nobody has it any more. So the next one is proved as the first one was.
                anchor = None;
            }
        }
        self.confirm(endpoint, &named, anchor).await?;
        if let Some(known) = known.filter(|known| known.block() >= found.number) {
            let (from, to) = (known.block(), found.number);
            tracing::warn!("the newest final block fell from {from} to {to}: nobody has {from} any more");
            self.headers.forget(from);
        }
        for header in named.near.iter().filter(|header| header.number < found.number) {
            self.headers.learn(header);
        }
        self.headers.learn(&found);
        self.see(found, now);
        if anchor.is_some_and(|anchor| found.number > anchor.number) || anchor.is_none() {
            round.settle();
        }
        Ok(Head { block: found.number, timestamp: found.timestamp })
    }

    /// Somebody has this head. Another call may have been faster.
    fn see(&self, header: Header, now: Instant) {
        let mut shared = self.shared.lock();
        match &mut shared.head {
            Some(known) if known.header.hash == header.hash => known.seen = now,
            head => *head = Some(Confirmed { header, since: now, seen: now }),
        }
    }

    /// Whether any endpoint still has a block, or none says that it has not.
    async fn is_there(&self, header: Header) -> bool {
        let (mut lacks, now) = (false, Instant::now());
        for endpoint in self.endpoints.iter().filter(|endpoint| endpoint.may_ask(now)) {
            let answer = match self.check_chain(endpoint).await {
                Ok(_) => endpoint.one(header_call(header.number)).await,
                Err(failure) => Err(failure),
            };
            match answer.and_then(|json| read_header(header.number, &json)) {
                Ok(Some(found)) if found.hash == header.hash => {
                    self.see(header, Instant::now());
                    return true;
                }
                Ok(_) | Err(Failure::LacksBlock(_)) => lacks = true,
                Err(failure) => drop(self.failed(endpoint, failure)),
            }
        }
        !lacks
    }

    /// What an endpoint names as the newest final block.
    pub(super) async fn named_head(&self, endpoint: &Endpoint, known: Option<Confirmed>) -> Result<Named, Failure> {
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
            Err(Failure::Refused(cause)) if vocabulary::refuses_finalized(&cause) => None,
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
}

/// A block so deep that it is as good as final. It was read by number.
async fn deep_block(endpoint: &Endpoint) -> Result<Named, Failure> {
    let answer = endpoint.one(Call { method: "eth_blockNumber", params: "[]".to_owned() }).await?;
    let tip = quantity(&answer).map_err(|cause| Failure::Untrusted(format!("a block number that {cause}")))?;
    let block = tip.saturating_sub(DEEP_ENOUGH);
    let header = endpoint.one(header_call(block)).await?;
    let header = read_header(block, &header)?.ok_or(Failure::Lagging(block))?;
    Ok(Named { header, near: vec![header] })
}

/// A result that is one number.
pub(super) fn quantity(json: &Bytes) -> Result<u64, String> {
    hex::quantity(&String::from_utf8_lossy(json))
}
