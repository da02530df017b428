//! Answers requests, with the faults that are switched on.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use tokio::task::{JoinError, spawn_blocking};

use super::asked::Asked;
use super::control;
use super::data_api::DataApi;
use super::dice::{Dice, Purpose};
use super::faults::{Fault, Faults};
use super::gamma::{Circle, Sight};
use super::listener::Wire;
use super::reply::Reply;
use super::rpc;
use super::server::Served;

pub(super) async fn serve(
    State(state): State<Arc<Served>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let asked = Asked::of(&method, &uri);
    if asked == Asked::Control {
        let reply = spawn_blocking(move || control::answer(&state, &method, &uri, &body)).await;
        return reply.map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), json);
    }
    let number = state.requests.fetch_add(1, Ordering::Relaxed);
    state.gamma_requests.fetch_add(u64::from(asked.is_gamma()), Ordering::Relaxed);
    let mut dice = Dice::new(state.ledger.world.config().seed, Purpose::Faults, number);
    let faults = state.faults.get();
    if is_down(&faults, asked) {
        return (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable").into_response();
    }
    let fault = faults.draw(&mut dice, asked);
    state.faulted.fetch_add(u64::from(fault.is_some()), Ordering::Relaxed);
    match fault {
        Some(Fault::TooManyRequests) => too_many_requests(&mut dice),
        Some(Fault::ServerError) => (StatusCode::INTERNAL_SERVER_ERROR, "upstream unavailable").into_response(),
        Some(Fault::Html) => html(),
        Some(Fault::Reset) => {
            wire.reset();
            StatusCode::OK.into_response()
        }
        Some(Fault::LostCursor) => json(Reply::invalid("invalid after_cursor")),
        fault => match (Request { asked, uri, body, faults, fault }).compute(state, dice).await {
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Ok((mut reply, is_cut)) => match fault {
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
    /// The answer of a service that is as the faults make it, and whether its connection closes in the middle.
    async fn compute(self, state: Arc<Served>, mut dice: Dice) -> Result<(Reply, bool), JoinError> {
        if self.fault == Some(Fault::Stall) {
            tokio::time::sleep(self.faults.stall).await;
        }
        let is_behind = matches!(self.fault, Some(Fault::Lag | Fault::Stale));
        let lag = if is_behind { self.faults.lag } else { 0 };
        let head = state.head().saturating_sub(lag).max(state.ledger.world.config().first_block);
        // A wide range takes a while to render: not on a thread that others wait for.
        spawn_blocking(move || self.answer(&state, head, &mut dice)).await
    }

    fn answer(&self, state: &Served, head: u64, dice: &mut Dice) -> (Reply, bool) {
        let world = &state.ledger.world;
        let circle = if dice.one_in(2) { Circle::Here } else { Circle::Start };
        let sight = || Sight {
            gamma: world.gamma(),
            cast: world.cast(),
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
                let rpc::Answer { reply, is_cut, calls } = rpc::answer(&node, dice, &self.body);
                state.traffic.note(self.asked, calls);
                return (reply, is_cut);
            }
            Asked::Keyset { .. } => sight().keyset(uri),
            Asked::Markets => sight().by_offset(uri),
            Asked::Market => sight().single(uri.path().trim_start_matches("/markets/"), uri),
            Asked::Tokens => {
                let seed = world.config().seed;
                let poison = self.faults.data_api_poison;
                DataApi { seed, cast: world.cast(), gamma: world.gamma(), now: head, poison }.tokens(uri)
            }
            Asked::Control | Asked::Nothing => Reply::not_found("no such page"),
        };
        (reply, false)
    }
}

fn is_down(faults: &Faults, asked: Asked) -> bool {
    match asked {
        Asked::Rpc { .. } => faults.rpc_down,
        Asked::Tokens => faults.data_api_down,
        asked => asked.is_gamma() && faults.gamma_down,
    }
}

const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

fn json(reply: Reply) -> Response {
    (reply.status, [JSON], reply.body).into_response()
}

fn too_many_requests(dice: &mut Dice) -> Response {
    let status = StatusCode::TOO_MANY_REQUESTS;
    if dice.one_in(2) {
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
