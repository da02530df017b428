//! **Heads**: what makes a block that an endpoint names the head.
//!
//! Its header must be there by number, with the same hash, at an endpoint of another operator. Where there is none, its own
//! word must at least hold together: the block is there by number, its time is not ahead of our clock, and between it and a
//! block that is known lies as much time as so many blocks take, or a chain of headers.

use std::time::{Duration, Instant};

use super::headers::{header_call, read_header};
use super::named::{Named, named_head};
use super::{endpoint::Endpoint, failure::Failure, failure::Result, header::Header, nodes::Polygon};
use crate::clock::since_epoch;

/// How far the time of an endpoint's head may be ahead of our clock where nobody else confirms it, in seconds.
const MOST_AHEAD: u64 = 30;

/// An endpoint whose own head is older than this stands still, and what it lacks proves nothing.
const STANDS_STILL: Duration = Duration::from_secs(120);

/// How far below the head a first run reads a block, to compare times; less where there is none.
const DEPTHS: [u64; 4] = [1_000, 100, 10, 1];

/// Up to so many headers are read to link a head to a known block, …
const MOST_LINKS: u64 = 5_000;
/// … and so few are read rather than compare times.
const FEW_LINKS: u64 = 50;

/// What others say of a head.
enum Opinion {
    /// One of them has it.
    Agrees,
    /// One that does not stand still lacks it, or has another block there.
    Denies(String),
    /// Nobody can be asked.
    Nobody,
}

impl Polygon {
    /// Proves what an endpoint names; `anchor` is a block that was proved before.
    pub(super) async fn confirm(&self, endpoint: &Endpoint, named: &Named, anchor: Option<Header>) -> Result<()> {
        match self.ask_others(endpoint, named.header).await {
            Opinion::Agrees => Ok(()),
            Opinion::Denies(cause) => Err(Failure::Unconfirmed(cause)),
            Opinion::Nobody => self.holds_together(endpoint, named, anchor).await,
        }
    }

    async fn ask_others(&self, endpoint: &Endpoint, head: Header) -> Opinion {
        let (mut opinion, now) = (Opinion::Nobody, Instant::now());
        let others = self.others(endpoint).filter(|other| other.operator() != endpoint.operator());
        for other in others.filter(|other| other.may_ask(now)) {
            let denies = match self.header_at(other, head.number).await {
                Ok(Some(found)) if found.hash == head.hash => return Opinion::Agrees,
                Ok(Some(_)) => format!("final block {} is another one at {}", head.number, other.name()),
                Ok(None) | Err(Failure::LacksBlock(_)) => {
                    if self.stands_still(other).await {
                        continue;
                    }
                    format!("final block {} is not there at {}", head.number, other.name())
                }
                Err(failure) => {
                    self.failed(other, failure);
                    continue;
                }
            };
            opinion = Opinion::Denies(denies);
        }
        opinion
    }

    async fn header_at(&self, endpoint: &Endpoint, block: u64) -> Result<Option<Header>> {
        self.check_chain(endpoint).await?;
        read_header(block, &endpoint.one(header_call(block)).await?)
    }

    /// Whether an endpoint's own head is old.
    async fn stands_still(&self, endpoint: &Endpoint) -> bool {
        match named_head(endpoint, None).await {
            Ok(named) => {
                let age = since_epoch().as_secs().saturating_sub(named.header.timestamp);
                Duration::from_secs(age) > STANDS_STILL
            }
            Err(failure) => {
                self.failed(endpoint, failure);
                true
            }
        }
    }

    /// Whether what an endpoint says holds together.
    async fn holds_together(&self, endpoint: &Endpoint, named: &Named, anchor: Option<Header>) -> Result<()> {
        let head = named.header;
        let now = since_epoch().as_secs();
        if head.timestamp > now.saturating_add(MOST_AHEAD) {
            let ahead = head.timestamp - now;
            return unconfirmed(head, format!("its time is {ahead} s ahead of this machine's clock"));
        }
        let known = |block: u64| named.near.iter().find(|header| header.number == block).copied();
        let by_number = match known(head.number) {
            Some(header) => Some(header),
            None => self.header_at(endpoint, head.number).await?,
        };
        match by_number {
            Some(header) if header.hash == head.hash => {}
            Some(_) => return unconfirmed(head, "by its number it is another block".to_owned()),
            None => return unconfirmed(head, "by its number it is not there".to_owned()),
        }
        let Some(anchor) = self.anchor(endpoint, head, anchor).await? else {
            // The chain's first block has none before it.
            return if head.number == 0 { Ok(()) } else { unconfirmed(head, "no block before it is there".to_owned()) };
        };
        let blocks = head.number - anchor.number;
        let seconds = head.timestamp.saturating_sub(anchor.timestamp);
        // 0.5 to 5 seconds a block.
        let is_plausible = seconds.saturating_mul(2) >= blocks && seconds <= blocks.saturating_mul(5);
        if is_plausible && blocks > FEW_LINKS {
            return Ok(());
        }
        if blocks > MOST_LINKS {
            return unconfirmed(head, format!("it is {blocks} blocks and {seconds} s above block {}", anchor.number));
        }
        match self.links(endpoint, anchor, head, &named.near).await? {
            true => Ok(()),
            false if is_plausible && blocks > 1 => Ok(()),
            false => unconfirmed(head, format!("the headers from {} on are no chain that leads to it", anchor.number)),
        }
    }

    /// A block below the head that is known, or else one that is read.
    async fn anchor(&self, endpoint: &Endpoint, head: Header, known: Option<Header>) -> Result<Option<Header>> {
        if let Some(known) = known.filter(|known| known.number < head.number) {
            return Ok(Some(known));
        }
        let cursor = self.shared.lock().cursor.filter(|block| *block < head.number);
        let depths = DEPTHS.iter().filter_map(|depth| head.number.checked_sub(*depth));
        let blocks: Vec<u64> = cursor.into_iter().chain(depths).collect();
        let calls: Vec<_> = blocks.iter().map(|block| header_call(*block)).collect();
        let answers = endpoint.each(&calls).await?;
        for (block, json) in blocks.iter().zip(answers) {
            match json.and_then(|json| read_header(*block, &json)) {
                Ok(Some(header)) => return Ok(Some(header)),
                Ok(None) | Err(Failure::LacksBlock(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(None)
    }

    /// Whether the headers between two blocks lead from one to the other.
    async fn links(&self, endpoint: &Endpoint, anchor: Header, head: Header, near: &[Header]) -> Result<bool> {
        let mut last = anchor;
        let missing: Vec<u64> = (anchor.number + 1..head.number).collect();
        for some in missing.chunks(endpoint.batch_size().max(1)) {
            let known = |block: &u64| near.iter().any(|header| header.number == *block);
            let asked: Vec<u64> = some.iter().copied().filter(|block| !known(block)).collect();
            let calls: Vec<_> = asked.iter().map(|block| header_call(*block)).collect();
            let mut read = Vec::with_capacity(some.len());
            for (block, json) in asked.iter().zip(endpoint.each(&calls).await?) {
                match json.and_then(|json| read_header(*block, &json)) {
                    Ok(Some(header)) => read.push(header),
                    Ok(None) | Err(Failure::LacksBlock(_)) => return Ok(false),
                    Err(failure) => return Err(failure),
                }
            }
            read.extend(near.iter().filter(|header| some.contains(&header.number)));
            read.sort_unstable_by_key(|header| header.number);
            for header in read {
                if header.parent != Some(last.hash) {
                    return Ok(false);
                }
                last = header;
            }
        }
        Ok(head.parent == Some(last.hash))
    }
}

fn unconfirmed(head: Header, why: String) -> Result<()> {
    Err(Failure::Unconfirmed(format!("final block {} is not believed: {why}", head.number)))
}
