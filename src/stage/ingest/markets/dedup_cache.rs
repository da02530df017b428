//! Which markets need to be written, and which are there as they are.
//!
//! A market is written again when something lasting has changed, and at most hourly for its volume. What is there is
//! asked of the warehouse, page by page, and remembered in a bounded cache.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::model::{DeadLetter, Market};
use crate::streams::StageError;
use crate::warehouse::{Tables, WrittenMarket};

/// Markets that are remembered: about 100 bytes each.
const MARKETS: usize = 100_000;

/// Refused markets that are remembered.
const LETTERS: usize = 10_000;

/// How often a market is written for its volume alone, in seconds.
const VOLUME_EVERY: u64 = 3_600;

pub(crate) struct DedupCache {
    warehouse: Arc<dyn Tables>,
    markets: Cache<String, WrittenMarket>,
    letters: Cache<String, u64>,
}

/// What to remember once an entry is in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fingerprint {
    Market(String, WrittenMarket),
    Letter(String, u64),
}

/// Something of a page that is to be written.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) item: Result<Market, DeadLetter>,
    pub(crate) fingerprint: Fingerprint,
}

impl DedupCache {
    pub(crate) fn new(warehouse: Arc<dyn Tables>) -> Self {
        Self { warehouse, markets: Cache::new(MARKETS), letters: Cache::new(LETTERS) }
    }

    /// What of a page is new or has changed.
    pub(crate) async fn changes(&self, page: &[Result<Market, DeadLetter>]) -> Result<Vec<Change>, StageError> {
        let ids = page.iter().flatten().map(|market| &market.id);
        let unknown: Vec<String> = ids.filter(|id| self.markets.peek(*id).is_none()).cloned().collect();
        if !unknown.is_empty() {
            for (id, written) in self.warehouse.written_markets(&unknown).await? {
                self.markets.insert(id, written);
            }
        }
        Ok(page.iter().filter_map(|item| self.change(item)).collect())
    }

    /// What of one is new or has changed.
    fn change(&self, item: &Result<Market, DeadLetter>) -> Option<Change> {
        let item = match item {
            Ok(market) => Ok(self.after_written(market)),
            Err(letter) => Err(letter.clone()),
        };
        let fingerprint = fingerprint(&item);
        let is_due = match (&fingerprint, &item) {
            (Fingerprint::Market(id, now), Ok(market)) => {
                self.markets.get(id).is_none_or(|written| is_due(*now, written, market.closed))
            }
            (Fingerprint::Letter(position, hash), _) => self.letters.get(position) != Some(*hash),
            (Fingerprint::Market(..), Err(_)) => false,
        };
        is_due.then_some(Change { item, fingerprint })
    }

    /// The same market, as a description that comes behind the one that is there also where it does not say when it was
    /// changed.
    fn after_written(&self, market: &Market) -> Market {
        let mut market = market.clone();
        if Market::updated_at(market.version) == 0
            && let Some(written) = self.markets.get(&market.id)
        {
            market.version = Market::version_behind(written.version, market.version);
        }
        market
    }

    /// An entry is in the stream.
    pub(crate) fn remember(&self, fingerprint: Fingerprint) {
        match fingerprint {
            Fingerprint::Market(id, written) => self.markets.insert(id, written),
            Fingerprint::Letter(position, hash) => self.letters.insert(position, hash),
        }
    }
}

fn fingerprint(item: &Result<Market, DeadLetter>) -> Fingerprint {
    match item {
        Ok(market) => {
            let written = WrittenMarket { lasting_hash: market.lasting_hash(), version: market.version };
            Fingerprint::Market(market.id.clone(), written)
        }
        Err(letter) => {
            let mut hasher = DefaultHasher::new();
            (&letter.reason, &letter.raw).hash(&mut hasher);
            Fingerprint::Letter(letter.position.clone(), hasher.finish())
        }
    }
}

/// Whether what the source says now is worth a row, where that is there already. Of a closed market every change is: it has
/// few more, and nobody comes back for the last.
const fn is_due(now: WrittenMarket, written: WrittenMarket, closed: bool) -> bool {
    if now.version < written.version {
        return false;
    }
    let old = Market::asked_at(now.version) >= Market::asked_at(written.version) + VOLUME_EVERY;
    let touched = Market::updated_at(now.version) > Market::updated_at(written.version);
    // A source that does not say when it changed a market may have changed its volume.
    let untimed = Market::updated_at(now.version) == 0;
    now.lasting_hash != written.lasting_hash || (touched && (old || closed)) || (untimed && old)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_is_due_when_it_changed_or_now_and_then_for_its_volume() {
        let at = |lasting_hash, updated, asked| WrittenMarket {
            lasting_hash,
            version: Market::version_of(Some(updated), asked),
        };
        let written = at(1, 100, 10_000);
        assert!(!is_due(at(1, 200, 13_599), written, false), "only the volume, and lately");
        assert!(is_due(at(1, 200, 13_600), written, false), "only the volume, an hour ago");
        assert!(!is_due(at(1, 100, 99_999), written, false), "nothing at all");
        assert!(is_due(at(2, 100, 10_001), written, false), "something lasting");
        assert!(!is_due(at(2, 99, 99_999), written, false), "an older description");
        assert!(is_due(at(1, 0, 13_600), at(1, 0, 10_000), false), "it does not say when it was changed");
        assert!(is_due(at(1, 101, 10_001), written, true), "it is closed, and this may be the last change");
        assert!(!is_due(at(1, 100, 10_001), written, true));
    }
}
