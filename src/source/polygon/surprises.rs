//! What an exchange emits that is no fill: a new implementation behind a proxy, and events that nobody knows.
//!
//! Fills of a new layout would be missing without a word, as those of the second generation once were. So `Upgraded` is in
//! the filter of every reading, and at the start and once an hour some blocks are read without naming events. What is found
//! is counted and told; it never becomes a dead letter and stops nothing.

use std::{collections::BTreeMap, time::Instant};

use alloy_primitives::{Address, B256};

use super::log::ReadLog;
use crate::model::Exchange;

/// Kinds of unknown events that are told apart; further ones count with the last.
const KINDS: usize = 16;

/// What was found in this run.
#[derive(Debug, Default)]
pub(super) struct Surprises {
    /// By contract and signature.
    unknown: BTreeMap<(Exchange, B256), u64>,
    /// The contract, the block and the new implementation.
    upgrade: Option<(Exchange, u64, Address)>,
    /// When to look again.
    due: Option<Instant>,
}

impl Surprises {
    /// How many events of unknown kinds there were, and of which kind the first is.
    pub(super) fn unknown(&self) -> Option<(u64, String)> {
        let ((exchange, signature), _) = self.unknown.first_key_value()?;
        Some((self.unknown.values().sum(), format!("{signature:#x} of {exchange}")))
    }

    /// The last upgrade, in words.
    pub(super) fn upgrade(&self) -> Option<String> {
        let (exchange, block, implementation) = self.upgrade?;
        Some(format!("{exchange} has a new implementation since block {block}: {implementation:#x}"))
    }

    /// Notes a log that says that a proxy has a new implementation. It may come more than once.
    pub(super) fn note_upgrade(&mut self, log: &ReadLog) {
        let (Some(block), Some(raw)) = (log.block, log.other()) else { return };
        let Some(exchange) = Exchange::at(raw.address) else { return };
        let implementation = raw.topics.get(1).map_or(Address::ZERO, |topic| Address::from_word(*topic));
        let found = Some((exchange, block, implementation));
        if self.upgrade != found {
            self.upgrade = found;
            tracing::warn!(block, "{exchange} has a new implementation, {implementation:#x}: its events may change");
        }
    }

    /// Notes an event of an unknown kind.
    pub(super) fn note_unknown(&mut self, exchange: Exchange, signature: B256, block: u64) {
        let is_new = !self.unknown.contains_key(&(exchange, signature));
        if is_new && self.unknown.len() >= KINDS {
            if let Some(mut last) = self.unknown.last_entry() {
                *last.get_mut() += 1;
            }
            return;
        }
        *self.unknown.entry((exchange, signature)).or_default() += 1;
        if is_new {
            tracing::warn!(block, "{exchange} emits an unknown event, {signature:#x}: fills may be among them");
        }
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_none_or(|due| now >= due)
    }

    /// When to look the next time.
    pub(super) const fn look_at(&mut self, due: Instant) {
        self.due = Some(due);
    }
}
