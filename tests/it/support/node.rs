//! A Polygon node that holds recorded logs and serves them as they were recorded.

use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// How far the finalized block is above the last log.
const ABOVE: u64 = 5;

/// The chain as this node knows it.
pub struct Recording {
    /// The logs with their blocks, each as its line in the file.
    logs: Vec<(u64, String)>,
    hashes: BTreeMap<u64, String>,
    timestamps: BTreeMap<u64, u64>,
    finalized: u64,
}

impl Recording {
    /// The logs of some files, and the times of blocks that the logs do not tell.
    pub fn new(files: &[&str], times: &[(u64, u64)]) -> Self {
        let (mut logs, mut hashes) = (Vec::new(), BTreeMap::new());
        let mut timestamps: BTreeMap<u64, u64> = times.iter().copied().collect();
        for line in files.iter().flat_map(|file| file.lines()) {
            let log: Value = serde_json::from_str(line).unwrap();
            let block = number(&log["blockNumber"]).unwrap();
            hashes.insert(block, log["blockHash"].as_str().unwrap().to_owned());
            if let Some(timestamp) = number(&log["blockTimestamp"]) {
                timestamps.insert(block, timestamp);
            }
            logs.push((block, line.to_owned()));
        }
        let finalized = logs.iter().map(|(block, _)| *block).max().unwrap() + ABOVE;
        Self { logs, hashes, timestamps, finalized }
    }

    /// The logs, each as it is served.
    pub fn logs(&self) -> impl Iterator<Item = &str> {
        self.logs.iter().map(|(_, log)| log.as_str())
    }

    fn answer(&self, body: &[u8]) -> String {
        match serde_json::from_slice(body).unwrap() {
            Value::Array(calls) => {
                let answers: Vec<_> = calls.iter().map(|call| self.call(call)).collect();
                format!("[{}]", answers.join(","))
            }
            call => self.call(&call),
        }
    }

    fn call(&self, call: &Value) -> String {
        let params = &call["params"];
        let result = match call["method"].as_str() {
            Some("eth_chainId") => r#""0x89""#.to_owned(),
            Some("eth_blockNumber") => format!(r#""{:#x}""#, self.finalized),
            Some("eth_getBlockByNumber") => self.header(&params[0]),
            Some("eth_getLogs") => self.logs_between(&params[0]),
            Some("eth_getBlockReceipts") => self.receipts(&params[0]),
            _ => {
                let error = r#"{"code":-32601,"message":"the method does not exist"}"#;
                return format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, call["id"]);
            }
        };
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, call["id"])
    }

    fn header(&self, block: &Value) -> String {
        let block = if block == "finalized" { self.finalized } else { number(block).unwrap() };
        if block > self.finalized {
            return "null".to_owned();
        }
        let (hash, parent) = (self.hash(block), self.hash(block - 1));
        let timestamp = self.timestamps.get(&block).copied().unwrap_or_else(now);
        let transactions: Vec<String> = self.transactions(block).into_keys().collect();
        json!({
            "number": format!("{block:#x}"), "hash": hash, "parentHash": parent,
            "timestamp": format!("{timestamp:#x}"), "transactions": transactions,
        })
        .to_string()
    }

    fn hash(&self, block: u64) -> String {
        self.hashes.get(&block).cloned().unwrap_or_else(|| format!("{block:#066x}"))
    }

    /// The block with a hash: one that was recorded, or one that was made up from its number.
    fn block_of(&self, hash: &Value) -> Option<u64> {
        let recorded = self.hashes.iter().find(|(_, known)| *hash == json!(known)).map(|(block, _)| *block);
        let made_up = || u64::from_str_radix(hash.as_str()?.get(50..)?, 16).ok();
        recorded.or_else(made_up).filter(|block| *hash == json!(self.hash(*block)))
    }

    /// The transactions of a block, with their logs.
    fn transactions(&self, block: u64) -> BTreeMap<String, Vec<Value>> {
        let mut transactions: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (_, log) in self.logs.iter().filter(|(of, _)| *of == block) {
            let log: Value = serde_json::from_str(log).unwrap();
            let hash = log["transactionHash"].as_str().unwrap_or_default().to_owned();
            transactions.entry(hash).or_default().push(log);
        }
        transactions
    }

    fn receipts(&self, hash: &Value) -> String {
        let Some(block) = self.block_of(hash) else { return "null".to_owned() };
        let receipt = |(transaction, logs)| json!({"transactionHash": transaction, "blockHash": hash, "logs": logs});
        self.transactions(block).into_iter().map(receipt).collect::<Value>().to_string()
    }

    /// All of them, also those that the filter does not ask for.
    fn logs_between(&self, filter: &Value) -> String {
        let blocks = match self.block_of(&filter["blockHash"]) {
            Some(block) => block..=block,
            None => number(&filter["fromBlock"]).unwrap()..=number(&filter["toBlock"]).unwrap(),
        };
        let logs = self.logs.iter().filter(|(block, _)| blocks.contains(block));
        format!("[{}]", logs.map(|(_, log)| log.as_str()).collect::<Vec<_>>().join(","))
    }
}

/// A node on loopback, until it is dropped.
pub struct Node {
    address: SocketAddr,
    _serving: AbortOnDropHandle<std::io::Result<()>>,
}

impl Node {
    /// Serves a recording.
    pub async fn of(recording: Arc<Recording>) -> Self {
        let serve = async |State(recording): State<Arc<Recording>>, method: Method, body: Bytes| {
            // What is fetched are markets and tokens, of which there are none.
            let nothing = || r#"{"markets":[],"data":[]}"#.to_owned();
            let answer = if method == Method::GET { nothing() } else { recording.answer(&body) };
            ([(CONTENT_TYPE, "application/json")], answer)
        };
        Self::serve(Router::new().fallback(serve).with_state(recording)).await
    }

    /// Answers every request with what `answer` makes of its address.
    pub async fn answering<R: IntoResponse>(answer: impl Fn(Uri) -> R + Clone + Send + Sync + 'static) -> Self {
        let serve = async move |uri: Uri| -> Response { answer(uri).into_response() };
        Self::serve(Router::new().fallback(serve)).await
    }

    pub async fn serve(router: Router) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(axum::serve(listener, router).into_future());
        Self { address, _serving: AbortOnDropHandle::new(serving) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// A quantity as the chain writes it.
pub fn number(hex: &Value) -> Option<u64> {
    u64::from_str_radix(hex.as_str()?.strip_prefix("0x")?, 16).ok()
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
