//! The newest final block.

use std::time::Instant;

use bytes::Bytes;

use super::Polygon;
use super::endpoint::{Call, Endpoint};
use super::failure::Failure;
use super::header::Header;
use super::headers::{header_call, read_header};
use super::hex;
use super::round::Round;
use super::time::MOST_AHEAD;
use super::vocabulary;
use crate::clock::since_epoch;
use crate::source::{Head, SourceError};

/// How deep a block lies that no reorganisation reaches, for nodes without finality. Since Heimdall v2 they are one or
/// two blocks deep.
const DEEP_ENOUGH: u64 = 64;

/// The highest head that any endpoint has named.
#[derive(Clone, Copy, Debug)]
pub(super) struct Highest {
    head: Head,
    since: Instant,
}

impl Highest {
    pub(super) const fn block(self) -> u64 {
        self.head.block
    }
}

impl Polygon {
    /// Asks for the newest final block. It never goes back: a stale endpoint does not unsay what another has said.
    pub(super) async fn newest_final_block(&self) -> Result<Head, SourceError> {
        let mut round = self.round()?;
        while let Some(endpoint) = round.next_endpoint() {
            match self.final_block(endpoint).await {
                Ok(header) if header.timestamp > since_epoch().as_secs().saturating_add(MOST_AHEAD) => {
                    let cause = format!("final block {} is of the future, time {}", header.number, header.timestamp);
                    round.failed(Failure::Untrusted(cause));
                }
                Ok(header) => return Ok(self.highest(&round, &header)),
                Err(failure) => round.failed(failure),
            }
        }
        Err(round.into_error())
    }

    /// The higher of the known head and this one. An endpoint that is behind, or stands still, loses its turn.
    fn highest(&self, round: &Round<'_>, header: &Header) -> Head {
        self.headers.learn(header);
        let now = Instant::now();
        let found = Head { block: header.number, timestamp: header.timestamp };
        let known = self.shared.lock().highest;
        let highest = match known {
            Some(known) if known.head.block >= found.block => known,
            _ => Highest { head: found, since: now },
        };
        if found.block < highest.head.block || now.duration_since(highest.since) >= self.config.stale_after {
            round.rotate();
        } else {
            round.settle();
        }
        // Another call may have been faster.
        let mut shared = self.shared.lock();
        if shared.highest.is_none_or(|known| known.head.block < highest.head.block) {
            shared.highest = Some(highest);
        }
        shared.highest.map_or(highest.head, |highest| highest.head)
    }

    async fn final_block(&self, endpoint: &Endpoint) -> Result<Header, Failure> {
        self.check_chain(endpoint).await?;
        if endpoint.lacks_finality(Instant::now()) {
            return deep_block(endpoint).await;
        }
        let call = Call { method: "eth_getBlockByNumber", params: r#"["finalized",false]"#.to_owned() };
        let answer = match endpoint.one(call).await {
            Ok(json) => Header::read(&json).map_err(Failure::Untrusted)?,
            Err(Failure::LacksBlock(_)) => None,
            Err(Failure::Refused(cause)) if vocabulary::refuses_finalized(&cause) => None,
            Err(failure) => return Err(failure),
        };
        match answer {
            Some(header) => Ok(header),
            None => {
                tracing::debug!(endpoint = endpoint.name(), "no finality: taking a block that lies deep enough");
                endpoint.set_lacks_finality(Instant::now());
                deep_block(endpoint).await
            }
        }
    }
}

/// A block so deep that it is as good as final.
async fn deep_block(endpoint: &Endpoint) -> Result<Header, Failure> {
    let answer = endpoint.one(Call { method: "eth_blockNumber", params: "[]".to_owned() }).await?;
    let tip = quantity(&answer).map_err(|cause| Failure::Untrusted(format!("a block number that {cause}")))?;
    let block = tip.saturating_sub(DEEP_ENOUGH);
    let header = endpoint.one(header_call(block)).await?;
    read_header(block, &header)?.ok_or(Failure::Lagging(block))
}

/// A result that is one number.
pub(super) fn quantity(json: &Bytes) -> Result<u64, String> {
    hex::quantity(&String::from_utf8_lossy(json))
}
