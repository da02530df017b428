//! Polygon's JSON-RPC, as far as a reader of logs needs it.
//!
//! Pure: from a request and the state of a node to the bytes of the answer. Numbers are hex, ranges include both ends,
//! and logs behind the node's head are silently missing, as they are from real nodes.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::B256;
use axum::http::StatusCode;
use serde_json::Value;

use super::dice::Dice;
use super::faults::Faults;
use super::filter::{Filter, Malformed};
use super::ids::{Kind, id};
use super::ledger::{Ledger, Telling};
use super::lies::{Lies, UnknownHash};
use super::reply::Reply;
use super::world::Block;
use super::{range_error, refusal, render};

/// No answer has more rows, whatever the switches say: a request for a year must not fill the memory.
const ROW_CEILING: usize = 100_000;

/// A node as one request meets it.
pub(super) struct Node<'a> {
    pub(super) ledger: &'a Ledger,
    /// The newest block that it has.
    pub(super) head: u64,
    pub(super) faults: &'a Faults,
    /// How it lies.
    pub(super) lies: &'a Lies,
    /// It refuses every call: too many of them.
    pub(super) rate_limited: bool,
    /// Counts the ranges that are too large.
    pub(super) refused_ranges: &'a AtomicU64,
}

/// What becomes of a request.
pub(super) struct Answer {
    pub(super) reply: Reply,
    /// The connection closes in the middle of the body.
    pub(super) is_cut: bool,
    /// How many calls there were.
    pub(super) calls: usize,
}

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum Break {
    /// It is refused.
    Error(RpcError),
    /// The whole request is refused.
    Status(StatusCode, &'static str),
    /// The connection closes in the middle of the answer.
    CutBody,
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

impl From<Malformed> for Break {
    fn from(Malformed(part): Malformed) -> Self {
        RpcError::invalid(&format!("cannot read the filter's {part}")).into()
    }
}

impl From<RpcError> for Break {
    fn from(error: RpcError) -> Self {
        Self::Error(error)
    }
}

/// The answer to the body of a request, a call or a batch of them. Those of a batch come in some order.
pub(super) fn answer(node: &Node<'_>, dice: &mut Dice, body: &[u8]) -> Answer {
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
        return whole(calls.len(), batch_too_large(dice, limit));
    }
    let (mut answers, mut is_cut) = (Vec::with_capacity(calls.len()), false);
    for call in &calls {
        let result = match node.result(dice, call) {
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
        dice.shuffle(&mut answers);
        [b"[".as_slice(), &answers.join(b",".as_slice()), b"]"].concat()
    } else {
        answers.concat()
    };
    Answer { reply: Reply::ok(body), is_cut, calls: calls.len() }
}

impl Node<'_> {
    fn result(&self, dice: &mut Dice, call: &Value) -> Result<Vec<u8>, Break> {
        if self.rate_limited {
            return Err(too_many_requests(dice).into());
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
            "eth_getLogs" => self.logs(dice, params, &mut out)?,
            "eth_getTransactionReceipt" => {
                let transaction = hash(&params[0])?;
                self.ledger.receipt(&transaction, self.log_head(dice), self.faults, &mut out);
            }
            "eth_getBlockReceipts" if !self.lies.no_receipts => self.receipts(dice, params, &mut out)?,
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
    fn log_head(&self, dice: &mut Dice) -> u64 {
        match self.lies.stale_backend {
            Some(behind) if dice.one_in(2) => self.head.saturating_sub(behind),
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

    fn receipts(&self, dice: &mut Dice, params: &Value, out: &mut Vec<u8>) -> Result<(), Break> {
        let head = self.log_head(dice);
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

    fn logs(&self, dice: &mut Dice, params: &Value, out: &mut Vec<u8>) -> Result<(), Break> {
        let request = params[0].as_object().map(|_| &params[0]);
        let request = request.ok_or_else(|| RpcError::invalid("the filter is not an object"))?;
        let filter = Filter::parse(request)?;
        let head = self.log_head(dice);
        if !request["blockHash"].is_null() {
            if !request["fromBlock"].is_null() || !request["toBlock"].is_null() {
                let message = "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other";
                return Err(RpcError::new(-32602, message).into());
            }
            let number = self.ledger.world.number_of(&hash(&request["blockHash"])?);
            return match number.filter(|number| (self.first_block()..=head).contains(number)) {
                Some(number) => self.append_logs(0, &(number..=number), head, &filter, out),
                None => self.unknown_hash(dice, out),
            };
        }
        let asked = self.bound(&request["fromBlock"])?..=self.bound(&request["toBlock"])?;
        if asked.is_empty() {
            return Err(RpcError::new(-32602, "invalid block range params").into());
        }
        let draw = dice.below(u64::MAX);
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

    fn unknown_hash(&self, dice: &mut Dice, out: &mut Vec<u8>) -> Result<(), Break> {
        match self.lies.unknown_hash {
            UnknownHash::Refused if dice.one_in(2) => Err(RpcError::new(-32000, "unknown block").into()),
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
            Some("finalized" | "safe") => Ok(self.ledger.world.finalized(self.claimed_head())),
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
