//! The newest final block.
//!
//! What an endpoint names is only a candidate: `confirm` says what makes it a head. A head may fall, where nobody has it any
//! more; until that is known, an endpoint that names a lower one is only behind.

use std::time::Instant;

use super::headers::{header_call, read_header};
use super::{
    confirmed::Confirmed, doubt::Doubt, endpoint::Endpoint, failure::Failure, failure::Result, header::Header,
    named::named_head, nodes::Polygon, round::Round,
};
use crate::source::{error::SourceError, frontier::Head};

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
    async fn head_of(&self, endpoint: &Endpoint, round: &Round<'_>) -> Result<Head> {
        self.check_chain(endpoint).await?;
        let known = self.shared.lock().head;
        let named = named_head(endpoint, known).await?;
        let (now, found) = (Instant::now(), named.header);
        let mut anchor = known.map(|known| known.header);
        if let Some(known) = known {
            if known.header.hash == found.hash && known.block() == found.number {
                if now.duration_since(known.since) >= self.config.stale_after {
                    round.rotate();
                } else {
                    round.commit();
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
            tracing::warn!("the newest final block fell from {from} to {to}: no node has {from} any more");
            self.headers.forget(from);
        }
        for header in named.near.iter().filter(|header| header.number < found.number) {
            self.headers.learn(header);
        }
        self.headers.learn(&found);
        self.see(found, now);
        if anchor.is_some_and(|anchor| found.number > anchor.number) || anchor.is_none() {
            round.commit();
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
}
