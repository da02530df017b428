//! The logs of the world as JSON, rendered on demand or ahead of time.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;

use super::filter::Filter;
use super::render;
use super::world::World;

/// The logs of one block, joined by commas.
#[derive(Clone, Debug)]
struct Rendered {
    logs: Bytes,
    rows: usize,
}

/// A world and what has been rendered of it.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) world: Arc<World>,
    ahead: RwLock<HashMap<u64, Rendered>>,
}

impl Ledger {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self { world, ahead: RwLock::default() }
    }

    /// Renders blocks, so that answers about them cost no more than a copy. About a kilobyte a log is held for good.
    pub(super) fn prerender(&self, blocks: RangeInclusive<u64>) {
        for number in self.world.eventful(blocks) {
            let mut logs = Vec::new();
            let rows = self.render(number, &Filter::default(), true, &mut logs);
            self.ahead.write().insert(number, Rendered { logs: logs.into(), rows });
        }
    }

    /// Appends the logs of a block to `out`, a list that may have begun already, and says how many there were.
    pub(super) fn append(&self, number: u64, filter: &Filter, block_timestamp: bool, out: &mut Vec<u8>) -> usize {
        if block_timestamp
            && filter.takes_all_fills()
            && let Some(ahead) = self.ahead.read().get(&number)
        {
            if ahead.rows > 0 {
                separate(out);
                out.extend_from_slice(&ahead.logs);
            }
            return ahead.rows;
        }
        self.render(number, filter, block_timestamp, out)
    }

    fn render(&self, number: u64, filter: &Filter, block_timestamp: bool, out: &mut Vec<u8>) -> usize {
        let block = self.world.block(number);
        let mut rows = 0;
        for event in block.events.iter().filter(|event| filter.takes(&event.intent)) {
            separate(out);
            render::log(out, self.world.cast(), &block, event, block_timestamp);
            rows += 1;
        }
        rows
    }
}

/// A comma, unless the list has just begun.
fn separate(out: &mut Vec<u8>) {
    if out.last().is_some_and(|last| *last == b'}') {
        out.push(b',');
    }
}
