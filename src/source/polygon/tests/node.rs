//! An HTTP server that answers as its script says, and as a good node where the script says nothing.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::chain::{Chain, number};

/// A part of the URL that must never be shown.
pub(super) const KEY: &str = "0123456789secret";

/// A running node.
pub(super) struct Node {
    port: u16,
    asked: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Node {
    /// A node that always answers as `chain` does.
    pub(super) async fn good(chain: Chain) -> Self {
        Self::scripted(chain, |_| None).await
    }

    /// A node that answers with `script`, and as `chain` does where that gives `None`.
    pub(super) async fn scripted(
        chain: Chain,
        script: impl Fn(&Value) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (log, state) = (Arc::clone(&asked), Arc::new((chain, script)));
        let handler = move |headers: HeaderMap, body: String| async move {
            assert!(headers["user-agent"].to_str().unwrap().starts_with("polytape/"));
            let request: Value = serde_json::from_str(&body).unwrap();
            log.lock().push(request.clone());
            let (chain, script) = &*state;
            script(&request).unwrap_or_else(|| chain.answer(&request))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(handler);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, asked, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v2/{KEY}", self.port)
    }

    /// What errors call it.
    pub(super) fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// All HTTP requests so far.
    pub(super) fn asked(&self) -> Vec<Value> {
        self.asked.lock().clone()
    }

    /// How often this method has been called, alone or in a batch.
    pub(super) fn calls(&self, method: &str) -> usize {
        let asked = self.asked();
        asked.iter().flat_map(calls).filter(|call| call["method"] == method).count()
    }

    /// The ranges of all `eth_getLogs` so far.
    pub(super) fn ranges(&self) -> Vec<(u64, u64)> {
        let asked = self.asked();
        asked.iter().filter_map(range).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The calls of a request, which may be a batch.
pub(super) fn calls(request: &Value) -> Vec<Value> {
    request.as_array().cloned().unwrap_or_else(|| vec![request.clone()])
}

/// The range of the `eth_getLogs` in a request; none where it asks for a block by its hash.
pub(super) fn range(request: &Value) -> Option<(u64, u64)> {
    let call = calls(request).into_iter().find(|call| call["method"] == "eth_getLogs")?;
    let filter = &call["params"][0];
    filter.get("fromBlock")?;
    Some((number(&filter["fromBlock"]), number(&filter["toBlock"])))
}

/// The answer to a batch, with one result or error for each method that `replace` names.
pub(super) fn answer_with(chain: &Chain, request: &Value, replace: impl Fn(&Value) -> Option<Value>) -> Response {
    let one = |call: &Value| match replace(call) {
        Some(mut answer) => {
            answer["id"] = call["id"].clone();
            answer
        }
        None => chain.one(call),
    };
    match request {
        Value::Array(calls) => calls.iter().map(one).collect::<Value>().to_string(),
        call => one(call).to_string(),
    }
    .into_response()
}

/// A JSON-RPC error for the call.
pub(super) fn error(code: i64, message: &str) -> Value {
    json!({"error": {"code": code, "message": message}})
}

/// A response that breaks off in the middle of its body.
pub(super) fn cut_off() -> Response {
    let chunks = [Ok("[{\"id\":"), Err(std::io::Error::other("the node dies"))];
    Response::new(Body::from_stream(futures::stream::iter(chunks)))
}

pub(super) fn status(code: u16, body: &'static str) -> Response {
    (StatusCode::from_u16(code).unwrap(), body).into_response()
}
