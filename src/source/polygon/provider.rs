//! What the nodes say as a provider of the chain.
//!
//! A page is what one of them delivered, where nothing is doubtful about it; else two must say the same, or the same one twice
//! where nobody else can say.

use std::{collections::HashMap, time::Instant};

use async_trait::async_trait;

use super::endpoint::{Chain, Endpoint};
use super::{doubt, failure::Failure, nodes::Polygon, page, reading::Read, span::Span};
use crate::clock::unix_ms;
use crate::model::{ChainPosition, Exchange};
use crate::source::state::{InDoubt, NodeState, SourceState};
use crate::source::{
    chain::ChainProvider, error::SourceError, evidence::Evidence, frontier::Head, page::Page, start::Start,
};

/// An answer that is not believed while another endpoint may know better: an empty one, or one with garbled logs.
struct Doubt<'a> {
    endpoint: &'a Endpoint,
    read: Read,
}

#[async_trait]
impl Evidence for Polygon {
    async fn check(&self) -> Option<Vec<InDoubt>> {
        // First what needs nobody's answer, so that it is said at the end of a process, too.
        if let Some(in_doubt) = self.distrust_caught() {
            return Some(in_doubt);
        }
        self.look_for_unknown().await;
        self.compare_next().await
    }

    fn unproved(&self) -> Vec<(String, Option<u64>)> {
        self.endpoints.iter().map(|it| (it.name().to_owned(), it.trail().lock().begin())).collect()
    }

    fn restore(&self, unproved: &HashMap<String, u64>) {
        for endpoint in &self.endpoints {
            if let Some(from) = unproved.get(endpoint.name()) {
                endpoint.trail().lock().restore(*from);
            }
        }
    }

    fn state(&self) -> SourceState {
        let node = |endpoint: &Endpoint| NodeState {
            name: endpoint.name().to_owned(),
            doubts: endpoint.doubts().map(|(doubt, count)| (doubt.label(), count)).collect(),
            is_distrusted: endpoint.is_distrusted(),
            other_chain: match endpoint.chain() {
                Chain::Wrong(chain) => Some(chain),
                _ => None,
            },
        };
        let surprises = self.surprises.lock();
        SourceState {
            nodes: self.endpoints.iter().map(node).collect(),
            unknown_events: surprises.unknown(),
            upgrade: surprises.upgrade(),
        }
    }
}

#[async_trait]
impl ChainProvider for Polygon {
    async fn world(&self) -> Result<String, SourceError> {
        let is_shown = self.endpoints.iter().any(|endpoint| endpoint.chain() == Chain::Right);
        if let Some(chain) = self.shared.lock().chain.filter(|_| is_shown) {
            return Ok(format!("chain:{chain}"));
        }
        let mut round = self.round()?;
        while let Some(endpoint) = round.next_endpoint() {
            match self.check_chain(endpoint).await {
                Ok(chain) => return Ok(format!("chain:{chain}")),
                Err(failure) => round.failed(failure),
            }
        }
        Err(round.into_error())
    }

    fn remember(&self, world: &str, from: ChainPosition) {
        let chain = world.strip_prefix("chain:").and_then(|number| number.parse().ok());
        let mut shared = self.shared.lock();
        shared.chain = shared.chain.or(chain);
        shared.cursor = from.block.checked_sub(1);
    }

    async fn head(&self) -> Result<Head, SourceError> {
        self.newest_final_block().await
    }

    async fn resolve(&self, start: &Start) -> Result<ChainPosition, SourceError> {
        let block = match *start {
            Start::Block(block) => block,
            Start::Genesis => self.head().await?.block.min(Exchange::FIRST_BLOCK),
            Start::Latest => self.head().await?.block.saturating_add(1),
            Start::Time(time) => self.first_block_at(time).await?,
        };
        Ok(ChainPosition::start_of(block))
    }

    async fn page(&self, from: ChainPosition, head: u64) -> Result<Page<ChainPosition>, SourceError> {
        if from.block > head {
            return Ok(Page { events: vec![], next: from });
        }
        let mut round = self.round()?;
        let mut doubt: Option<Doubt<'_>> = None;
        let span = self.span(from, head);
        let believe = |read: Read| {
            for log in read.blocks.iter().flat_map(|block| &block.logs).filter(|log| log.is_upgrade()) {
                self.surprises.lock().note_upgrade(log);
            }
            page::assemble(read.blocks, &read.unplaced, from, read.to, unix_ms())
        };
        while let Some(endpoint) = round.next_endpoint() {
            let last = doubt.as_ref().map_or(head, |doubt| doubt.read.to);
            let was_distrusted = endpoint.is_distrusted();
            let read = match self.read(endpoint, Span { last, ..span }).await {
                Ok(read) => read,
                Err(failure) => {
                    if !matches!(failure, Failure::Unconfirmed(_)) {
                        endpoint.set_silent(Instant::now());
                    }
                    round.failed(failure);
                    continue;
                }
            };
            endpoint.set_heard();
            let alone = read.garbled() == 0 && doubt.is_none() && self.others(endpoint).next().is_none();
            // Noted before anything else is asked: who is caught from here on has it read again.
            if (read.is_whole() || alone) && !was_distrusted {
                self.note_delivered(endpoint, from.block, &read);
            }
            if endpoint.is_distrusted() && !was_distrusted {
                // It was read as one that can be trusted.
                round.failed(Failure::Unconfirmed("it was just caught omitting logs".to_owned()));
                continue;
            }
            if read.is_whole() || alone {
                if let Some(doubt) = doubt.filter(|doubt| doubt.read.empty_behind && read.rows() > doubt.read.rows()) {
                    tracing::warn!(endpoint = doubt.endpoint.name(), "an empty answer for blocks that hold fills");
                    doubt.endpoint.note(doubt::Doubt::Missing);
                }
                round.commit();
                return Ok(believe(read));
            }
            match &doubt {
                // The second endpoint only agrees: the first keeps its turn.
                Some(doubt) if doubt.read.garbled() == 0 && read.garbled() == 0 && doubt.read.rows() <= read.rows() => {
                    if doubt.endpoint.operator() == endpoint.operator() {
                        // Two URLs, one opinion.
                        self.note_delivered(endpoint, from.block, &read);
                    }
                    return Ok(believe(read));
                }
                Some(doubt) if doubt.read.garbled() > 0 => {}
                // Nodes leave logs out: the one that has more stays in question.
                Some(doubt) if doubt.read.rows() > read.rows() => {
                    if read.garbled() > 0 {
                        endpoint.note(doubt::Doubt::Garbled);
                    } else if read.to >= doubt.read.to {
                        endpoint.note(doubt::Doubt::Missing);
                    }
                }
                _ => {
                    if read.garbled() > 0 {
                        endpoint.note(doubt::Doubt::Garbled);
                    }
                    doubt = Some(Doubt { endpoint, read });
                }
            }
        }
        if let Some(Doubt { endpoint, read }) = doubt {
            let what = read.what_is_doubtful(from.block);
            if !self.may_still_speak(endpoint) {
                // Nobody else can say. Then it counts what the same one says twice.
                if let Ok(again) = self.read(endpoint, Span { last: read.to, ..span }).await {
                    if again.garbled() > 0 {
                        tracing::warn!(endpoint = endpoint.name(), "{what}, twice: they become dead letters");
                    }
                    self.note_delivered(endpoint, from.block, &again);
                    return Ok(believe(again));
                }
            }
            round.unconfirmed(endpoint.name(), format!("{what}, and no second endpoint confirms it"));
        }
        Err(round.into_error())
    }
}
