//! The logs of the world as JSON, rendered on demand or ahead of time.

use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use alloy_primitives::B256;
use bytes::Bytes;
use parking_lot::RwLock;
use quick_cache::sync::Cache;

use super::filter::Filter;
use super::others::{self, Other};
use super::render::{self, Place};
use crate::demo::world::{Block, World};
use crate::demo::{faults::Faults, faults::lies::Lies, fills::matching::Event};

/// How many headers are kept, each of some ten kilobytes.
const HEADERS: usize = 512;

/// Of so many transactions whose logs were told last the block is known.
const TRANSACTIONS: usize = 16_384;

/// One block, and its logs joined by commas.
#[derive(Clone, Debug)]
struct Rendered {
    block: Arc<Block>,
    header: Bytes,
    logs: Bytes,
    rows: usize,
}

/// What was rendered ahead of time.
#[derive(Debug, Default)]
struct Ahead {
    blocks: HashMap<u64, Rendered>,
    transactions: HashMap<B256, u64>,
}

/// A world and what has been rendered of it.
#[derive(Debug)]
pub(in crate::demo) struct Ledger {
    pub(in crate::demo) world: Arc<World>,
    ahead: RwLock<Ahead>,
    headers: Cache<u64, Bytes>,
    transactions: Cache<B256, u64>,
}

/// How a node tells of its logs.
#[derive(Clone, Copy)]
pub(in crate::demo) struct Telling<'a> {
    pub(in crate::demo) faults: &'a Faults,
    /// The lies of this node.
    pub(in crate::demo) lies: &'a Lies,
}

impl Ledger {
    pub(in crate::demo) fn new(world: Arc<World>) -> Self {
        Self { world, ahead: RwLock::default(), headers: Cache::new(HEADERS), transactions: Cache::new(TRANSACTIONS) }
    }

    /// Renders blocks, so that answers about them cost no more than a copy. Over a kilobyte a log is held for good.
    pub(in crate::demo) fn prerender(&self, blocks: RangeInclusive<u64>) {
        let (faults, lies) = (Faults::default(), Lies::default());
        for number in self.world.eventful(blocks) {
            let mut logs = Vec::new();
            let telling = Telling { faults: &faults, lies: &lies };
            let rows = self.render(number, &Filter::fills(), telling, usize::MAX, &mut logs);
            let mut header = Vec::new();
            self.header(number, &mut header);
            let mut ahead = self.ahead.write();
            let block = Arc::new(self.world.block(number));
            ahead.transactions.extend(block.events.iter().map(|event| (event.transaction_hash, number)));
            ahead.blocks.insert(number, Rendered { block, header: header.into(), logs: logs.into(), rows });
        }
    }

    /// Appends a block's header.
    pub(in crate::demo) fn header(&self, number: u64, out: &mut Vec<u8>) {
        let ahead = || self.ahead.read().blocks.get(&number).map(|ahead| ahead.header.clone());
        if let Some(header) = ahead().or_else(|| self.headers.get(&number)) {
            out.extend_from_slice(&header);
            return;
        }
        let begin = out.len();
        let block = self.world.block(number);
        let transactions = 0..self.world.transactions(&block);
        render::header(out, &block, transactions.map(|index| self.world.transaction(number, index)));
        self.headers.insert(number, Bytes::copy_from_slice(&out[begin..]));
    }

    /// Appends the logs of a block to `out`, a list that may have begun already, as far as there is room, and says how many
    /// there were.
    pub(in crate::demo) fn append(
        &self,
        number: u64,
        filter: &Filter,
        telling: Telling<'_>,
        room: Option<usize>,
        out: &mut Vec<u8>,
    ) -> usize {
        let Telling { faults, lies } = telling;
        if !faults.no_block_timestamp
            && !lies.alter_logs()
            && filter.takes_all_fills()
            && !(filter.takes_others() && (filter.takes_any_signature() || faults.surprise()))
            && let Some(ahead) = self.ahead.read().blocks.get(&number)
            && room.is_none_or(|room| ahead.rows <= room)
        {
            if ahead.rows > 0 {
                separate(out);
                out.extend_from_slice(&ahead.logs);
            }
            return ahead.rows;
        }
        self.render(number, filter, telling, room.unwrap_or(usize::MAX), out)
    }

    fn render(&self, number: u64, filter: &Filter, telling: Telling<'_>, room: usize, out: &mut Vec<u8>) -> usize {
        let Telling { faults, lies } = telling;
        let block = self.world.block(number);
        let stamp = (!faults.no_block_timestamp).then(|| lies.block_timestamp.unwrap_or(block.timestamp));
        let mut lines = self.lines(&block, faults, filter);
        if lies.alter_logs() {
            lines.retain(|line| !matches!(line, Line::Fill(event) if lies.omits(&self.world, event)));
        }
        let (mut rows, mut ordinal, mut transaction) = (0, 0, None);
        for line in lines.iter().take(room) {
            if transaction.replace(line.transaction_index()) != Some(line.transaction_index()) {
                ordinal = 0;
                self.transactions.insert(*line.transaction_hash(), number);
            }
            let mut place = line.place(&block, stamp);
            if let Line::Fill(event) = line
                && lies.restarts_index(&self.world, event)
            {
                place.log_index = ordinal;
            }
            ordinal += 1;
            separate(out);
            line.render(&self.world, place, out);
            rows += 1;
        }
        rows
    }

    /// The logs of a block that a filter takes, in order.
    fn lines<'a>(&self, block: &'a Block, faults: &Faults, filter: &Filter) -> Vec<Line<'a>> {
        let events = block.events.iter().filter(|event| filter.takes(&event.intent));
        let mut lines: Vec<_> = events.map(Line::Fill).collect();
        if filter.takes_others() {
            let between = if filter.takes_any_signature() { others::between(block) } else { Vec::new() };
            let others = between.into_iter().chain(others::surprises(&self.world, block, faults));
            lines.extend(others.filter(|other| filter.passes(other.address, &other.topics)).map(Line::Other));
            lines.sort_by_key(Line::log_index);
        }
        lines
    }

    /// Appends all receipts of a block, with all their logs: nobody lies in these.
    pub(in crate::demo) fn receipts(&self, number: u64, faults: &Faults, out: &mut Vec<u8>) {
        let block = self.world.block(number);
        let stamp = (!faults.no_block_timestamp).then_some(block.timestamp);
        let mut lines = self.lines(&block, faults, &Filter::default()).into_iter().peekable();
        out.push(b'[');
        for index in 0..self.world.transactions(&block) {
            separate(out);
            render::receipt_head(out, &block, &self.world.transaction(number, index), index);
            while let Some(line) = lines.next_if(|line| line.transaction_index() == index) {
                separate(out);
                line.render(&self.world, line.place(&block, stamp), out);
            }
            out.extend_from_slice(b"]}");
        }
        out.push(b']');
    }

    /// Appends the receipt of one transaction whose logs were told, in a block up to `head`: nobody lies in this either.
    pub(in crate::demo) fn receipt(&self, transaction: &B256, head: u64, faults: &Faults, out: &mut Vec<u8>) {
        let ahead = || self.ahead.read().transactions.get(transaction).copied();
        let number = ahead().or_else(|| self.transactions.get(transaction)).filter(|number| *number <= head);
        let Some(number) = number else {
            out.extend_from_slice(b"null");
            return;
        };
        let ahead = self.ahead.read().blocks.get(&number).map(|ahead| Arc::clone(&ahead.block));
        let block = ahead.unwrap_or_else(|| Arc::new(self.world.block(number)));
        let stamp = (!faults.no_block_timestamp).then_some(block.timestamp);
        let mut lines = self.lines(&block, faults, &Filter::default());
        lines.retain(|line| line.transaction_hash() == transaction);
        let index = lines.first().map_or(0, Line::transaction_index);
        render::receipt_head(out, &block, transaction, index);
        for line in lines {
            separate(out);
            line.render(&self.world, line.place(&block, stamp), out);
        }
        out.extend_from_slice(b"]}");
    }
}

/// One log.
enum Line<'a> {
    Fill(&'a Event),
    Other(Other),
}

impl Line<'_> {
    const fn log_index(&self) -> u64 {
        match self {
            Self::Fill(event) => event.log_index,
            Self::Other(other) => other.log_index,
        }
    }

    const fn transaction_index(&self) -> u64 {
        match self {
            Self::Fill(event) => event.transaction_index,
            Self::Other(other) => other.transaction_index,
        }
    }

    const fn transaction_hash(&self) -> &B256 {
        match self {
            Self::Fill(event) => &event.transaction_hash,
            Self::Other(other) => &other.transaction_hash,
        }
    }

    /// Where it truly stands.
    fn place<'b>(&'b self, block: &'b Block, timestamp: Option<u64>) -> Place<'b> {
        let (transaction_index, log_index) = (self.transaction_index(), self.log_index());
        Place { block, transaction_hash: self.transaction_hash(), transaction_index, log_index, timestamp }
    }

    fn render(&self, world: &World, place: Place<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Fill(event) => render::fill(out, world.wallets(), &event.intent, place),
            Self::Other(other) => render::other(out, other, place),
        }
    }
}

/// A comma, unless the list has just begun.
fn separate(out: &mut Vec<u8>) {
    if out.last().is_some_and(|last| *last == b'}') {
        out.push(b',');
    }
}
