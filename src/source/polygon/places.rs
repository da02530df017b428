//! **Places**: where logs stand in their block.
//!
//! Sorted and without exact repeats, `(block, transactionIndex, logIndex)` rises strictly, and `logIndex` rises with
//! `transactionIndex`: the index counts the logs of the block, not those of a transaction (erigon once numbered them from
//! 0 in each). A log that does not say its transaction's place is exempt. One transaction that is renumbered where it collides
//! with nothing shows only beside another node's answer.

use super::log::ReadLog;

/// Checks the logs of one block, sorted by index, without repeats. An error says what cannot be.
pub(super) fn check(logs: &[ReadLog]) -> Result<(), String> {
    let mut before: Option<(u32, u64)> = None;
    for log in logs {
        let (Some(index), Some(transaction)) = (log.index, log.transaction_index) else { continue };
        if let Some((last_index, last_transaction)) = before {
            let block = log.block.unwrap_or_default();
            if index == last_index {
                return Err(format!("two logs at {block}:{index}"));
            }
            if transaction < last_transaction {
                return Err(format!(
                    "log {index} of block {block} is of transaction {transaction}, log {last_index} before it of \
                     transaction {last_transaction}"
                ));
            }
        }
        before = Some((index, transaction));
    }
    Ok(())
}

/// Whether a transaction behind others begins at 0, which is a reason to look twice: nearly always those before it have logs.
pub(super) fn begin_anew(logs: &[ReadLog]) -> bool {
    logs.iter().any(|log| log.index == Some(0) && log.transaction_index.is_some_and(|transaction| transaction > 0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn log(index: u32, transaction: Option<u64>) -> ReadLog {
        let mut log = json!({"blockNumber": "0x7", "logIndex": format!("{index:#x}")});
        if let Some(transaction) = transaction {
            log["transactionIndex"] = json!(format!("{transaction:#x}"));
        }
        ReadLog::of(&log.to_string())
    }

    #[test]
    fn indexes_rise_with_transactions() {
        let good = [(3, Some(0)), (4, Some(0)), (9, Some(2)), (10, None), (11, Some(2)), (12, Some(7))];
        assert_eq!(check(&good.map(|(index, transaction)| log(index, transaction))), Ok(()));
        // Transaction 2 begins at 0 again.
        let again = [log(0, Some(2)), log(3, Some(0)), log(4, Some(0))];
        assert!(check(&again).unwrap_err().contains("log 3 of block 7 is of transaction 0"));
        assert_eq!(check(&[log(3, Some(1)), log(3, Some(2))]), Err("two logs at 7:3".to_owned()));
        assert_eq!(check(&[log(3, Some(1)), log(3, None)]), Ok(()), "exempt");
        assert!(begin_anew(&again) && !begin_anew(&[log(0, Some(0)), log(1, Some(3)), log(2, None)]));
    }
}
