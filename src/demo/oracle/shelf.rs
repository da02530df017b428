//! All markets that can be found at a block, and what they tell of tokens.

use std::collections::{HashMap, HashSet};

use crate::demo::gamma::{self, Reach};
use crate::demo::market_row::MarketRow;
use crate::demo::markets::market::MarketRef;
use crate::demo::markets::roles::{self, Role};
use crate::demo::trade_row::TradeRow;
use crate::demo::world::World;

/// What a row of `trades` says of its token's market.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    condition_id: String,
    outcome: String,
    market_id: String,
    nonusdc_side: String,
    version: i64,
    outcome_slot: Option<i64>,
}

impl Told {
    pub(super) fn put_into(&self, row: &mut TradeRow) {
        row.condition_id.clone_from(&self.condition_id);
        row.outcome.clone_from(&self.outcome);
        row.market_id.clone_from(&self.market_id);
        row.nonusdc_side.clone_from(&self.nonusdc_side);
        row.version = self.version;
        row.outcome_slot = self.outcome_slot;
    }
}

/// All markets that can be found at a block, as rows.
pub(super) struct Shelf {
    now: u64,
    rows: Vec<(Reach, MarketRow)>,
    /// For every token the row that tells of it.
    tokens: HashMap<String, usize>,
}

impl Shelf {
    pub(super) fn new(world: &World, now: u64) -> Self {
        let (gamma, wallets) = (world.gamma(), world.wallets());
        let offset = gamma.calendar.offset(now);
        let mut profiles = gamma.shown(wallets, now);
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
    pub(super) fn owner(&self, token: &str) -> Option<usize> {
        self.tokens.get(token).copied()
    }

    /// What is told of the token of a row, which says already what its id tells.
    pub(super) fn told(&self, world: &World, row: &TradeRow, (market, outcome): (MarketRef, usize)) -> Told {
        let outcome_slot = Some(outcome as i64);
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
                outcome_slot,
            };
        }
        if row.version > 0 {
            let (condition_id, outcome) = (row.condition_id.clone(), row.outcome.clone());
            return Told { condition_id, outcome, version: 1, outcome_slot, ..Told::default() };
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
                let life = world.wallets().series.life(number);
                let known = life.named..life.archived;
                known.contains(&world.gamma().calendar.offset(self.now)).then_some(())?;
            }
        }
        let market = world.wallets().market(market);
        let (condition_id, slot) = (market.condition.clone(), Some(outcome as i64));
        let outcome = market.labels[outcome].clone();
        Some(Told { condition_id, outcome, version: 1, outcome_slot: slot, ..Told::default() })
    }

    /// The rows of `markets`, where these have been looked up by their tokens.
    pub(super) fn markets(self, looked_up: &HashSet<usize>) -> Vec<MarketRow> {
        let rows = self.rows.into_iter().enumerate();
        let read = rows.filter(|(place, (reach, _))| *reach == Reach::Listed || looked_up.contains(place));
        read.map(|(_, (_, row))| row).collect()
    }
}
