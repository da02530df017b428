//! A block in doubt: what is doubtful about it, and what another reading of it is worth.
//!
//! Nodes leave out logs; they do not make them up, since a log counts only under the hash of its block. So a reading that has
//! more is the better one. Receipts, one for each transaction of the block's header, end every doubt.

use std::collections::BTreeSet;

use alloy_primitives::B256;

use super::block::{Block, Comparison};
use super::{caps, doubt::Doubt, endpoint::Endpoint};

/// A block as it was read, and how far it is settled.
#[derive(Debug)]
pub(super) struct Case {
    /// The best reading so far.
    pub(super) block: Block,
    /// It lies near the head and was said to hold nothing.
    pub(super) empty: bool,
    /// It may have been cut.
    pub(super) cut: bool,
    /// Transactions with a match that does not add up.
    pub(super) unbalanced: BTreeSet<B256>,
    /// Where its logs stand cannot be true …
    pub(super) misplaced: bool,
    /// The endpoint has left logs out before: nothing is believed of it alone.
    pub(super) distrusted: bool,
    /// … or hardly.
    pub(super) renumbered: bool,
    /// There was no answer: `null`. Then another's word is the first, and not the second.
    pub(super) unanswered: bool,
    /// Another reading had more.
    pub(super) grown: bool,
    /// Another reading said the same.
    pub(super) alike: bool,
    /// Another operator's node said the same or more.
    pub(super) seconded: bool,
    pub(super) settled: bool,
}

/// How a block was read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From another operator's node.
    Node,
    /// Contract by contract; whether none of the answers may have been cut.
    Contracts { whole: bool },
    /// Out of receipts, of all transactions.
    Receipts,
}

impl Case {
    pub(super) const fn new(block: Block, empty: bool, cut: bool) -> Self {
        let misplaced = block.misplaced.is_some();
        let renumbered = block.begins_anew;
        Self {
            block,
            empty,
            cut,
            unbalanced: BTreeSet::new(),
            misplaced,
            distrusted: false,
            renumbered,
            unanswered: false,
            grown: false,
            alike: false,
            seconded: false,
            settled: false,
        }
    }

    /// A block of which an endpoint said nothing.
    pub(super) fn unanswered(block: Block) -> Self {
        Self { unanswered: true, ..Self::new(block, true, false) }
    }

    fn is_doubtful(&self) -> bool {
        self.is_unbalanced() || self.is_otherwise_doubtful()
    }

    const fn is_otherwise_doubtful(&self) -> bool {
        self.empty || self.cut || self.misplaced || self.renumbered || self.distrusted
    }

    pub(super) fn is_unbalanced(&self) -> bool {
        !self.unbalanced.is_empty()
    }

    /// The transactions that do not add up, where nothing else is doubtful.
    pub(super) fn unbalanced_only(&self) -> Option<&BTreeSet<B256>> {
        (self.is_open() && !self.is_otherwise_doubtful()).then_some(&self.unbalanced)
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_doubtful() && !self.settled
    }

    /// Takes another reading into account. `first` read the block as it is, `by` has read it again.
    pub(super) fn weigh(&mut self, reading: Block, way: Way, first: &Endpoint, by: &Endpoint) {
        if reading.misplaced.is_some() {
            by.note(Doubt::Places);
            return;
        }
        let rows = reading.logs.len() as u64;
        let uncut = match way {
            Way::Receipts => true,
            Way::Contracts { whole } => whole,
            Way::Node => !caps::is_suspect(rows, None),
        };
        if self.misplaced {
            // One with fewer logs may have left some out, or lack the block.
            if way == Way::Receipts || reading.logs.len() >= self.block.logs.len() {
                (self.block, self.misplaced, self.settled) = (reading, false, true);
            }
            return;
        }
        let comparison = self.block.compare(&reading);
        // Not where it may have lacked the block, or cut its answer: that leaves out what comes last, and is another rule.
        let is_partial = !self.block.logs.is_empty() && !self.cut;
        if way == Way::Receipts {
            if comparison != Comparison::Same {
                first.note(if self.renumbered { Doubt::Places } else { Doubt::Missing });
                if is_partial && comparison == Comparison::Less {
                    first.set_caught();
                }
                self.block = reading;
            }
            self.alike = comparison == Comparison::Same;
            self.settled = true;
            return;
        }
        // What an endpoint says twice confirms nothing of one that leaves logs out.
        self.seconded |= way == Way::Node && comparison != Comparison::More;
        match comparison {
            Comparison::Same => {
                self.alike = !self.unanswered;
                // Two balancers may lack a block alike: receipts are asked, too.
                self.settled = self.alike && (!self.cut || uncut) && !self.empty;
                self.unanswered = false;
            }
            Comparison::Differs if self.renumbered && !reading.begins_anew => {
                first.note(Doubt::Places);
                self.renumbered = false;
                self.grow(reading, uncut);
            }
            Comparison::Differs if reading.begins_anew && !self.renumbered => by.note(Doubt::Places),
            Comparison::More => by.note(Doubt::Missing),
            Comparison::Less => {
                if !self.unanswered {
                    first.note(Doubt::Missing);
                }
                if is_partial {
                    first.set_caught();
                }
                self.unanswered = false;
                self.grow(reading, uncut);
            }
            // Each left something out. What they contradict each other in, receipts must decide.
            Comparison::Differs => {
                if let Some(both) = self.block.merge(&reading) {
                    first.note(Doubt::Missing);
                    by.note(Doubt::Missing);
                    self.grow(both, uncut);
                }
            }
        }
    }

    /// Takes into account what the receipts of its unbalanced transactions say.
    pub(super) fn weigh_transactions(&mut self, reading: Block, first: &Endpoint) {
        match self.block.compare(&reading) {
            _ if reading.misplaced.is_some() => {}
            Comparison::Same => (self.alike, self.settled) = (true, true),
            // It left logs out here, and perhaps elsewhere in the block, too: all receipts are asked for.
            Comparison::Less => {
                first.note(Doubt::Missing);
                first.set_caught();
                (self.block, self.grown) = (reading, true);
            }
            Comparison::More | Comparison::Differs => {}
        }
    }

    /// A reading with more is the better one; where it also adds up, nothing is left to doubt.
    fn grow(&mut self, reading: Block, uncut: bool) {
        self.block = reading;
        self.grown = true;
        self.alike = false;
        self.settled = self.block.sheet.imbalances.is_empty() && uncut;
    }
}
