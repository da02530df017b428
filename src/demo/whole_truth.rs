//! What the tables must hold when everybody has been asked: trades with their markets, markets, dead letters of both
//! sources.
//!
//! Describes a client that has read all listings, open and closed, at a block, and has looked up every token of its
//! fills. Markets of the series that have been archived by then are gone from every answer: a client that read them in
//! time has more than this.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use serde::Serialize;

use super::gamma::{self, BROKEN, Reach};
use super::market::MarketRef;
use super::market_row::MarketRow;
use super::roles::{self, Role};
use super::trade_row::TradeRow;
use super::truth::{self, DeadLetterRow};
use super::world::World;

/// All that a range of blocks must leave behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WholeTruth {
    /// The rows of `trades`, sorted.
    pub trades: Vec<TradeRow>,
    /// The rows of `dead_letters`: those of the chain in its order, then those of Gamma.
    pub dead_letters: Vec<DeadLetterRow>,
    /// The rows of `markets`, in the order of their ids as numbers.
    pub markets: Vec<MarketRow>,
}

/// What a row of `trades` says of its token's market.
#[derive(Clone, Debug, Default)]
struct Told {
    condition_id: String,
    outcome: String,
    market_id: String,
    nonusdc_side: String,
    version: i64,
}

impl World {
    /// What these blocks must leave in the tables when Gamma and the Data API have been asked at the block `now`.
    pub fn whole_truth(&self, blocks: RangeInclusive<u64>, now: u64) -> WholeTruth {
        let shelf = Shelf::new(self, now);
        let mut told: HashMap<(MarketRef, usize), Told> = HashMap::new();
        let mut whole = WholeTruth::default();
        let mut traded = HashSet::new();
        for number in self.eventful(blocks) {
            let block = self.block(number);
            for event in &block.events {
                let intent = &event.intent;
                if intent.defect.is_some() {
                    whole.dead_letters.push(truth::dead_letter(self.cast(), &block, event));
                    continue;
                }
                let token = (intent.market, intent.outcome);
                let mut row = truth::trade(self.cast(), &block, event);
                let told = told.entry(token).or_insert_with(|| shelf.told(self, &row, token));
                told.clone_into_row(&mut row);
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

impl Told {
    fn clone_into_row(&self, row: &mut TradeRow) {
        row.condition_id.clone_from(&self.condition_id);
        row.outcome.clone_from(&self.outcome);
        row.market_id.clone_from(&self.market_id);
        row.nonusdc_side.clone_from(&self.nonusdc_side);
        row.version = self.version;
    }
}

/// All markets that can be found at a block, as rows.
struct Shelf {
    now: u64,
    rows: Vec<(Reach, MarketRow)>,
    /// For every token the row that tells of it.
    tokens: HashMap<String, usize>,
}

impl Shelf {
    fn new(world: &World, now: u64) -> Self {
        let (gamma, cast) = (world.gamma(), world.cast());
        let offset = gamma.calendar.offset(now);
        let mut profiles = gamma.shown(cast, now);
        // Of two markets that list a token the one with the smaller id tells.
        profiles.sort_by_key(|profile| profile.id);
        let rows: Vec<_> =
            profiles.iter().map(|profile| (profile.reach, gamma::row(profile, &gamma.calendar, offset))).collect();
        let mut tokens = HashMap::new();
        for (place, (_, row)) in rows.iter().enumerate() {
            for token in row.token_ids.iter().chain(&row.position_ids) {
                tokens.entry(token.clone()).or_insert(place);
            }
        }
        Self { now, rows, tokens }
    }

    /// The market that tells of a token, by its place.
    fn owner(&self, token: &str) -> Option<usize> {
        self.tokens.get(token).copied()
    }

    /// What is told of the token of a row, which says already what its id tells.
    fn told(&self, world: &World, row: &TradeRow, (market, outcome): (MarketRef, usize)) -> Told {
        if let Some(owner) = self.owner(&row.token_id) {
            let owner = &self.rows[owner].1;
            let place = |list: &[String]| list.iter().position(|listed| *listed == row.token_id);
            let place = place(&owner.token_ids).or_else(|| place(&owner.position_ids)).unwrap_or_default();
            // A market that does not name its outcomes is known all the same, and perhaps the Data API names them.
            let named = || self.told_by_data_api(world, market, outcome).map(|told| told.outcome);
            let outcome = owner.outcomes.get(place).cloned().or_else(named).unwrap_or_default();
            return Told {
                // A position names its condition, whatever the market says.
                condition_id: if row.version > 0 { row.condition_id.clone() } else { owner.condition_id.clone() },
                version: if outcome.is_empty() { 2 } else { 3 },
                outcome,
                market_id: owner.id.clone(),
                nonusdc_side: format!("token{}", place + 1),
            };
        }
        if row.version > 0 {
            let (condition_id, outcome) = (row.condition_id.clone(), row.outcome.clone());
            return Told { condition_id, outcome, version: 1, ..Told::default() };
        }
        self.told_by_data_api(world, market, outcome).unwrap_or_default()
    }

    /// What the Data API tells of a token whose id tells nothing.
    fn told_by_data_api(&self, world: &World, market: MarketRef, outcome: usize) -> Option<Told> {
        match market {
            MarketRef::Fixed(number) => match roles::of(number) {
                // What it says of one of these is a lie, and is refused.
                Role::NeverKnown { .. } => return None,
                // A condition without the outcome's name completes nothing either.
                Role::DataApiOnly { named: false } | Role::OutcomesNull | Role::OutcomesLate => return None,
                _ => {}
            },
            MarketRef::Series(number) => {
                let life = world.cast().series.life(number);
                let known = life.named..life.archived;
                known.contains(&world.gamma().calendar.offset(self.now)).then_some(())?;
            }
        }
        let market = world.cast().market(market);
        let outcome = market.labels[outcome].clone();
        Some(Told { condition_id: market.condition.clone(), outcome, version: 1, ..Told::default() })
    }

    /// The rows of `markets`, where these have been looked up by their tokens.
    fn markets(self, looked_up: &HashSet<usize>) -> Vec<MarketRow> {
        let rows = self.rows.into_iter().enumerate();
        let read = rows.filter(|(place, (reach, _))| *reach == Reach::Listed || looked_up.contains(place));
        read.map(|(_, (_, row))| row).collect()
    }
}
