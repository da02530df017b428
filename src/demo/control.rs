//! The demo world's own switches over HTTP, for those who run it beside polytape and not inside it.
//!
//! ```text
//! GET  /demo                      what it is and where it stands
//! GET  /demo/faults               the switches, as JSON
//! PUT  /demo/faults               sets them: {…}, {} for calm, "storm"
//! GET  /demo/truth?from=B&to=B    what these blocks must leave in the tables by now
//! ```
//!
//! Nothing here is ever subject to faults.

use std::sync::atomic::Ordering;

use axum::http::{Method, StatusCode, Uri};
use serde::Serialize;
use serde_json::{Value, json};

use super::faults::Faults;
use super::params::Params;
use super::reply::Reply;
use super::server::Served;

/// The most blocks of one truth.
const MAX_BLOCKS: u64 = 20_000;

pub(super) fn answer(state: &Served, method: &Method, uri: &Uri, body: &[u8]) -> Reply {
    match (method, uri.path()) {
        (&Method::GET, "/demo") => about(state),
        (&Method::GET, "/demo/faults") => written(&*state.faults.get()),
        (&Method::PUT, "/demo/faults") => set_faults(state, body),
        (&Method::GET, "/demo/truth") => truth(state, &Params::of(uri)),
        (_, "/demo" | "/demo/faults" | "/demo/truth") => {
            Reply::refused(StatusCode::METHOD_NOT_ALLOWED, "method not allowed", "see GET /demo")
        }
        _ => Reply::not_found("there are /demo, /demo/faults and /demo/truth"),
    }
}

fn about(state: &Served) -> Reply {
    let (world, head, url) = (&state.ledger.world, state.head(), state.url());
    written(&json!({
        "seed": world.config().seed,
        "chain_id": world.chain_id(),
        "first_block": world.config().first_block,
        "head": head,
        "finalized": world.finalized(head),
        "requests": state.requests.load(Ordering::Relaxed),
        "gamma_requests": state.gamma_requests.load(Ordering::Relaxed),
        "faulted": state.faulted.load(Ordering::Relaxed),
        "urls": { "rpc": url, "gamma": url, "data_api": url },
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
    written(&state.ledger.world.whole_truth(from..=to, state.head()))
}

fn written(value: &impl Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(body) => Reply::ok(body),
        Err(error) => Reply::refused(StatusCode::INTERNAL_SERVER_ERROR, "internal", &error.to_string()),
    }
}
