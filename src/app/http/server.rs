//! The web server: metrics, health and the snapshot. It reads what is published and asks the pipeline nothing.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{io, net::SocketAddr};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::health::{Reason, reasons, stale};
use super::listener::Bounded;
use super::metrics::{Format, Process, encoded};
use crate::broker::Broker;
use crate::clock::unix_ms;
use crate::config::HttpConfig;
use crate::monitor::Snapshot;

/// By which lease one process of a pipeline tells what all of them see alike.
const LEASE: &str = "metrics";

/// How often to ask for it: whoever had it may have ended.
const EVERY: Duration = Duration::from_secs(5);

/// Bytes of a request's body, at most: nothing here has one.
const MOST: usize = 4 << 10;

/// What is told, and by which rules.
pub(crate) struct Told {
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) config: HttpConfig,
}

/// A web server that runs as long as this is kept.
pub(crate) struct HttpServer {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    _tasks: [AbortOnDropHandle<()>; 2],
}

/// What each request sees.
struct Shared {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    config: HttpConfig,
    tells_shared: Arc<AtomicBool>,
}

impl HttpServer {
    /// Listens where it is configured to; nothing where that is nowhere.
    pub(crate) async fn start(told: Told) -> io::Result<Option<Self>> {
        let Told { snapshots, broker, config } = told;
        if config.listen.is_empty() {
            return Ok(None);
        }
        let listener = TcpListener::bind(&config.listen).await?;
        let address = listener.local_addr()?;
        let tells_shared = Arc::new(AtomicBool::new(false));
        let shared = Arc::new(Shared { snapshots, config, tells_shared: Arc::clone(&tells_shared) });
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/health/live", get(live))
            .route("/health/ready", get(ready))
            .route("/status.json", get(status))
            .layer(axum::extract::DefaultBodyLimit::max(MOST))
            .with_state(shared);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(Bounded::new(listener), router).await {
                tracing::error!("the web server ended: {error}");
            }
        });
        let leasing = tokio::spawn(lease(broker, tells_shared));
        Ok(Some(Self { address, _tasks: [serving, leasing].map(AbortOnDropHandle::new) }))
    }
}

/// Finds out again and again whether this is the process that tells what all see alike.
async fn lease(broker: Arc<dyn Broker>, tells_shared: Arc<AtomicBool>) {
    loop {
        let is_held = tokio::time::timeout(EVERY, broker.acquire_lease(LEASE)).await;
        tells_shared.store(matches!(is_held, Ok(Ok(true))), Ordering::Relaxed);
        tokio::time::sleep(EVERY).await;
    }
}

async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let format = Format::accepted(&accept.collect::<Vec<_>>().join(","));
    let snapshot = Arc::clone(&shared.snapshots.borrow());
    let is_fresh = stale(&snapshot, unix_ms()).is_none();
    let process = Process { snapshot, tells_shared: shared.tells_shared.load(Ordering::Relaxed), is_fresh };
    match encoded(process, format) {
        Ok(text) => ([(header::CONTENT_TYPE, format.content_type())], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn live() -> Response {
    json_answer(StatusCode::OK, &json!({ "live": true }))
}

async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let snapshot = Arc::clone(&shared.snapshots.borrow());
    let reasons = reasons(&snapshot, shared.config.ready_within, unix_ms());
    let told = |reason: &Reason| {
        let since = reason.since.and_then(|since| Timestamp::from_millisecond(since).ok());
        json!({ "why": reason.why, "since": since.map(|since| since.to_string()) })
    };
    let code = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_answer(code, &json!({ "ready": reasons.is_empty(), "reasons": reasons.iter().map(told).collect::<Vec<_>>() }))
}

async fn status(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if !is_allowed(&headers, &shared.config.hosts) {
        let why = "this host name is not in http.hosts: ask by IP address, or add it there\n";
        return (StatusCode::MISDIRECTED_REQUEST, why).into_response();
    }
    let snapshot = Arc::clone(&shared.snapshots.borrow());
    match serde_json::to_vec(&*snapshot) {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn json_answer(code: StatusCode, value: &serde_json::Value) -> Response {
    (code, [(header::CONTENT_TYPE, "application/json")], format!("{value}\n")).into_response()
}

/// Whether a request may see it under the name that it asked for. A page elsewhere that has its name lead here would read it
/// in somebody's browser: an address and `localhost` cannot be made to.
fn is_allowed(headers: &HeaderMap, hosts: &[String]) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    bare.parse::<IpAddr>().is_ok() || bare == "localhost" || hosts.contains(&bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_told_to_who_asks_by_address_or_by_a_configured_name() {
        let hosts = ["tape.example.com".to_owned()];
        let is_allowed = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            is_allowed(&headers, &hosts)
        };
        for host in
            ["127.0.0.1:9464", "10.0.0.7", "[::1]:9464", "[::1]", "localhost:9464", "LOCALHOST", "Tape.example.com:80"]
        {
            assert!(is_allowed(host), "{host}");
        }
        for host in ["evil.example", "evil.example:9464", "127.0.0.1.evil.example", ""] {
            assert!(!is_allowed(host), "{host}");
        }
    }
}
