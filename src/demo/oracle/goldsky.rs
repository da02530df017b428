//! What the rows of the subgraph must leave in the tables.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use serde::Serialize;

use super::shelf::{Shelf, Told};
use super::trades::{self, DeadLetterRow};
use crate::demo::faults::goldsky::SubgraphFaults;
use crate::demo::goldsky::kept::kept;
use crate::demo::goldsky::row::Row;
use crate::demo::markets::market::MarketRef;
use crate::demo::trade_row::TradeRow;
use crate::demo::world::World;

/// What a range of seconds must leave behind where it is read from the subgraph.
///
/// Good fills of the V1 exchanges in these seconds are `trades`, or `collapsed`, or dead letters because their rows are
/// malformed on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SubgraphTruth {
    /// The rows of `trades_goldsky`, sorted.
    pub trades: Vec<TradeRow>,
    /// The rows of `dead_letters` in the order of time and id. `position` is the id as it is served, `raw` the object with all
    /// fields, in the order of the schema: `id`, `transactionHash`, `timestamp`, `orderHash`, `maker`, `taker`,
    /// `makerAssetId`, `takerAssetId`, `makerAmountFilled`, `takerAmountFilled`, `fee`.
    pub dead_letters: Vec<DeadLetterRow>,
    /// How many good fills are not there, since a later one of the same order in the same transaction replaced them.
    pub collapsed: u64,
}

impl World {
    /// What these seconds must leave in the tables where the subgraph alone is asked, and nobody about markets.
    ///
    /// `head` is the newest block of the chain, from which it follows how far the subgraph is.
    pub fn goldsky_truth(&self, seconds: RangeInclusive<i64>, head: u64, faults: &SubgraphFaults) -> SubgraphTruth {
        self.subgraph_truth(seconds, head, faults, |_, _| {})
    }

    /// The same, where Gamma and the Data API have been asked at the block `head`.
    pub fn goldsky_oracle(&self, seconds: RangeInclusive<i64>, head: u64, faults: &SubgraphFaults) -> SubgraphTruth {
        let shelf = Shelf::new(self, head);
        let mut told: HashMap<(MarketRef, usize), Told> = HashMap::new();
        self.subgraph_truth(seconds, head, faults, |row, token| {
            told.entry(token).or_insert_with(|| shelf.told(self, row, token)).put_into(row);
        })
    }

    fn subgraph_truth(
        &self,
        seconds: RangeInclusive<i64>,
        head: u64,
        faults: &SubgraphFaults,
        mut complete: impl FnMut(&mut TradeRow, (MarketRef, usize)),
    ) -> SubgraphTruth {
        let (seed, wallets) = (self.config().seed, self.wallets());
        let blocks = self.blocks_in(seconds);
        let blocks = *blocks.start()..=(*blocks.end()).min(faults.data_end(head));
        let mut truth = SubgraphTruth::default();
        let mut letters = Vec::new();
        for number in self.eventful(blocks) {
            let block = self.block(number);
            let kept = kept(&block);
            truth.collapsed += kept.collapsed;
            for event in kept.events {
                let intent = &event.intent;
                let malformed = faults.malformed(seed, &event.transaction_hash, &intent.order_hash);
                if intent.defect.is_some() || malformed.any() {
                    letters.push(Row::new(wallets, block.timestamp, event, malformed));
                    continue;
                }
                let mut row = trades::trade(wallets, &block, event);
                (row.block_number, row.log_index, row.match_log_index) = (0, 0, None);
                row.source_id = format!("goldsky:{}_{}", row.transaction_hash, row.order_hash);
                if !row.is_taker_row {
                    row.exchange = String::new();
                }
                complete(&mut row, (intent.market, intent.outcome));
                truth.trades.push(row);
            }
        }
        truth.trades.sort_unstable();
        letters.sort_unstable_by(|a, b| (a.timestamp(), a.id()).cmp(&(b.timestamp(), b.id())));
        truth.dead_letters = letters.iter().map(dead_letter).collect();
        truth
    }
}

fn dead_letter(row: &Row) -> DeadLetterRow {
    DeadLetterRow {
        source: "goldsky".into(),
        position: row.id().into(),
        stage: "ingest-goldsky".into(),
        raw: row.whole_json().into_bytes(),
    }
}
