//! **Tip**: blocks near the head are asked for by hash.
//!
//! Behind one URL stand nodes that differ by some blocks, and the one that lacks a block answers a *range* that holds it with
//! what it has, or with nothing. Asked by hash most of them refuse. The hash comes from the head's own header, or from its
//! `parentHash`, so that a new block costs one request.

use std::collections::BTreeMap;

use alloy_primitives::B256;

use super::filter::{self, Blocks};
use super::headers::{header_call, read_header};
use super::single::{logs_of, said_of_block};
use super::{
    block::Block, call::Call, caps, case::Case, endpoint::Endpoint, error_classifier, failure::Failure,
    failure::Result, header::Header, nodes::Polygon, reading::Read,
};

/// The most blocks that are read by hash at once.
pub(super) const MOST_BLOCKS: u64 = 128;

impl Polygon {
    /// Reads the blocks `from` to `to` one by one, in as few requests as it takes. May end before `to`, where the endpoint
    /// lacks the rest; an error where it lacks the first.
    pub(super) async fn by_hash(&self, endpoint: &Endpoint, from: u64, to: u64) -> Result<Vec<Case>> {
        // What is remembered may be forgotten while more is learned, so it is taken first.
        let mut known = self.headers.within(from..=to.saturating_add(1));
        let missing: Vec<u64> = (from..=to).filter(|block| !known.contains_key(block)).collect();
        // A block's hash is known from the header behind it, too.
        let at = |block: u64| known.get(&block);
        let hash = |block: u64| at(block).map(|it| it.hash).or_else(|| at(block.saturating_add(1))?.parent);
        let early: Vec<(u64, B256)> = (from..=to).filter_map(|block| Some((block, hash(block)?))).collect();
        let by_hash = !endpoint.lacks_block_hash();

        let mut answers = BTreeMap::new();
        if !missing.is_empty() || by_hash {
            let ask_early: &[(u64, B256)] = if by_hash { &early } else { &[] };
            let mut calls: Vec<Call> = missing.iter().map(|block| header_call(*block)).collect();
            calls.extend(ask_early.iter().map(|(_, hash)| filter::logs(Blocks::Hash(*hash))));
            let mut results = endpoint.each(&calls).await?.into_iter();
            for (block, json) in missing.iter().zip(results.by_ref()) {
                match json.and_then(|json| read_header(*block, &json)?.ok_or(Failure::Lagging(*block))) {
                    Ok(header) => {
                        self.headers.learn(&header);
                        known.insert(*block, header);
                    }
                    Err(failure) if *block == from => return Err(failure),
                    Err(_) => break,
                }
            }
            answers.extend(ask_early.iter().map(|(_, hash)| *hash).zip(results));
        }

        let headers = self.linked(&known, from, to)?;
        let late: Vec<Header> = headers.iter().filter(|header| !answers.contains_key(&header.hash)).copied().collect();
        if !late.is_empty() {
            let results = logs_of(endpoint, &late).await?;
            answers.extend(late.iter().map(|header| header.hash).zip(results));
        }

        let mut cases = Vec::with_capacity(headers.len());
        for header in headers {
            let answer = answers.remove(&header.hash).unwrap_or(Err(Failure::Lagging(header.number)));
            let refused =
                matches!(&answer, Err(Failure::Refused(words)) if error_classifier::refuses_block_hash(words));
            let answer = if refused && by_hash {
                endpoint.set_lacks_block_hash();
                logs_of(endpoint, &[header]).await?.pop().unwrap_or(Err(Failure::Lagging(header.number)))
            } else {
                answer
            };
            match answer.and_then(|json| said_of_block(header, &json)) {
                Ok(None) => match Block::new(header, Vec::new()) {
                    Ok(block) => cases.push(Case::unanswered(block)),
                    Err(cause) => return Err(Failure::Untrusted(cause)),
                },
                Ok(Some(block)) => {
                    let (empty, rows) = (block.logs.is_empty(), block.logs.len() as u64);
                    let cut = caps::is_suspect(rows, endpoint.counted(rows));
                    cases.push(Case::new(block, empty, cut));
                }
                Err(failure) if cases.is_empty() => return Err(failure),
                Err(_) => break,
            }
        }
        Ok(cases)
    }

    /// The known headers from `from` on, each the parent of the next.
    fn linked(&self, known: &BTreeMap<u64, Header>, from: u64, to: u64) -> Result<Vec<Header>> {
        let headers: Vec<Header> = (from..=to).map_while(|block| known.get(&block).copied()).collect();
        for pair in headers.windows(2) {
            let [parent, child] = pair else { continue };
            if child.parent.is_some_and(|hash| hash != parent.hash) {
                self.headers.forget(parent.number);
                self.headers.forget(child.number);
                let cause = format!("block {} is not the parent of block {}", parent.hash, child.number);
                return Err(Failure::Untrusted(cause));
            }
        }
        if headers.is_empty() { Err(Failure::Lagging(from)) } else { Ok(headers) }
    }

    /// Blocks by hash, behind others that are known already.
    pub(super) async fn read_tip(&self, endpoint: &Endpoint, from: u64, to: u64, mut cases: Vec<Case>) -> Result<Read> {
        let first = cases.first().map_or(from, |case| case.block.header.number.min(from));
        match self.by_hash(endpoint, from, to).await {
            Ok(more) => cases.extend(more),
            Err(failure) if cases.is_empty() => return Err(failure),
            Err(_) => {}
        }
        let to = cases.last().map_or(to, |case| case.block.header.number.max(from.saturating_sub(1)).min(to));
        self.settled(endpoint, first, to, cases).await
    }
}
