//! What is known of tokens: a bounded cache over batched questions to the warehouse.
//!
//! A question that the warehouse does not answer soon is dropped: a fill never waits for its market.

use std::{collections::HashSet, sync::Arc, time::Duration};

use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::model::{Fill, Resolution, TokenId};
use crate::{flow::StageId, warehouse::TokenIndex};

/// Tokens that are remembered: about 300 bytes each.
const FOUND: usize = 50_000;

/// Tokens that are remembered to be unknown, or not wholly known.
const MISSING: usize = 50_000;

/// For how long: a new market shall show soon.
const MISSING_FOR: Duration = Duration::from_secs(2);

/// How long the warehouse may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long it is left alone when it did not answer.
const REST: Duration = Duration::from_secs(5);

/// What the resolver has found out about tokens, short of their market. Bounded: what is forgotten is asked for again.
pub(crate) struct PartialResolutions(Cache<TokenId, Arc<Resolution>>);

impl PartialResolutions {
    pub(crate) fn new() -> Self {
        Self(Cache::new(FOUND))
    }

    pub(crate) fn learn(&self, token: TokenId, resolution: Arc<Resolution>) {
        self.0.insert(token, resolution);
    }

    pub(crate) fn get(&self, token: TokenId) -> Option<Arc<Resolution>> {
        self.0.get(&token)
    }
}

pub(crate) struct TokenCache {
    warehouse: Arc<dyn TokenIndex>,
    found: Cache<TokenId, Arc<Resolution>>,
    missing: Cache<TokenId, Instant>,
    /// Their slots, which cost more to find than to remember.
    slots: Cache<TokenId, Option<u8>>,
    resting_until: Option<Instant>,
}

impl TokenCache {
    pub(crate) fn new(warehouse: Arc<dyn TokenIndex>) -> Self {
        Self {
            warehouse,
            found: Cache::new(FOUND),
            missing: Cache::new(MISSING),
            slots: Cache::new(FOUND),
            resting_until: None,
        }
    }

    /// Asks the warehouse about the tokens of fills of which nothing is known.
    pub(crate) async fn look_up(&mut self, fills: impl Iterator<Item = &Fill>) {
        let now = Instant::now();
        if self.resting_until.is_some_and(|until| now < until) {
            return;
        }
        let tokens: HashSet<TokenId> = fills.map(|fill| fill.token_id).collect();
        let unknown: Vec<TokenId> = tokens.into_iter().filter(|token| self.is_open(*token, now)).collect();
        if unknown.is_empty() {
            return;
        }
        match tokio::time::timeout(PATIENCE, self.warehouse.resolutions(&unknown)).await {
            Ok(Ok(mut found)) => {
                for token in unknown {
                    let known = found.remove(&token);
                    if !known.as_ref().is_some_and(|known| known.is_complete(token)) {
                        self.missing.insert(token, now + MISSING_FOR);
                    }
                    if let Some(known) = known {
                        self.found.insert(token, Arc::new(known));
                    }
                }
            }
            Ok(Err(error)) => self.rest(now, &error.to_string()),
            Err(_) => self.rest(now, "no answer"),
        }
    }

    /// Whether it is time to ask about a token of which not all is known.
    fn is_open(&self, token: TokenId, now: Instant) -> bool {
        let known = self.found.peek(&token);
        !known.as_deref().unwrap_or(&Resolution::Unknown).is_complete(token)
            && self.missing.get(&token).is_none_or(|until| until <= now)
    }

    fn rest(&mut self, now: Instant, cause: &str) {
        tracing::warn!(
            stage = StageId::ProcessTrades.as_str(),
            "markets cannot be looked up, fills continue without them: {cause}"
        );
        self.resting_until = Some(now + REST);
    }

    /// Which outcome a fill's token is, where what is known of it proves that.
    pub(crate) fn outcome_slot(&self, fill: &Fill, known: &Resolution) -> Option<u8> {
        if fill.outcome_slot.is_some() || known.condition_id().is_empty() {
            return fill.outcome_slot;
        }
        self.slots.get(&fill.token_id).unwrap_or_else(|| {
            let slot = known.outcome_slot(fill.token_id);
            self.slots.insert(fill.token_id, slot);
            slot
        })
    }

    /// What is known of a fill's token: its market, or else what the id tells by itself or the resolver has found out.
    pub(crate) fn resolution(&self, fill: &Fill, partial: &PartialResolutions) -> Resolution {
        let found_out = || partial.get(fill.token_id).map_or(Resolution::Unknown, |known| known.as_ref().clone());
        if let Some(market) = self.found.get(&fill.token_id) {
            let market = market.as_ref().clone();
            return if market.is_complete(fill.token_id) { market } else { market.named_by(&found_out()) };
        }
        match Resolution::of_fill(fill) {
            Resolution::Unknown => found_out(),
            known => known,
        }
    }
}
