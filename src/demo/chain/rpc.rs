//! Polygon's JSON-RPC, as far as a reader of logs needs it.
//!
//! Pure: from a request and the state of a node to the bytes of the answer. Numbers are hex, ranges include both ends,
//! and logs behind the node's head are silently missing, as they are from real nodes.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::B256;
use serde_json::Value;

use super::ledger::{Ledger, Telling};
use super::rpc_error::{Break, RpcError};
use super::{filter::Filter, range_error, refusal, render};
use crate::demo::faults::lies::{Lies, UnknownHash};
use crate::demo::ids::{Kind, id};
use crate::demo::{faults::Faults, http::reply::Reply, rng::Rng, world::Block};

/// No answer has more rows, whatever the switches say: a request for a year must not fill the memory.
const ROW_CEILING: usize = 100_000;

/// A node as one request meets it.
pub(in crate::demo) struct Node<'a> {
    pub(in crate::demo) ledger: &'a Ledger,
    /// The newest block that it has.
    pub(in crate::demo) head: u64,
    pub(in crate::demo) faults: &'a Faults,
    /// How it lies.
    pub(in crate::demo) lies: &'a Lies,
    /// It refuses every call: too many of them.
    pub(in crate::demo) rate_limited: bool,
    /// Counts the ranges that are too large.
    pub(in crate::demo) refused_ranges: &'a AtomicU64,
}

/// What becomes of a request.
pub(in crate::demo) struct Answer {
    pub(in crate::demo) reply: Reply,
    /// The connection closes in the middle of the body.
    pub(in crate::demo) is_cut: bool,
    /// How many calls there were.
    pub(in crate::demo) calls: usize,
}

/// The answer to the body of a request, a call or a batch of them. Those of a batch come in some order.
pub(in crate::demo) fn answer(node: &Node<'_>, rng: &mut Rng, body: &[u8]) -> Answer {
    let whole = |calls, error| {
        let reply = Reply::ok(envelope(&Value::Null, Err(error)));
        Answer { reply, is_cut: false, calls }
    };
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return whole(1, RpcError::new(-32700, "parse error"));
    };
    let (calls, is_batch) = match request {
        Value::Array(calls) => (calls, true),
        call => (vec![call], false),
    };
    if calls.is_empty() {
        return whole(0, RpcError::new(-32600, "empty batch"));
    }
    if let Some(limit) = node.faults.batch_limit.filter(|limit| is_batch && calls.len() > *limit) {
        return whole(calls.len(), batch_too_large(rng, limit));
    }
    let (mut answers, mut is_cut) = (Vec::with_capacity(calls.len()), false);
    for call in &calls {
        let result = match node.result(rng, call) {
            Ok(result) => Ok(result),
            Err(Break::Error(error)) => Err(error),
            Err(Break::Status(status, page)) => {
                return Answer { reply: Reply { status, body: page.into() }, is_cut: false, calls: calls.len() };
            }
            Err(Break::CutBody) => {
                is_cut = true;
                Ok(vec![b' '; 1_000])
            }
        };
        answers.push(envelope(&call["id"], result));
    }
    let body = if is_batch {
        rng.shuffle(&mut answers);
        [b"[".as_slice(), &answers.join(b",".as_slice()), b"]"].concat()
    } else {
        answers.concat()
    };
    Answer { reply: Reply::ok(body), is_cut, calls: calls.len() }
}

impl Node<'_> {
    fn result(&self, rng: &mut Rng, call: &Value) -> Result<Vec<u8>, Break> {
        if self.rate_limited {
            return Err(too_many_requests(rng).into());
        }
        let method = call["method"].as_str().ok_or_else(|| RpcError::new(-32600, "invalid request"))?;
        let params = &call["params"];
        let mut out = Vec::new();
        match method {
            "eth_chainId" => quoted(&mut out, self.ledger.world.chain_id()),
            "eth_blockNumber" => quoted(&mut out, self.claimed_head()),
            "eth_getBlockByNumber" => self.header(self.block_number(&params[0])?, &mut out),
            "eth_getBlockByHash" => match self.ledger.world.number_of(&hash(&params[0])?) {
                Some(number) if number <= self.head => self.header(number, &mut out),
                _ => out.extend_from_slice(b"null"),
            },
            "eth_getLogs" => self.logs(rng, params, &mut out)?,
            "eth_getTransactionReceipt" => {
                let transaction = hash(&params[0])?;
                self.ledger.receipt(&transaction, self.log_head(rng), self.faults, &mut out);
            }
            "eth_getBlockReceipts" if !self.lies.no_receipts => self.receipts(rng, params, &mut out)?,
            _ => {
                let message = format!("the method {method} does not exist/is not available");
                return Err(RpcError::new(-32601, message).into());
            }
        }
        Ok(out)
    }

    /// The newest block that it says it has.
    fn claimed_head(&self) -> u64 {
        self.head.saturating_add(self.lies.head_ahead)
    }

    /// The newest block of the backend that answers about logs and receipts.
    fn log_head(&self, rng: &mut Rng) -> u64 {
        match self.lies.stale_backend {
            Some(behind) if rng.one_in(2) => self.head.saturating_sub(behind),
            _ => self.head,
        }
    }

    fn header(&self, number: u64, out: &mut Vec<u8>) {
        if (self.first_block()..=self.head).contains(&number) {
            self.ledger.header(number, out);
        } else if (self.head..=self.claimed_head()).contains(&number) {
            render::header(out, &self.invented(number), std::iter::empty());
        } else {
            out.extend_from_slice(b"null");
        }
    }

    /// A block that nobody made.
    fn invented(&self, number: u64) -> Block {
        let seed = self.ledger.world.config().seed;
        let [hash, parent_hash] = [1, 2].map(|part| id(seed, Kind::Lie, [number, part]));
        Block { hash, parent_hash, number, ..self.ledger.world.header(self.head) }
    }

    fn receipts(&self, rng: &mut Rng, params: &Value, out: &mut Vec<u8>) -> Result<(), Break> {
        let head = self.log_head(rng);
        let asked = if params[0].is_object() { &params[0]["blockHash"] } else { &params[0] };
        let number = match asked.as_str() {
            Some(text) if text.len() == 66 => self.ledger.world.number_of(&hash(asked)?),
            _ => Some(self.block_number(asked)?),
        };
        match number.filter(|number| (self.first_block()..=head).contains(number)) {
            Some(number) => self.ledger.receipts(number, self.faults, out),
            None => out.extend_from_slice(b"null"),
        }
        Ok(())
    }

    fn logs(&self, rng: &mut Rng, params: &Value, out: &mut Vec<u8>) -> Result<(), Break> {
        let request = params[0].as_object().map(|_| &params[0]);
        let request = request.ok_or_else(|| RpcError::invalid("the filter is not an object"))?;
        let filter = Filter::parse(request)?;
        let head = self.log_head(rng);
        if !request["blockHash"].is_null() {
            if !request["fromBlock"].is_null() || !request["toBlock"].is_null() {
                let message = "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other";
                return Err(RpcError::new(-32602, message).into());
            }
            let number = self.ledger.world.number_of(&hash(&request["blockHash"])?);
            return match number.filter(|number| (self.first_block()..=head).contains(number)) {
                Some(number) => self.append_logs(0, &(number..=number), head, &filter, out),
                None => self.unknown_hash(rng, out),
            };
        }
        let asked = self.bound(&request["fromBlock"])?..=self.bound(&request["toBlock"])?;
        if asked.is_empty() {
            return Err(RpcError::new(-32602, "invalid block range params").into());
        }
        let draw = rng.below(u64::MAX);
        let blocks = (asked.end() - asked.start()).saturating_add(1);
        if let Some(limit) = self.lies.refuse_above.filter(|limit| blocks > *limit) {
            self.refused_ranges.fetch_add(1, Ordering::Relaxed);
            return Err(refusal::of(self.lies.refusal, draw, blocks, limit));
        }
        if let Some(limit) = self.faults.max_blocks.filter(|limit| blocks > *limit) {
            self.refused_ranges.fetch_add(1, Ordering::Relaxed);
            return Err(range_error::too_many_blocks(draw, &asked, limit).into());
        }
        self.append_logs(draw, &asked, head, &filter, out)
    }

    fn append_logs(
        &self,
        draw: u64,
        asked: &RangeInclusive<u64>,
        head: u64,
        filter: &Filter,
        out: &mut Vec<u8>,
    ) -> Result<(), Break> {
        let telling = Telling { faults: self.faults, lies: self.lies };
        let limit = self.faults.max_rows.unwrap_or(ROW_CEILING).min(ROW_CEILING);
        let mut rows = 0;
        out.push(b'[');
        for number in self.ledger.world.eventful(*asked.start()..=head.min(*asked.end())) {
            let room = self.lies.cap_logs.map(|cap| cap.saturating_sub(rows));
            rows += self.ledger.append(number, filter, telling, room, out);
            if rows > limit && asked.start() != asked.end() {
                self.refused_ranges.fetch_add(1, Ordering::Relaxed);
                let fits = number.saturating_sub(1).max(*asked.start());
                return Err(range_error::too_many_rows(draw, asked, fits, limit).into());
            }
        }
        out.push(b']');
        if rows == 0 && self.lies.null_for_none {
            out.clear();
            out.extend_from_slice(b"null");
        }
        Ok(())
    }

    fn unknown_hash(&self, rng: &mut Rng, out: &mut Vec<u8>) -> Result<(), Break> {
        match self.lies.unknown_hash {
            UnknownHash::Refused if rng.one_in(2) => Err(RpcError::new(-32000, "unknown block").into()),
            UnknownHash::Refused => Err(RpcError::new(-32001, "block not found").into()),
            UnknownHash::Empty => {
                out.extend_from_slice(b"[]");
                Ok(())
            }
            UnknownHash::Null => {
                out.extend_from_slice(b"null");
                Ok(())
            }
        }
    }

    /// An end of a range: the head where nothing is said.
    fn bound(&self, value: &Value) -> Result<u64, RpcError> {
        if value.is_null() { Ok(self.head) } else { self.block_number(value) }
    }

    /// A number or a tag.
    fn block_number(&self, value: &Value) -> Result<u64, RpcError> {
        match value.as_str() {
            Some("latest" | "pending") => Ok(self.claimed_head()),
            Some("finalized" | "safe") if self.faults.no_finalized => {
                Err(RpcError::new(-32000, "finalized block not found"))
            }
            Some("finalized" | "safe") => {
                Ok(self.ledger.world.finalized_in_steps(self.claimed_head(), self.faults.finality_step))
            }
            Some("earliest") => Ok(self.first_block()),
            text => text
                .and_then(|text| text.strip_prefix("0x"))
                .and_then(|digits| u64::from_str_radix(digits, 16).ok())
                .ok_or_else(|| RpcError::invalid("not a block number")),
        }
    }

    fn first_block(&self) -> u64 {
        self.ledger.world.config().first_block
    }
}

fn hash(value: &Value) -> Result<B256, RpcError> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| RpcError::invalid("not a hash"))
}

fn quoted(out: &mut Vec<u8>, number: u64) {
    out.extend(format!("\"{number:#x}\"").into_bytes());
}

fn envelope(id: &Value, result: Result<Vec<u8>, RpcError>) -> Vec<u8> {
    let head = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},");
    match result {
        Ok(result) => [head.as_bytes(), b"\"result\":", &result, b"}"].concat(),
        Err(RpcError { code, message }) => {
            let message = Value::String(message);
            format!("{head}\"error\":{{\"code\":{code},\"message\":{message}}}}}").into_bytes()
        }
    }
}

fn too_many_requests(rng: &mut Rng) -> RpcError {
    match rng.below(4) {
        0 => RpcError::new(-32005, "daily request count exceeded, request rate limited"),
        1 => RpcError::new(-32090, "Too many requests, reason: call rate limit exhausted, retry in 10s"),
        2 => RpcError::new(429, "Your app has exceeded its compute units per second capacity."),
        _ => RpcError::new(-32016, "over rate limit"),
    }
}

fn batch_too_large(rng: &mut Rng, limit: usize) -> RpcError {
    if rng.one_in(2) {
        RpcError::new(-32600, "batch too large")
    } else {
        RpcError::new(31, format!("Batch of more than {limit} requests are not allowed on free tier"))
    }
}
