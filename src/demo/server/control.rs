//! The demo world's own switches over HTTP, for those who run it beside polytape and not inside it.
//!
//! ```text
//! GET  /demo                      what it is and where it stands
//! GET  /demo/faults               the switches, as JSON
//! PUT  /demo/faults               sets them: {…}, {} for calm, "storm"
//! GET  /demo/truth?from=B&to=B    what these blocks must leave in the tables by now
//! GET  /demo/truth/goldsky?from=S&to=S    what these unix seconds of the subgraph must leave there
//! ```
//!
//! Nothing here is ever subject to faults.

use std::sync::atomic::Ordering;

use axum::http::{Method, StatusCode, Uri};
use serde::Serialize;
use serde_json::{Value, json};

use super::served::Served;
use crate::demo::{faults::Faults, http::params::Params, http::reply::Reply};

/// The most blocks of one truth.
const MAX_BLOCKS: u64 = 20_000;
/// The most seconds of one truth of the subgraph.
const MAX_SECONDS: u64 = 30_000;

pub(in crate::demo) fn answer(state: &Served, method: &Method, uri: &Uri, body: &[u8]) -> Reply {
    match (method, uri.path()) {
        (&Method::GET, "/demo") => about(state),
        (&Method::GET, "/demo/faults") => written(&*state.faults.get()),
        (&Method::PUT, "/demo/faults") => set_faults(state, body),
        (&Method::GET, "/demo/truth") => truth(state, &Params::of(uri)),
        (&Method::GET, "/demo/truth/goldsky") => goldsky_truth(state, &Params::of(uri)),
        (_, "/demo" | "/demo/faults" | "/demo/truth" | "/demo/truth/goldsky") => {
            Reply::refused(StatusCode::METHOD_NOT_ALLOWED, "method not allowed", "see GET /demo")
        }
        _ => Reply::not_found("there are /demo, /demo/faults, /demo/truth and /demo/truth/goldsky"),
    }
}

fn about(state: &Served) -> Reply {
    let (world, head, url) = (&state.ledger.world, state.head(), state.url());
    written(&json!({
        "seed": world.config().seed,
        "chain_id": world.chain_id(),
        "first_block": world.config().first_block,
        "head": head,
        "finalized": world.finalized_in_steps(head, state.faults.get().finality_step),
        "requests": state.requests.load(Ordering::Relaxed),
        "gamma_requests": state.gamma_requests.load(Ordering::Relaxed),
        "goldsky_requests": state.goldsky_requests.load(Ordering::Relaxed),
        "faulted": state.faulted.load(Ordering::Relaxed),
        "urls": { "rpc": url, "gamma": url, "data_api": url, "goldsky": format!("{url}/goldsky") },
    }))
}

fn set_faults(state: &Served, body: &[u8]) -> Reply {
    let faults = match serde_json::from_slice::<Value>(body) {
        Ok(Value::String(name)) if name == "storm" => Ok(Faults::storm()),
        Ok(faults) => serde_json::from_value(faults),
        Err(error) => Err(error),
    };
    match faults {
        Ok(faults) => {
            state.faults.set(faults);
            written(&*state.faults.get())
        }
        Err(error) => Reply::bad_request(&format!("these are no faults: {error}; GET /demo/faults shows all names")),
    }
}

fn truth(state: &Served, params: &Params) -> Reply {
    let block = |name| params.get(name).and_then(|text| text.parse::<u64>().ok());
    let Some((from, to)) = block("from").zip(block("to")) else {
        return Reply::bad_request("two blocks are needed: /demo/truth?from=90000000&to=90000100");
    };
    if from > to || to - from >= MAX_BLOCKS {
        return Reply::bad_request(&format!("the range must have 1 to {MAX_BLOCKS} blocks"));
    }
    written(&state.ledger.world.oracle(from..=to, state.head()))
}

fn goldsky_truth(state: &Served, params: &Params) -> Reply {
    let second = |name| params.get(name).and_then(|text| text.parse::<i64>().ok());
    let Some((from, to)) = second("from").zip(second("to")) else {
        let example = "/demo/truth/goldsky?from=1767225600&to=1767225700";
        return Reply::bad_request(&format!("two times in unix seconds are needed: {example}"));
    };
    if from > to || to.abs_diff(from) >= MAX_SECONDS {
        return Reply::bad_request(&format!("the range must have 1 to {MAX_SECONDS} seconds"));
    }
    written(&state.ledger.world.goldsky_oracle(from..=to, state.head(), &state.faults.get().goldsky))
}

fn written(value: &impl Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(body) => Reply::ok(body),
        Err(error) => Reply::refused(StatusCode::INTERNAL_SERVER_ERROR, "internal", &error.to_string()),
    }
}
