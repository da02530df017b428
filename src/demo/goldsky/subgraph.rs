//! The rows that the subgraph has at a moment.

use super::kept::kept;
use super::plan::Page;
use super::refusal::Refusal;
use super::row::Row;
use crate::demo::faults::goldsky::SubgraphFaults;
use crate::demo::world::World;

/// A query may look at so many blocks and logs; a longer one times out, as one does that no index helps.
const PATIENCE: u64 = 400_000;

/// The subgraph under a head of the chain.
#[derive(Clone, Copy)]
pub(in crate::demo) struct Subgraph<'a> {
    pub(in crate::demo) world: &'a World,
    pub(in crate::demo) faults: &'a SubgraphFaults,
    /// The newest block of the chain.
    pub(in crate::demo) head: u64,
}

impl Subgraph<'_> {
    /// The newest block that it has indexed. The first block always was.
    pub(in crate::demo) fn newest(&self) -> u64 {
        self.faults.indexed(self.head).max(self.world.config().first_block)
    }

    /// A page of rows.
    pub(in crate::demo) fn page(&self, page: &Page) -> Result<Vec<Row>, Refusal> {
        let (skip, end) = (page.skip as usize, (page.skip + page.first) as usize);
        let mut rows = if page.by_timestamp { self.by_time(page, end)? } else { self.by_id(page)? };
        rows.truncate(end);
        rows.drain(..skip.min(rows.len()));
        Ok(rows)
    }

    /// At least so many rows, if there are, second by second.
    fn by_time(&self, page: &Page, enough: usize) -> Result<Vec<Row>, Refusal> {
        let (mut found, mut second, mut looked) = (Vec::new(), Vec::new(), 0);
        let (mut low, mut high) = self.blocks(page);
        let mut time = None;
        while low <= high {
            let number = if page.descending { high } else { low };
            let here = self.world.timestamp(number);
            if time.replace(here).is_some_and(|before| before != here) {
                sort(&mut second, page.descending);
                found.append(&mut second);
                if found.len() >= enough {
                    break;
                }
            }
            self.add(number, page, &mut second, &mut looked)?;
            if page.descending {
                let Some(before) = high.checked_sub(1) else { break };
                high = before;
            } else {
                low += 1;
            }
        }
        sort(&mut second, page.descending);
        found.append(&mut second);
        Ok(found)
    }

    /// All rows that pass, in the order of their ids.
    fn by_id(&self, page: &Page) -> Result<Vec<Row>, Refusal> {
        let (mut found, mut looked) = (Vec::new(), 0);
        let (low, high) = self.blocks(page);
        for number in low..=high {
            self.add(number, page, &mut found, &mut looked)?;
        }
        sort(&mut found, page.descending);
        Ok(found)
    }

    /// The blocks in which rows of a page can be. The last is before the first where there are none.
    fn blocks(&self, page: &Page) -> (u64, u64) {
        let (from, to) = page.filter.seconds();
        let end = self.faults.data_end(self.head);
        if from > to {
            return (1, 0);
        }
        let blocks = self.world.blocks_in(from..=to);
        let blocks = self.world.eventful(*blocks.start()..=(*blocks.end()).min(end));
        if blocks.is_empty() { (1, 0) } else { blocks.into_inner() }
    }

    fn add(&self, number: u64, page: &Page, rows: &mut Vec<Row>, looked: &mut u64) -> Result<(), Refusal> {
        let block = self.world.block(number);
        *looked += 1 + block.events.len() as u64;
        if *looked > PATIENCE {
            return Err(Refusal::timed_out());
        }
        let seed = self.world.config().seed;
        let made = kept(&block).events.into_iter().map(|event| {
            let malformed = self.faults.malformed(seed, &event.transaction_hash, &event.intent.order_hash);
            Row::new(self.world.wallets(), block.timestamp, event, malformed)
        });
        rows.extend(made.filter(|row| page.filter.takes(row)));
        Ok(())
    }
}

/// By id, which also decides among rows of one second, in the same direction.
fn sort(rows: &mut [Row], descending: bool) {
    rows.sort_unstable_by(|a, b| a.id().cmp(b.id()));
    if descending {
        rows.reverse();
    }
}
