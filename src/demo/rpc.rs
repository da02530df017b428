//! Polygon's JSON-RPC, as far as a reader of logs needs it.
//!
//! Pure: from a request and the state of a node to the bytes of the answer. Numbers are hex, ranges include both ends,
//! and logs behind the node's head are silently missing, as they are from real nodes.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::dice::Dice;
use super::faults::Faults;
use super::filter::{Filter, Malformed};
use super::ledger::Ledger;
use super::{range_error, render};

/// No answer has more rows, whatever the switches say: a request for a year must not fill the memory.
const ROW_CEILING: usize = 100_000;

/// A node as one request meets it.
pub(super) struct Node<'a> {
    pub(super) ledger: &'a Ledger,
    /// The newest block that it has.
    pub(super) head: u64,
    pub(super) faults: &'a Faults,
    /// It refuses every call: too many of them.
    pub(super) rate_limited: bool,
    /// Counts the ranges that are too large.
    pub(super) refused_ranges: &'a AtomicU64,
}

/// A JSON-RPC error.
#[derive(Debug)]
pub(super) struct RpcError {
    code: i64,
    message: String,
}

impl RpcError {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn invalid(what: &str) -> Self {
        Self::new(-32602, format!("invalid argument 0: {what}"))
    }
}

impl From<Malformed> for RpcError {
    fn from(Malformed(part): Malformed) -> Self {
        Self::invalid(&format!("cannot read the filter's {part}"))
    }
}

/// The answer to the body of a request, a call or a batch of them. Those of a batch come in some order.
pub(super) fn answer(node: &Node<'_>, dice: &mut Dice, body: &[u8]) -> Vec<u8> {
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return envelope(&Value::Null, Err(RpcError::new(-32700, "parse error")));
    };
    let Value::Array(calls) = request else { return node.call(dice, &request) };
    if calls.is_empty() {
        return envelope(&Value::Null, Err(RpcError::new(-32600, "empty batch")));
    }
    if let Some(limit) = node.faults.batch_limit.filter(|limit| calls.len() > *limit) {
        return envelope(&Value::Null, Err(batch_too_large(dice, limit)));
    }
    let mut answers: Vec<_> = calls.iter().map(|call| node.call(dice, call)).collect();
    dice.shuffle(&mut answers);
    [b"[".as_slice(), &answers.join(b",".as_slice()), b"]"].concat()
}

impl Node<'_> {
    fn call(&self, dice: &mut Dice, call: &Value) -> Vec<u8> {
        envelope(&call["id"], self.result(dice, call))
    }

    fn result(&self, dice: &mut Dice, call: &Value) -> Result<Vec<u8>, RpcError> {
        if self.rate_limited {
            return Err(too_many_requests(dice));
        }
        let method = call["method"].as_str().ok_or_else(|| RpcError::new(-32600, "invalid request"))?;
        let params = &call["params"];
        let mut out = Vec::new();
        match method {
            "eth_chainId" => quoted(&mut out, self.ledger.world.chain_id()),
            "eth_blockNumber" => quoted(&mut out, self.head),
            "eth_getBlockByNumber" => self.header(params, &mut out)?,
            "eth_getLogs" => self.logs(dice, params, &mut out)?,
            _ => {
                let message = format!("the method {method} does not exist/is not available");
                return Err(RpcError::new(-32601, message));
            }
        }
        Ok(out)
    }

    fn header(&self, params: &Value, out: &mut Vec<u8>) -> Result<(), RpcError> {
        let number = self.block_number(&params[0])?;
        if (self.first_block()..=self.head).contains(&number) {
            render::header(out, &self.ledger.world.header(number));
        } else {
            out.extend_from_slice(b"null");
        }
        Ok(())
    }

    fn logs(&self, dice: &mut Dice, params: &Value, out: &mut Vec<u8>) -> Result<(), RpcError> {
        let request = params[0].as_object().map(|_| &params[0]);
        let request = request.ok_or_else(|| RpcError::invalid("the filter is not an object"))?;
        if !request["blockHash"].is_null() {
            return Err(RpcError::invalid("blockHash is not supported here"));
        }
        let filter = Filter::parse(request)?;
        let asked = self.bound(&request["fromBlock"])?..=self.bound(&request["toBlock"])?;
        if asked.is_empty() {
            return Err(RpcError::new(-32602, "invalid block range params"));
        }
        let draw = dice.below(u64::MAX);
        let blocks = (asked.end() - asked.start()).saturating_add(1);
        if let Some(limit) = self.faults.max_blocks.filter(|limit| blocks > *limit) {
            self.refused_ranges.fetch_add(1, Ordering::Relaxed);
            return Err(range_error::too_many_blocks(draw, &asked, limit));
        }
        self.append_logs(draw, &asked, &filter, out)
    }

    fn append_logs(
        &self,
        draw: u64,
        asked: &RangeInclusive<u64>,
        filter: &Filter,
        out: &mut Vec<u8>,
    ) -> Result<(), RpcError> {
        let limit = self.faults.max_rows.unwrap_or(ROW_CEILING).min(ROW_CEILING);
        let mut rows = 0;
        out.push(b'[');
        for number in self.ledger.world.eventful(*asked.start()..=self.head.min(*asked.end())) {
            rows += self.ledger.append(number, filter, !self.faults.no_block_timestamp, out);
            if rows > limit && asked.start() != asked.end() {
                self.refused_ranges.fetch_add(1, Ordering::Relaxed);
                let fits = number.saturating_sub(1).max(*asked.start());
                return Err(range_error::too_many_rows(draw, asked, fits, limit));
            }
        }
        out.push(b']');
        Ok(())
    }

    /// An end of a range: the head where nothing is said.
    fn bound(&self, value: &Value) -> Result<u64, RpcError> {
        if value.is_null() { Ok(self.head) } else { self.block_number(value) }
    }

    /// A number or a tag.
    fn block_number(&self, value: &Value) -> Result<u64, RpcError> {
        match value.as_str() {
            Some("latest" | "pending") => Ok(self.head),
            Some("finalized" | "safe") if self.faults.no_finalized => {
                Err(RpcError::new(-32000, "finalized block not found"))
            }
            Some("finalized" | "safe") => Ok(self.ledger.world.finalized(self.head)),
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

fn quoted(out: &mut Vec<u8>, number: u64) {
    out.push(b'"');
    render::quantity(out, number);
    out.push(b'"');
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

fn too_many_requests(dice: &mut Dice) -> RpcError {
    match dice.below(4) {
        0 => RpcError::new(-32005, "daily request count exceeded, request rate limited"),
        1 => RpcError::new(-32090, "Too many requests, reason: call rate limit exhausted, retry in 10s"),
        2 => RpcError::new(429, "Your app has exceeded its compute units per second capacity."),
        _ => RpcError::new(-32016, "over rate limit"),
    }
}

fn batch_too_large(dice: &mut Dice, limit: usize) -> RpcError {
    if dice.one_in(2) {
        RpcError::new(-32600, "batch too large")
    } else {
        RpcError::new(31, format!("Batch of more than {limit} requests are not allowed on free tier"))
    }
}
