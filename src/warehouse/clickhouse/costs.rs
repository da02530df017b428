//! What the queries cost that are asked again and again, for who watches.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;

use super::summary::QueryCost;
use crate::warehouse::unresolved::PeriodicCost;

/// The last cost of each. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Costs(Arc<Mutex<BTreeMap<&'static str, QueryCost>>>);

impl Costs {
    pub(super) fn note(&self, query: &'static str, cost: QueryCost) {
        self.0.lock().insert(query, cost);
    }

    pub(super) fn all(&self) -> Vec<PeriodicCost> {
        let costs = self.0.lock();
        costs.iter().map(|(query, cost)| PeriodicCost { query, read_rows: cost.read_rows }).collect()
    }
}
