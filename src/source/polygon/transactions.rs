//! A match that does not add up is looked for in the receipt of its transaction, before all receipts of its block are asked
//! for: one is some kilobytes, those of a block are hundreds.

use std::collections::BTreeMap;
use std::time::Instant;

use alloy_primitives::B256;

use super::Polygon;
use super::block::Block;
use super::endpoint::{Call, Endpoint};
use super::failure::Failure;
use super::log::ReadLog;
use super::receipts;
use super::settle::Case;

/// Where more transactions of a block do not add up, all its receipts cost less.
const MOST: usize = 8;

impl Polygon {
    /// Reads the transactions that do not add up again, of blocks in which nothing else is doubtful.
    pub(super) async fn ask_transactions(&self, endpoint: &Endpoint, cases: &mut [Case]) {
        if !endpoint.may_ask(Instant::now()) {
            return;
        }
        let mut asked = Vec::new();
        for (at, case) in cases.iter().enumerate() {
            if let Some(transactions) = case.unbalanced_only().filter(|transactions| transactions.len() <= MOST) {
                asked.extend(transactions.iter().map(|transaction| (at, *transaction)));
            }
        }
        if asked.is_empty() {
            return;
        }
        let calls: Vec<Call> =
            asked.iter().map(|(_, transaction)| receipts::call_of_transaction(*transaction)).collect();
        let answers = match endpoint.each(&calls).await {
            Ok(answers) => answers,
            Err(failure) => {
                tracing::debug!(endpoint = endpoint.name(), ?failure, "no receipts of transactions");
                return;
            }
        };
        // By block: the logs of each transaction, or nothing where one is missing.
        let mut found: BTreeMap<usize, Option<BTreeMap<B256, Vec<ReadLog>>>> = BTreeMap::new();
        for ((at, transaction), json) in asked.into_iter().zip(answers) {
            let Some(case) = cases.get(at) else { continue };
            let logs = json.and_then(|json| {
                receipts::read_one(&json, &case.block.header, transaction).map_err(Failure::Untrusted)
            });
            let of_block = found.entry(at).or_insert_with(|| Some(BTreeMap::new()));
            match (logs, of_block.as_mut()) {
                (Ok(Some(logs)), Some(all)) => _ = all.insert(transaction, logs),
                (Ok(Some(_)), None) => {}
                (missing, _) => {
                    tracing::debug!(endpoint = endpoint.name(), %transaction, ?missing, "no receipt of use");
                    *of_block = None;
                }
            }
        }
        for (at, transactions) in found {
            if let (Some(case), Some(transactions)) = (cases.get_mut(at), transactions)
                && let Some(reading) = replaced(&case.block, transactions)
            {
                case.weigh_transactions(reading, endpoint);
            }
        }
    }
}

/// The block with these logs of these transactions.
fn replaced(block: &Block, transactions: BTreeMap<B256, Vec<ReadLog>>) -> Option<Block> {
    let is_other = |log: &&ReadLog| log.transaction.is_none_or(|transaction| !transactions.contains_key(&transaction));
    let mut logs: Vec<ReadLog> = block.logs.iter().filter(is_other).cloned().collect();
    logs.extend(transactions.into_values().flatten());
    Block::new(block.header, logs).ok()
}
