//! What the requests of a server share.

use std::{collections::BTreeMap, sync::atomic::AtomicU64};

use parking_lot::{Mutex, RwLock};

use crate::demo::{chain::ledger::Ledger, faults::FaultSwitches, faults::asked::Asked, server::clock::Clock};

/// What the requests share.
#[derive(Debug)]
pub(in crate::demo) struct Served {
    /// Where it listens; the first is the main one.
    pub(in crate::demo) urls: Vec<String>,
    pub(in crate::demo) ledger: Ledger,
    pub(in crate::demo) clock: RwLock<Clock>,
    pub(in crate::demo) faults: FaultSwitches,
    pub(in crate::demo) requests: AtomicU64,
    pub(in crate::demo) gamma_requests: AtomicU64,
    pub(in crate::demo) goldsky_requests: AtomicU64,
    pub(in crate::demo) faulted: AtomicU64,
    pub(in crate::demo) refused_ranges: AtomicU64,
    pub(in crate::demo) traffic: Traffic,
}

/// What the nodes of the chain were asked, by their number. A request that met a fault of the wire is not counted.
#[derive(Debug, Default)]
pub(in crate::demo) struct Traffic(Mutex<BTreeMap<usize, (u64, u64)>>);

impl Traffic {
    /// Requests and calls of a node.
    pub(in crate::demo) fn of(&self, node: usize) -> (u64, u64) {
        self.0.lock().get(&node).copied().unwrap_or_default()
    }

    pub(in crate::demo) fn note(&self, asked: Asked, calls: usize) {
        let Asked::Rpc { node } = asked else { return };
        let mut traffic = self.0.lock();
        let (posts, all) = traffic.entry(node.unwrap_or(0)).or_default();
        *posts += 1;
        *all += calls as u64;
    }
}

impl Served {
    pub(in crate::demo) fn url(&self) -> &str {
        self.urls.first().map_or("", String::as_str)
    }

    pub(in crate::demo) fn head(&self) -> u64 {
        let clock = *self.clock.read();
        clock.head(&self.ledger.world)
    }
}
