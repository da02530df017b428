//! Doubts about single blocks, and what settles them.
//!
//! | doubt | what settles it |
//! |---|---|
//! | near the head, no logs | receipts; where nobody has them another operator's node that says the same; three answers in a minute where there is none |
//! | as many logs as a cut answer | the contracts one by one; receipts; another node; if no way gives more, it stands |
//! | a match does not add up | what two readings say alike is the truth: another node's, its transaction's receipt's, all receipts' |
//! | impossible places | only another reading, in which they are possible, of as many logs or of receipts |

use std::time::Instant;

use super::case::{Case, Way};
use super::filter::{self, Blocks};
use super::list::{self, Said};
use super::receipts::{self, Receipts};
use super::single::{logs_of, read_block};
use super::{
    block::Block, call::Call, caps, doubt::Doubt, endpoint::Endpoint, failure::Failure, failure::Result,
    header::Header, nodes::Polygon, reading::Read, transactions,
};
use crate::model::Exchange;

/// Receipts of so many blocks are asked for at once: those of one take hundreds of kilobytes.
const RECEIPTS_AT_ONCE: usize = 6;

impl Polygon {
    /// What is settled of some readings, which cover all blocks from `from` to `to`.
    pub(super) async fn settled(&self, endpoint: &Endpoint, from: u64, to: u64, cases: Vec<Case>) -> Result<Read> {
        let (blocks, stopped) = self.settle(endpoint, cases).await;
        let to = match stopped {
            Some((block, failure)) if block <= from => return Err(failure),
            Some((block, failure)) => {
                tracing::debug!(endpoint = endpoint.name(), block, ?failure, "a block is in doubt: reading up to it");
                block - 1
            }
            None => to,
        };
        let blocks = blocks.into_iter().filter(|block| !block.logs.is_empty()).collect();
        Ok(Read { to, blocks, unplaced: Vec::new(), empty_behind: false })
    }

    /// The blocks that are settled, and the first that is not, with the reason. Everything behind that is left out.
    async fn settle(&self, endpoint: &Endpoint, mut cases: Vec<Case>) -> (Vec<Block>, Option<(u64, Failure)>) {
        self.find_doubts(endpoint, &mut cases);
        if cases.iter().any(Case::is_open) {
            self.ask_contracts(endpoint, &mut cases).await;
            self.ask_nodes(endpoint, &mut cases).await;
            transactions::ask(endpoint, &mut cases).await;
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
                Ok(_) => logs_of(other, &open).await,
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
        if by.lacks_receipts() || !cases.iter().any(Case::is_open) {
            return;
        }
        match self.weigh_receipts(endpoint, by, cases).await {
            Ok(()) => by.set_receipts_answered(),
            Err(failure) => {
                tracing::debug!(endpoint = by.name(), ?failure, "no receipts");
                by.set_receipts_unanswered(Instant::now());
            }
        }
    }

    /// An error where a request for receipts, or one of its calls, was not answered.
    async fn weigh_receipts(&self, endpoint: &Endpoint, by: &Endpoint, cases: &mut [Case]) -> Result<()> {
        let mut unanswered = Ok(());
        let open: Vec<usize> = (0..cases.len()).filter(|at| cases.get(*at).is_some_and(Case::is_open)).collect();
        for some in open.chunks(RECEIPTS_AT_ONCE) {
            // Whoever was asked for the logs just now may be asked about them, too.
            let now = Instant::now();
            let is_free = by.may_ask(now) || std::ptr::eq(by, endpoint) && by.cools_for(now).is_none();
            if !is_free {
                return Err(Failure::Unconfirmed("it is left alone".to_owned()));
            }
            let headers: Vec<Header> = some.iter().filter_map(|at| Some(cases.get(*at)?.block.header)).collect();
            let calls: Vec<Call> = headers.iter().map(|header| receipts::call(header.hash)).collect();
            let answers = by.each(&calls).await?;
            for ((at, header), json) in some.iter().zip(headers).zip(answers) {
                let json = match json {
                    Ok(json) => json,
                    Err(Failure::NoMethod(_)) => {
                        by.set_lacks_receipts();
                        return Ok(());
                    }
                    Err(failure) => {
                        unanswered = Err(failure);
                        continue;
                    }
                };
                let reading = match Receipts::read(&json, &header) {
                    Ok(Some(receipts)) if receipts.is_whole(&header) => Block::new(header, receipts.logs),
                    Ok(_) => continue,
                    Err(cause) => Err(cause),
                };
                match (reading, cases.get_mut(*at)) {
                    (Ok(reading), Some(case)) => case.weigh(reading, Way::Receipts, endpoint, by),
                    (Err(cause), _) => tracing::debug!(endpoint = by.name(), cause, "receipts of no use"),
                    (Ok(_), None) => {}
                }
            }
        }
        unanswered
    }

    /// Whether somebody's receipts were lately asked for and did not come, but may still come.
    fn receipts_may_come(&self, now: Instant) -> bool {
        self.endpoints.iter().any(|it| it.receipts_may_come(now, self.config.empty_patience))
    }

    /// Where nobody else can say whether a match adds up, the same node is asked once more, contract by contract.
    async fn ask_again(&self, endpoint: &Endpoint, cases: &mut [Case]) {
        if self.may_still_speak(endpoint) || self.receipts_may_come(Instant::now()) {
            return;
        }
        let asked = |case: &&mut Case| case.is_open() && case.is_unbalanced() && !case.grown && !case.distrusted;
        for case in cases.iter_mut().filter(asked) {
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
    fn conclude(&self, endpoint: &Endpoint, case: Case) -> Result<Block> {
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
        if open && case.distrusted && !case.seconded {
            return in_doubt(format!("it omits logs, and nothing confirms block {number}"));
        }
        let once = !case.grown && !case.alike && (case.is_unbalanced() || case.renumbered);
        if open && once && (self.another_operator_may_speak(endpoint) || self.receipts_may_come(Instant::now())) {
            return in_doubt(format!("the logs of block {number} do not add up, and there is no second reading"));
        }
        self.imbalances.lock().passed(&case.block.sheet, case.is_unbalanced() && case.alike);
        Ok(case.block)
    }
}

/// The logs of a block as the contracts one by one have them, and how many each has.
async fn contracts(endpoint: &Endpoint, header: Header) -> Result<(Block, Vec<u64>)> {
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
