//! Answers requests, with the faults that are switched on.

use std::{io, sync::Arc, sync::atomic::Ordering, time::Duration};

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use tokio::task::{JoinError, spawn_blocking};

use super::{control, listener::Wire, served::Served};
use crate::demo::api::listing::{Circle, Sight};
use crate::demo::faults::{Fault, Faults};
use crate::demo::goldsky::{answer as goldsky, subgraph::Subgraph};
use crate::demo::rng::{Purpose, Rng};
use crate::demo::{api::data_api::DataApi, chain::rpc, faults::asked::Asked, http::reply::Reply};

pub(in crate::demo) async fn serve(
    State(state): State<Arc<Served>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked::of(&method, &uri);
    if asked == Asked::Control {
        let reply = spawn_blocking(move || control::answer(&state, &method, &uri, &body)).await;
        return reply.map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), json);
    }
    let number = state.requests.fetch_add(1, Ordering::Relaxed);
    state.gamma_requests.fetch_add(u64::from(asked.is_gamma()), Ordering::Relaxed);
    state.goldsky_requests.fetch_add(u64::from(asked == Asked::Goldsky), Ordering::Relaxed);
    let mut rng = Rng::new(state.ledger.world.config().seed, Purpose::Faults, number);
    let faults = state.faults.get();
    if is_down(&faults, asked) {
        return (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable").into_response();
    }
    if asked == Asked::Goldsky && !bears_token(&faults, &headers) {
        return (StatusCode::UNAUTHORIZED, "Unauthorized").into_response();
    }
    let fault = faults.draw(&mut rng, asked);
    state.faulted.fetch_add(u64::from(fault.is_some()), Ordering::Relaxed);
    match fault {
        Some(Fault::TooManyRequests) => too_many_requests(&mut rng),
        Some(Fault::ServerError) => (StatusCode::INTERNAL_SERVER_ERROR, "upstream unavailable").into_response(),
        Some(Fault::Html) => html(),
        Some(Fault::Reset) => {
            wire.reset();
            StatusCode::OK.into_response()
        }
        Some(Fault::OriginTimeout) => origin_timeout(),
        Some(Fault::Allowance) => (StatusCode::TOO_MANY_REQUESTS, ALLOWANCE).into_response(),
        Some(Fault::LostCursor) => json(Reply::invalid("invalid after_cursor")),
        fault => match (Request { asked, uri, body, faults, fault }).compute(state, rng).await {
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Ok(Answered { mut reply, is_cut, .. }) => match fault {
                Some(Fault::CutJson) => {
                    reply.body.truncate(reply.body.len() * 2 / 3);
                    json(reply)
                }
                Some(Fault::CutBody) => closing_midway(reply),
                _ if is_cut => closing_midway(reply),
                _ => json(reply),
            },
        },
    }
}

/// A request and what happens to it.
struct Request {
    asked: Asked,
    uri: Uri,
    body: Bytes,
    faults: Arc<Faults>,
    fault: Option<Fault>,
}

impl Request {
    /// The answer of a service that is as the faults make it, when it is due.
    async fn compute(self, state: Arc<Served>, mut rng: Rng) -> Result<Answered, JoinError> {
        if self.fault == Some(Fault::Stall) {
            tokio::time::sleep(self.faults.stall).await;
        }
        let is_behind = matches!(self.fault, Some(Fault::Lag | Fault::Stale));
        let lag = if is_behind { self.faults.lag } else { 0 };
        let head = state.head().saturating_sub(lag).max(state.ledger.world.config().first_block);
        // A wide range takes a while to render: not on a thread that others wait for.
        let answered = spawn_blocking(move || self.answer(&state, head, &mut rng)).await?;
        tokio::time::sleep(answered.delay).await;
        Ok(answered)
    }

    fn answer(&self, state: &Served, head: u64, rng: &mut Rng) -> Answered {
        let world = &state.ledger.world;
        let circle = if rng.one_in(2) { Circle::Here } else { Circle::Start };
        let sight = || Sight {
            gamma: world.gamma(),
            wallets: world.wallets(),
            now: head,
            faults: &self.faults,
            circle: (self.fault == Some(Fault::CircularCursor)).then_some(circle),
        };
        let uri = &self.uri;
        let reply = match self.asked {
            Asked::Rpc { .. } => {
                let (ledger, faults, refused_ranges) = (&state.ledger, &*self.faults, &state.refused_ranges);
                let rate_limited = self.fault == Some(Fault::RpcRateLimit);
                let lies = &faults.lies_of(self.asked);
                let node = rpc::Node { ledger, head, faults, lies, rate_limited, refused_ranges };
                let rpc::Answer { reply, is_cut, calls } = rpc::answer(&node, rng, &self.body);
                state.traffic.note(self.asked, calls);
                return Answered { reply, is_cut, delay: Duration::ZERO };
            }
            Asked::Keyset { .. } => sight().keyset(uri),
            Asked::Markets => sight().by_offset(uri),
            Asked::Market => sight().single(uri.path().trim_start_matches("/markets/"), uri),
            Asked::Tokens => {
                let seed = world.config().seed;
                let poison = self.faults.data_api_poison;
                DataApi { seed, wallets: world.wallets(), gamma: world.gamma(), now: head, poison }.tokens(uri)
            }
            Asked::Goldsky => {
                let subgraph = Subgraph { world, faults: &self.faults.goldsky, head };
                let goldsky::Answer { reply, delay } = goldsky::answer(subgraph, self.fault, rng, &self.body);
                return Answered { reply, is_cut: false, delay };
            }
            Asked::Control | Asked::Nothing => Reply::not_found("no such page"),
        };
        Answered { reply, is_cut: false, delay: Duration::ZERO }
    }
}

/// What a service answers.
struct Answered {
    reply: Reply,
    /// Whether its connection closes in the middle.
    is_cut: bool,
    /// How long it takes.
    delay: Duration,
}

fn is_down(faults: &Faults, asked: Asked) -> bool {
    match asked {
        Asked::Rpc { .. } => faults.rpc_down,
        Asked::Tokens => faults.data_api_down,
        Asked::Goldsky => faults.goldsky_down,
        asked => asked.is_gamma() && faults.gamma_down,
    }
}

fn bears_token(faults: &Faults, headers: &HeaderMap) -> bool {
    let borne = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    faults
        .goldsky
        .token
        .as_ref()
        .is_none_or(|token| borne.and_then(|borne| borne.strip_prefix("Bearer ")) == Some(token.as_str()))
}

/// What Goldsky says where its limit of requests is reached.
const ALLOWANCE: &str =
    "Sorry, you've surpassed your query allowance. Please try again - limits reset every 10 seconds.";

/// 524, as Cloudflare says it.
fn origin_timeout() -> Response {
    let status = StatusCode::from_u16(524).unwrap_or(StatusCode::GATEWAY_TIMEOUT);
    (status, [(header::CONTENT_TYPE, "text/plain; charset=UTF-8")], "error code: 524").into_response()
}

const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

fn json(reply: Reply) -> Response {
    (reply.status, [JSON], reply.body).into_response()
}

fn too_many_requests(rng: &mut Rng) -> Response {
    let status = StatusCode::TOO_MANY_REQUESTS;
    if rng.one_in(2) {
        (status, [(header::RETRY_AFTER, "0")], "Too many requests").into_response()
    } else {
        (status, "Too many requests").into_response()
    }
}

fn html() -> Response {
    let page = "<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body></body></html>\n";
    ([(header::CONTENT_TYPE, "text/html; charset=UTF-8")], page).into_response()
}

/// Promises all of the body and sends half of it.
fn closing_midway(reply: Reply) -> Response {
    let Reply { status, mut body } = reply;
    let promised = body.len();
    body.truncate(promised / 2);
    let half = stream::once(async move { Ok(Bytes::from(body)) });
    let end = stream::once(async {
        // The half is written out while this waits; an error at once would discard it.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::UnexpectedEof))
    });
    let headers = [JSON, (header::CONTENT_LENGTH, &promised.to_string())];
    (status, headers, Body::from_stream(half.chain(end))).into_response()
}
