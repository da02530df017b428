//! Logs out of receipts.
//!
//! `eth_getBlockReceipts` is the one answer that proves itself whole: it has a receipt for each transaction, as many as the
//! block's header counts, and a receipt holds all logs of its transaction. It is large (hundreds of kilobytes), so it is
//! asked for only where an answer of `eth_getLogs` is in doubt. Where only some transactions are, so are their receipts
//! (`eth_getTransactionReceipt`).

use std::collections::HashSet;

use alloy_primitives::B256;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::log::{Content, ReadLog};
use super::{call::Call, elements, filter, header::Header, hex, list};

/// A receipt has at least so many bytes: its bloom filter alone takes 512.
const LEAST_RECEIPT: usize = 256;

/// A log has at least so many bytes, as in [`super::list`].
const LEAST_LOG: usize = super::list::LEAST_LOG;

/// The receipts of a block.
#[derive(Debug)]
pub(super) struct Receipts {
    /// How many transactions have one.
    pub(super) transactions: u64,
    /// The logs of fills in them, in no order.
    pub(super) logs: Vec<ReadLog>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Fields<'a> {
    transaction_hash: Option<&'a RawValue>,
    block_hash: Option<&'a RawValue>,
    logs: Option<&'a RawValue>,
}

/// The receipt of one transaction. Every node has it, and it is small.
pub(super) fn call_of_transaction(hash: B256) -> Call {
    Call { method: "eth_getTransactionReceipt", params: format!(r#"["{hash:#x}"]"#) }
}

/// All receipts of the block with a hash.
pub(super) fn call(hash: B256) -> Call {
    Call { method: "eth_getBlockReceipts", params: format!(r#"["{hash:#x}"]"#) }
}

impl Receipts {
    /// Reads the answer for a block; `None` where the node has none.
    pub(super) fn read(json: &Bytes, block: &Header) -> Result<Option<Self>, String> {
        if json.trim_ascii() == b"null" {
            return Ok(None);
        }
        let (mut transactions, mut logs) = (HashSet::new(), Vec::new());
        let receipts = elements::parse(json, LEAST_RECEIPT, |fields, _| parts(fields, block)).map_err(unreadable)?;
        for receipt in receipts {
            let (transaction, list) = receipt?;
            if transactions.insert(transaction) {
                logs.extend(wanted(list, json)?);
            }
        }
        Ok(Some(Self { transactions: transactions.len() as u64, logs }))
    }

    /// Whether all transactions of the block have a receipt. Bor adds one for a state sync, which its header does not
    /// always count.
    pub(super) fn is_whole(&self, block: &Header) -> bool {
        block.transactions.is_some_and(|all| (all..=all.saturating_add(1)).contains(&self.transactions))
    }
}

/// Reads the answer for one transaction of a block: the logs of fills in it; `None` where the node has no receipt of it.
pub(super) fn read_one(json: &Bytes, block: &Header, transaction: B256) -> Result<Option<Vec<ReadLog>>, String> {
    if json.trim_ascii() == b"null" {
        return Ok(None);
    }
    let (of, list) = parts(serde_json::from_slice(json), block)?;
    if of != transaction {
        return Err("a receipt of another transaction".to_owned());
    }
    Ok(Some(wanted(list, json)?.collect()))
}

/// Whose receipt it is, and its list of logs.
fn parts<'a>(fields: serde_json::Result<Fields<'a>>, block: &Header) -> Result<(B256, &'a str), String> {
    let fields = fields.map_err(|_| "a receipt that cannot be read".to_owned())?;
    let hash = |json: Option<&RawValue>| json.and_then(|json| hex::fixed::<32>(json.get()).ok()).map(B256::from);
    if hash(fields.block_hash).is_some_and(|hash| hash != block.hash) {
        return Err(format!("a receipt of another block for block {}", block.number));
    }
    let transaction = hash(fields.transaction_hash).ok_or("a receipt that names no transaction")?;
    let list = fields.logs.ok_or("a receipt without a list of logs")?;
    Ok((transaction, list.get()))
}

fn wanted(list: &str, answer: &Bytes) -> Result<impl Iterator<Item = ReadLog>, String> {
    let logs = list::logs(list.as_bytes(), LEAST_LOG / 4, answer);
    Ok(logs.map_err(unreadable)?.into_iter().filter(is_wanted))
}

fn unreadable(cause: elements::Unreadable) -> String {
    format!("receipts that cannot be read: {}", cause.into_words())
}

/// A log that `eth_getLogs` would have given. One that cannot be read counts where it names an event of ours.
fn is_wanted(log: &ReadLog) -> bool {
    match &log.log {
        Ok(Content::Fill(_)) => true,
        Ok(Content::Other(raw, _)) => filter::wants(raw.address, &raw.topics),
        Err(_) => filter::may_want(&log.raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn block(transactions: Option<u64>) -> Header {
        Header { number: 7, hash: B256::repeat_byte(7), parent: None, timestamp: 1_700_000_000, transactions }
    }

    fn receipt(transaction: u8, logs: Value) -> Value {
        json!({
            "transactionHash": B256::repeat_byte(transaction).to_string(),
            "blockHash": B256::repeat_byte(7).to_string(),
            "logs": logs,
        })
    }

    fn read(json: &Value) -> Result<Option<Receipts>, String> {
        Receipts::read(&json.to_string().into(), &block(Some(2)))
    }

    #[test]
    fn the_logs_of_fills_are_picked_out() {
        let vectors = include_str!("../../../tests/vectors/orderfilled_logs.jsonl");
        let fill: Value = serde_json::from_str(vectors.lines().next().unwrap()).unwrap();
        let mut other = fill.clone();
        other["topics"][0] = json!(B256::repeat_byte(1).to_string());
        let mut foreign = fill.clone();
        foreign["address"] = json!("0x00000000000000000000000000000000000000aa");
        let mut broken = fill.clone();
        broken["data"] = json!("0xzz");
        let json =
            json!([receipt(1, json!([other, fill, foreign])), receipt(2, json!([])), receipt(3, json!([broken]))]);
        let receipts = read(&json).unwrap().unwrap();
        assert_eq!(receipts.transactions, 3);
        assert_eq!(receipts.logs.len(), 2, "the fill, and the one that cannot be read");
        assert!(receipts.logs[0].log.is_ok() && receipts.logs[1].log.is_err());
    }

    #[test]
    fn whole_is_one_for_each_transaction() {
        let receipts =
            read(&json!([receipt(1, json!([])), receipt(1, json!([])), receipt(2, json!([]))])).unwrap().unwrap();
        assert_eq!(receipts.transactions, 2, "one that comes twice is one");
        let table = [(Some(1), true), (Some(2), true), (Some(3), false), (Some(0), false), (None, false)];
        for (transactions, whole) in table {
            assert_eq!(receipts.is_whole(&block(transactions)), whole, "{transactions:?}");
        }
        assert!(read(&json!([])).unwrap().unwrap().is_whole(&block(Some(0))), "an empty block");
    }

    #[test]
    fn what_is_no_list_of_receipts() {
        assert!(read(&json!(null)).unwrap().is_none());
        let (zero, eight) = (B256::ZERO.to_string(), B256::repeat_byte(8).to_string());
        let other = json!({"transactionHash": zero, "blockHash": eight, "logs": []});
        for bad in [json!({}), json!([0]), json!([{}]), json!([{"transactionHash": zero}]), json!([other])] {
            assert!(read(&bad).is_err(), "{bad}");
        }
    }
}
