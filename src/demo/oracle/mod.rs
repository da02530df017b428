//! What the tables must hold when everybody has been asked: trades with their markets, markets, dead letters of all
//! sources.
//!
//! Describes a client that has read all listings, open and closed, at a block, and has looked up every token of its
//! fills. Markets of the series that have been archived by then are gone from every answer: a client that read them in
//! time has more than this.

pub(super) mod goldsky;
mod shelf;
pub(super) mod trades;

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use serde::Serialize;

use self::shelf::{Shelf, Told};
use self::trades::DeadLetterRow;
use crate::demo::{
    gamma::BROKEN, market_row::MarketRow, markets::market::MarketRef, trade_row::TradeRow, world::World,
};

/// All that a range of blocks must leave behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Oracle {
    /// The rows of `trades`, sorted.
    pub trades: Vec<TradeRow>,
    /// The rows of `dead_letters`: those of the chain in its order, then those of Gamma.
    pub dead_letters: Vec<DeadLetterRow>,
    /// The rows of `markets`, in the order of their ids as numbers.
    pub markets: Vec<MarketRow>,
}

impl World {
    /// What these blocks must leave in the tables when Gamma and the Data API have been asked at the block `now`.
    pub fn oracle(&self, blocks: RangeInclusive<u64>, now: u64) -> Oracle {
        let shelf = Shelf::new(self, now);
        let mut told: HashMap<(MarketRef, usize), Told> = HashMap::new();
        let mut whole = Oracle::default();
        let mut traded = HashSet::new();
        for number in self.eventful(blocks) {
            let block = self.block(number);
            for event in &block.events {
                let intent = &event.intent;
                if intent.defect.is_some() {
                    whole.dead_letters.push(trades::dead_letter(self.wallets(), &block, event));
                    continue;
                }
                let token = (intent.market, intent.outcome);
                let mut row = trades::trade(self.wallets(), &block, event);
                let told = told.entry(token).or_insert_with(|| shelf.told(self, &row, token));
                told.put_into(&mut row);
                traded.extend(shelf.owner(&row.token_id));
                whole.trades.push(row);
            }
        }
        whole.trades.sort_unstable();
        if self.config().bad_markets {
            whole.dead_letters.extend(BROKEN.iter().map(|broken| DeadLetterRow::of_gamma(broken.json)));
        }
        whole.markets = shelf.markets(&traded);
        whole
    }
}
