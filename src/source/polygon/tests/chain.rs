//! A small chain that answers as a good node does.

use alloy_primitives::{B256, U256};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A chain of `tip` blocks, two seconds each, some of which hold fills.
#[derive(Clone)]
pub(super) struct Chain {
    pub(super) id: u64,
    pub(super) tip: u64,
    pub(super) finalized: u64,
    pub(super) logs: Vec<Value>,
    /// Whether logs come with the time of their block.
    pub(super) log_times: bool,
    /// Whether it knows `eth_getBlockReceipts`. They are of all logs, whatever `eth_getLogs` says.
    pub(super) receipts: bool,
    /// Whether it has receipts of single transactions.
    pub(super) lone_receipts: bool,
    /// Logs that `eth_getLogs` leaves out, by block and index.
    pub(super) left_out: Vec<(u64, u32)>,
    /// The most logs in an answer; the rest is left out without a word.
    pub(super) cap: usize,
}

pub(super) const GENESIS_TIME: u64 = 1_700_000_000;

impl Chain {
    /// A hundred blocks; the fills are at these places.
    pub(super) fn with_fills(places: &[(u64, u32)]) -> Self {
        let logs = places.iter().map(|(block, index)| log(*block, *index)).collect();
        Self {
            id: 137,
            tip: 100,
            finalized: 98,
            logs,
            log_times: true,
            receipts: true,
            lone_receipts: true,
            left_out: vec![],
            cap: usize::MAX,
        }
    }

    /// A fill in each of the blocks 1 to 90.
    pub(super) fn busy() -> Self {
        Self::with_fills(&(1..=90).map(|block| (block, 0)).collect::<Vec<_>>())
    }

    /// Answers a request or a batch.
    pub(super) fn answer(&self, request: &Value) -> Response {
        match request {
            Value::Array(calls) => calls.iter().map(|call| self.one(call)).collect::<Value>().to_string(),
            call => self.one(call).to_string(),
        }
        .into_response()
    }

    /// Answers one request of a batch.
    pub(super) fn one(&self, call: &Value) -> Value {
        if call["method"] == "eth_getBlockReceipts" && !self.receipts {
            let error = json!({"code": -32601, "message": "the method does not exist/is not available"});
            return json!({"jsonrpc": "2.0", "id": call["id"], "error": error});
        }
        json!({"jsonrpc": "2.0", "id": call["id"], "result": self.result(call)})
    }

    /// The same, without some logs in the answers to `eth_getLogs`.
    pub(super) fn without_logs(self, left_out: &[(u64, u32)]) -> Self {
        Self { left_out: left_out.to_vec(), ..self }
    }

    fn result(&self, call: &Value) -> Value {
        let params = &call["params"];
        match call["method"].as_str().unwrap() {
            "eth_chainId" => json!(format!("{:#x}", self.id)),
            "eth_blockNumber" => json!(format!("{:#x}", self.tip)),
            "eth_getBlockByNumber" if params[0] == "finalized" => self.header(self.finalized),
            "eth_getBlockByNumber" => self.header(number(&params[0])),
            "eth_getLogs" => self.logs(&params[0]),
            "eth_getBlockReceipts" => self.receipts(&params[0]),
            "eth_getTransactionReceipt" if self.lone_receipts => self.receipt(&params[0]),
            "eth_getTransactionReceipt" => Value::Null,
            method => panic!("{method} is not for this source"),
        }
    }

    fn header(&self, number: u64) -> Value {
        if number > self.tip {
            return Value::Null;
        }
        let time = GENESIS_TIME + number * 2;
        let transactions: Vec<Value> = self.transactions(number).into_iter().map(|(hash, _)| hash).collect();
        json!({
            "number": format!("{number:#x}"), "hash": block_hash(number), "timestamp": format!("{time:#x}"),
            "parentHash": block_hash(number.wrapping_sub(1)), "transactions": transactions,
        })
    }

    /// The transactions of a block with their logs, and one without.
    fn transactions(&self, block: u64) -> Vec<(Value, Vec<Value>)> {
        let mut transactions = vec![(json!(transaction_hash(block, u32::MAX)), vec![])];
        for log in self.logs.iter().filter(|log| log["blockHash"] == json!(block_hash(block))) {
            let hash = log["transactionHash"].clone();
            match transactions.iter_mut().find(|(known, _)| *known == hash) {
                Some((_, logs)) => logs.push(log.clone()),
                None => transactions.push((hash, vec![log.clone()])),
            }
        }
        transactions
    }

    fn receipts(&self, hash: &Value) -> Value {
        let Some(block) = (0..=self.tip).find(|block| json!(block_hash(*block)) == *hash) else { return Value::Null };
        self.receipts_of(block)
    }

    fn receipts_of(&self, block: u64) -> Value {
        let receipt = |(transaction, logs): (Value, Vec<Value>)| {
            let bloom = format!("0x{}", "00".repeat(256));
            let hash = block_hash(block);
            json!({"transactionHash": transaction, "blockHash": hash, "logs": logs, "logsBloom": bloom})
        };
        self.transactions(block).into_iter().map(receipt).collect()
    }

    /// The receipt of one transaction.
    fn receipt(&self, transaction: &Value) -> Value {
        let all = (0..=self.tip).flat_map(|block| self.receipts_of(block).as_array().cloned().unwrap());
        all.into_iter().find(|receipt| receipt["transactionHash"] == *transaction).unwrap_or(Value::Null)
    }

    fn logs(&self, filter: &Value) -> Value {
        let addresses = filter["address"].as_array().unwrap();
        assert!([1, 5].contains(&addresses.len()));
        assert!(filter["topics"][0].as_array().unwrap().len() >= 2);
        let range = match &filter["blockHash"] {
            Value::Null => number(&filter["fromBlock"])..=number(&filter["toBlock"]),
            hash => match (0..=self.tip).find(|block| json!(block_hash(*block)) == *hash) {
                Some(block) => block..=block,
                // As some nodes answer for a block that they lack.
                None => return json!([]),
            },
        };
        let place =
            |log: &Value| Some((number(&log["blockNumber"]), u32::try_from(number(log.get("logIndex")?)).ok()?));
        let within = self.logs.iter().filter(|log| {
            range.contains(&number(&log["blockNumber"]))
                && number(&log["blockNumber"]) <= self.tip
                && addresses.contains(&log["address"])
                && place(log).is_none_or(|place| !self.left_out.contains(&place))
        });
        let within = within.take(self.cap);
        within.map(|log| if self.log_times { log.clone() } else { without(log, "blockTimestamp") }).collect()
    }
}

/// A real fill, moved to another place.
pub(super) fn log(block: u64, index: u32) -> Value {
    let vectors = include_str!("../../../../tests/vectors/orderfilled_logs.jsonl");
    let mut log: Value = serde_json::from_str(vectors.lines().next().unwrap()).unwrap();
    log["blockNumber"] = json!(format!("{block:#x}"));
    log["blockHash"] = json!(block_hash(block));
    log["blockTimestamp"] = json!(format!("{:#x}", GENESIS_TIME + block * 2));
    log["logIndex"] = json!(format!("{index:#x}"));
    log["transactionIndex"] = json!(format!("{index:#x}"));
    log["transactionHash"] = json!(transaction_hash(block, index));
    log
}

pub(super) fn without(log: &Value, field: &str) -> Value {
    let mut log = log.clone();
    log.as_object_mut().unwrap().remove(field);
    log
}

pub(super) fn block_hash(block: u64) -> String {
    B256::from(U256::from(block) + (U256::ONE << 200)).to_string()
}

pub(super) fn transaction_hash(block: u64, index: u32) -> String {
    B256::from((U256::from(block) << 32) + U256::from(index)).to_string()
}

/// A quantity.
pub(super) fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().strip_prefix("0x").unwrap(), 16).unwrap()
}
