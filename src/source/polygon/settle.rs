//! Doubts about single blocks, and what settles them.
//!
//! | doubt | what settles it |
//! |---|---|
//! | near the head, no logs | receipts; where nobody has them another operator's node that says the same; three answers in a minute where there is none |
//! | as many logs as a cut answer | the contracts one by one; receipts; another node; if no way gives more, it stands |
//! | a match does not add up | what two readings say alike is the truth: another node's, its transaction's receipt's, all receipts' |
//! | impossible places | only another reading, in which they are possible, of as many logs or of receipts |
//!
//! Nodes leave out logs; they do not make them up, since a log counts only under the hash of its block. So a reading that has
//! more is the better one. Receipts, one for each transaction of the block's header, end every doubt.

use std::collections::BTreeSet;
use std::time::Instant;

use alloy_primitives::B256;

use super::Polygon;
use super::block::{Block, Comparison};
use super::caps;
use super::doubt::Doubt;
use super::endpoint::{Call, Endpoint};
use super::failure::Failure;
use super::filter::{self, Blocks};
use super::header::Header;
use super::list::{self, Said};
use super::receipts::{self, Receipts};
use super::tip::read_block;
use crate::model::Exchange;

/// Receipts of so many blocks are asked for at once: those of one take hundreds of kilobytes.
const RECEIPTS_AT_ONCE: usize = 6;

/// A block as it was read, and how far it is settled.
#[derive(Debug)]
pub(super) struct Case {
    /// The best reading so far.
    pub(super) block: Block,
    /// It lies near the head and was said to hold nothing.
    empty: bool,
    /// It may have been cut.
    cut: bool,
    /// Transactions with a match that does not add up.
    unbalanced: BTreeSet<B256>,
    /// Where its logs stand cannot be true …
    misplaced: bool,
    /// The endpoint has left logs out before: nothing is believed of it alone.
    distrusted: bool,
    /// … or hardly.
    renumbered: bool,
    /// There was no answer: `null`. Then another's word is the first, and not the second.
    unanswered: bool,
    /// Another reading had more.
    grown: bool,
    /// Another reading said the same.
    alike: bool,
    settled: bool,
}

/// How a block was read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
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

    fn is_unbalanced(&self) -> bool {
        !self.unbalanced.is_empty()
    }

    /// The transactions that do not add up, where nothing else is doubtful.
    pub(super) fn unbalanced_only(&self) -> Option<&BTreeSet<B256>> {
        (self.is_open() && !self.is_otherwise_doubtful()).then_some(&self.unbalanced)
    }

    fn is_open(&self) -> bool {
        self.is_doubtful() && !self.settled
    }

    /// Takes another reading into account. `first` read the block as it is, `by` has read it again.
    fn weigh(&mut self, reading: Block, way: Way, first: &Endpoint, by: &Endpoint) {
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

impl Polygon {
    /// The blocks that are settled, and the first that is not, with the reason. Everything behind that is left out.
    pub(super) async fn settle(
        &self,
        endpoint: &Endpoint,
        mut cases: Vec<Case>,
    ) -> (Vec<Block>, Option<(u64, Failure)>) {
        self.find_doubts(endpoint, &mut cases);
        if cases.iter().any(Case::is_open) {
            self.ask_contracts(endpoint, &mut cases).await;
            self.ask_nodes(endpoint, &mut cases).await;
            self.ask_transactions(endpoint, &mut cases).await;
            self.ask_receipts(endpoint, endpoint, &mut cases).await;
            for other in self.others(endpoint) {
                self.ask_receipts(endpoint, other, &mut cases).await;
            }
            self.ask_again(endpoint, &mut cases).await;
        }
        let proved = self.prove_empty(endpoint, &mut cases);
        tracing::trace!(endpoint = endpoint.name(), proved, "blocks are empty, as they were called three times");
        let mut blocks = Vec::with_capacity(cases.len());
        for case in cases {
            let number = case.block.header.number;
            match self.conclude(endpoint, case) {
                Ok(block) => blocks.push(block),
                Err(failure) => return (blocks, Some((number, failure))),
            }
        }
        (blocks, None)
    }

    fn find_doubts(&self, endpoint: &Endpoint, cases: &mut [Case]) {
        let imbalances = self.imbalances.lock();
        for case in cases {
            case.unbalanced = imbalances.doubtful(&case.block.sheet);
            case.distrusted = endpoint.is_distrusted();
            let doubts = [
                (case.empty && !case.unanswered, Doubt::Empty),
                (case.is_unbalanced(), Doubt::Imbalance),
                (case.misplaced || case.renumbered, Doubt::Places),
                (case.block.other_time, Doubt::Time),
            ];
            for (_, doubt) in doubts.iter().filter(|(there, _)| *there) {
                endpoint.note(*doubt);
            }
        }
    }

    /// Reads blocks that may have been cut contract by contract.
    async fn ask_contracts(&self, endpoint: &Endpoint, cases: &mut [Case]) {
        for case in cases.iter_mut().filter(|case| case.is_open() && case.cut) {
            let rows = case.block.logs.len() as u64;
            match contracts(endpoint, case.block.header).await {
                Ok((reading, counts)) => {
                    let whole = !counts.iter().any(|count| caps::is_suspect(*count, Some(rows)));
                    case.weigh(reading, Way::Contracts { whole }, endpoint, endpoint);
                }
                Err(failure) => tracing::debug!(endpoint = endpoint.name(), ?failure, "no logs by contract"),
            }
        }
    }

    /// Reads open blocks from nodes of other operators, until they are settled.
    async fn ask_nodes(&self, endpoint: &Endpoint, cases: &mut [Case]) {
        let now = Instant::now();
        for other in self.others(endpoint).filter(|other| other.operator() != endpoint.operator() && other.may_ask(now))
        {
            let open: Vec<Header> = cases.iter().filter(|case| case.is_open()).map(|case| case.block.header).collect();
            if open.is_empty() {
                return;
            }
            let answers = match self.check_chain(other).await {
                Ok(_) => self.logs_of(other, &open).await,
                Err(failure) => Err(failure),
            };
            match answers {
                Ok(answers) => {
                    for (case, json) in cases.iter_mut().filter(|case| case.is_open()).zip(answers) {
                        let reading = json.and_then(|json| read_block(case.block.header, &json));
                        match reading {
                            Ok(reading) => {
                                other.set_heard();
                                case.weigh(reading, Way::Node, endpoint, other);
                            }
                            Err(failure) => tracing::debug!(endpoint = other.name(), ?failure, "no second reading"),
                        }
                    }
                }
                Err(failure) => {
                    other.set_silent(now);
                    self.failed(other, failure);
                }
            }
        }
    }

    /// Reads open blocks out of receipts of `by`.
    async fn ask_receipts(&self, endpoint: &Endpoint, by: &Endpoint, cases: &mut [Case]) {
        let open: Vec<usize> = (0..cases.len()).filter(|at| cases.get(*at).is_some_and(Case::is_open)).collect();
        for some in open.chunks(RECEIPTS_AT_ONCE) {
            if by.lacks_receipts() || !by.may_ask(Instant::now()) {
                return;
            }
            let headers: Vec<Header> = some.iter().filter_map(|at| Some(cases.get(*at)?.block.header)).collect();
            let calls: Vec<Call> = headers.iter().map(|header| receipts::call(header.hash)).collect();
            let answers = match by.each(&calls).await {
                Ok(answers) => answers,
                Err(failure) => {
                    tracing::debug!(endpoint = by.name(), ?failure, "no receipts");
                    return;
                }
            };
            for ((at, header), json) in some.iter().zip(headers).zip(answers) {
                let receipts = json.and_then(|json| Receipts::read(&json, &header).map_err(Failure::Untrusted));
                let reading = match receipts {
                    Ok(Some(receipts)) if receipts.is_whole(&header) => Block::new(header, receipts.logs),
                    Ok(_) => continue,
                    Err(Failure::NoMethod(_)) => {
                        by.set_lacks_receipts();
                        return;
                    }
                    Err(failure) => Err(format!("{failure:?}")),
                };
                match (reading, cases.get_mut(*at)) {
                    (Ok(reading), Some(case)) => case.weigh(reading, Way::Receipts, endpoint, by),
                    (Err(cause), _) => tracing::debug!(endpoint = by.name(), cause, "receipts of no use"),
                    (Ok(_), None) => {}
                }
            }
        }
    }

    /// Where nobody else can say whether a match adds up, the same node is asked once more, contract by contract.
    async fn ask_again(&self, endpoint: &Endpoint, cases: &mut [Case]) {
        if self.may_still_speak(endpoint) {
            return;
        }
        for case in cases.iter_mut().filter(|case| case.is_open() && case.is_unbalanced() && !case.grown) {
            if let Ok((reading, _)) = contracts(endpoint, case.block.header).await {
                case.weigh(reading, Way::Contracts { whole: true }, endpoint, endpoint);
            }
        }
    }

    /// Where neither another operator nor receipts can say, a block is empty that was called so often enough. Returns how
    /// many of them are.
    fn prove_empty(&self, endpoint: &Endpoint, cases: &mut [Case]) -> usize {
        let (now, waits) = (Instant::now(), self.another_operator_may_speak(endpoint));
        // Another operator's word counts where receipts cannot be had of anybody.
        let mut askable = self.endpoints.iter().filter(|it| it.may_ask(now));
        let no_receipts = askable.all(|it| it.lacks_receipts());
        let mut emptiness = self.emptiness.lock();
        let mut proved = 0;
        for case in cases.iter_mut().filter(|case| case.empty && case.block.logs.is_empty()) {
            let hash = case.block.header.hash;
            if case.settled || case.alike && no_receipts {
                case.settled = true;
                emptiness.forget(hash);
            } else if !case.unanswered && emptiness.heard(hash, now, self.config.empty_patience) && !waits {
                case.settled = true;
                proved += 1;
            }
        }
        proved
    }

    /// The block, if it is believed.
    fn conclude(&self, endpoint: &Endpoint, case: Case) -> Result<Block, Failure> {
        let open = case.is_open();
        let number = case.block.header.number;
        let in_doubt = |what: String| Err(Failure::Unconfirmed(what));
        if open && case.misplaced {
            let cause = case.block.misplaced.unwrap_or_default();
            return Err(Failure::Untrusted(cause));
        }
        if open && case.cut && case.grown {
            return in_doubt(format!(
                "the logs of block {number} are cut at {}, and nobody has it whole",
                case.block.logs.len()
            ));
        }
        if open && case.unanswered {
            return Err(Failure::Lagging(number));
        }
        if open && case.empty && case.block.logs.is_empty() {
            return in_doubt(format!("it has no logs in block {number}, and nothing confirms that"));
        }
        if open && case.distrusted && !case.alike && !case.grown {
            return in_doubt(format!("it leaves logs out, and nothing confirms block {number}"));
        }
        let once = !case.grown && !case.alike && (case.is_unbalanced() || case.renumbered);
        if open && once && self.another_operator_may_speak(endpoint) {
            return in_doubt(format!("the logs of block {number} do not add up, and there is no second reading"));
        }
        self.imbalances.lock().passed(&case.block.sheet, case.is_unbalanced() && case.alike);
        Ok(case.block)
    }
}

/// The logs of a block as the contracts one by one have them, and how many each has.
async fn contracts(endpoint: &Endpoint, header: Header) -> Result<(Block, Vec<u64>), Failure> {
    let blocks = if endpoint.lacks_block_hash() {
        Blocks::Range(header.number, header.number)
    } else {
        Blocks::Hash(header.hash)
    };
    let calls = Exchange::ALL.map(|exchange| filter::logs_of_one(blocks, exchange));
    let (mut logs, mut counts) = (Vec::new(), Vec::new());
    for json in endpoint.all(&calls).await? {
        match list::read(&json).map_err(Failure::Untrusted)? {
            Said::Null => return Err(Failure::Lagging(header.number)),
            Said::Logs(more) => {
                counts.push(more.len() as u64);
                logs.extend(more);
            }
        }
    }
    Ok((Block::new(header, logs).map_err(Failure::Untrusted)?, counts))
}
