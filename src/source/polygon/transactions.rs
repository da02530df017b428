//! A match that does not add up is looked for in the receipt of its transaction, before all receipts of its block are asked
//! for: one is some kilobytes, those of a block are hundreds.

use std::{collections::BTreeSet, time::Instant};

use alloy_primitives::B256;
use bytes::Bytes;

use super::{
    block::Block, call::Call, case::Case, endpoint::Endpoint, failure::Failure, failure::Result, log::ReadLog, receipts,
};

/// Where more transactions of a block do not add up, all its receipts cost less.
const MOST: usize = 8;

/// Reads the transactions that do not add up again, of blocks in which nothing else is doubtful.
pub(super) async fn ask(endpoint: &Endpoint, cases: &mut [Case]) {
    if endpoint.cools_for(Instant::now()).is_some() {
        return;
    }
    let few = |case: &Case| case.unbalanced_only().filter(|transactions| transactions.len() <= MOST).cloned();
    let asked: Vec<(&mut Case, BTreeSet<B256>)> =
        cases.iter_mut().filter_map(|case| few(case).map(|transactions| (case, transactions))).collect();
    let transactions = asked.iter().flat_map(|(_, transactions)| transactions);
    let calls: Vec<Call> = transactions.map(|transaction| receipts::call_of_transaction(*transaction)).collect();
    if calls.is_empty() {
        return;
    }
    let mut answers = match endpoint.each(&calls).await {
        Ok(answers) => answers.into_iter(),
        Err(failure) => {
            tracing::debug!(endpoint = endpoint.name(), ?failure, "no receipts of transactions");
            return;
        }
    };
    for (case, transactions) in asked {
        // All of the case's, so that the next one finds its own.
        let said: Vec<_> = answers.by_ref().take(transactions.len()).collect();
        match read(&case.block, &transactions, said) {
            Ok(reading) => case.weigh_transactions(reading, endpoint),
            Err(failure) => {
                let block = case.block.header.number;
                tracing::debug!(endpoint = endpoint.name(), block, ?failure, "receipts of transactions of no use");
            }
        }
    }
}

/// The block with the logs that the receipts of these transactions have.
fn read(block: &Block, transactions: &BTreeSet<B256>, receipts: Vec<Result<Bytes>>) -> Result<Block> {
    let is_other = |log: &&ReadLog| log.transaction.is_none_or(|transaction| !transactions.contains(&transaction));
    let mut logs: Vec<ReadLog> = block.logs.iter().filter(is_other).cloned().collect();
    for (transaction, receipt) in transactions.iter().zip(receipts) {
        let found = receipts::read_one(&receipt?, &block.header, *transaction).map_err(Failure::Untrusted)?;
        logs.extend(found.ok_or(Failure::Lagging(block.header.number))?);
    }
    Block::new(block.header, logs).map_err(Failure::Untrusted)
}
