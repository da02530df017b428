//! An HTTP server that answers as its script says, and as a good subgraph where the script says nothing.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::TOKEN;

/// A part of the URL that must never be shown.
const KEY: &str = "0123456789secret";

/// What the subgraph has.
#[derive(Clone, Default)]
pub(super) struct Subgraph {
    pub(super) rows: Vec<Value>,
    pub(super) meta: Value,
}

/// A running subgraph.
pub(super) struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Value>>>,
    subgraph: Arc<Mutex<Subgraph>>,
    task: JoinHandle<()>,
}

impl Server {
    /// A subgraph with these rows, in any order.
    pub(super) async fn of(rows: Vec<Value>) -> Self {
        Self::scripted(rows, |_, _| None).await
    }

    /// One that answers with `script`, which is told the request and how many came before it, and as a good subgraph does
    /// where that gives `None`.
    pub(super) async fn scripted(
        rows: Vec<Value>,
        script: impl Fn(&Value, usize) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        let meta = json!({ "block": { "number": 7, "timestamp": null }, "hasIndexingErrors": false });
        let subgraph = Arc::new(Mutex::new(Subgraph { rows, meta }));
        let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (log, state, script) = (Arc::clone(&asked), Arc::clone(&subgraph), Arc::new(script));
        let handler = move |headers: HeaderMap, body: String| async move {
            assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
            let request: Value = serde_json::from_str(&body).unwrap();
            let before = log.lock().len();
            log.lock().push(request.clone());
            script(&request, before).unwrap_or_else(|| state.lock().answer(&request))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(handler);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, asked, subgraph, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{KEY}/gn", self.port)
    }

    /// What errors call it.
    pub(super) fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.lock().len()
    }

    /// How many rows were asked for, each time that a page was.
    pub(super) fn firsts(&self) -> Vec<u64> {
        self.asked.lock().iter().filter_map(|request| request["variables"]["first"].as_u64()).collect()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Subgraph)) {
        change(&mut self.subgraph.lock());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Subgraph {
    fn answer(&self, request: &Value) -> Response {
        let query = request["query"].as_str().unwrap();
        let data = if query.starts_with("query Fills(") {
            json!({ "orderFilledEvents": self.page(&request["variables"]) })
        } else if query.starts_with("query Frontier ") {
            let newest = self.sorted().pop();
            json!({ "_meta": self.meta, "newest": Vec::from_iter(newest) })
        } else {
            let first = self.sorted().into_iter().next();
            json!({ "orderFilledEvents": Vec::from_iter(first) })
        };
        data_of(&data)
    }

    fn sorted(&self) -> Vec<Value> {
        let mut rows = self.rows.clone();
        rows.sort_by_key(key);
        rows
    }

    fn page(&self, variables: &Value) -> Vec<Value> {
        let first = usize::try_from(variables["first"].as_u64().unwrap()).unwrap();
        let wanted = &variables["where"];
        let passes = |row: &Value| match wanted["or"].as_array() {
            Some(any) => any.iter().any(|filter| takes(filter, row)),
            None => takes(wanted, row),
        };
        self.sorted().into_iter().filter(passes).take(first).collect()
    }
}

fn takes(filter: &Value, row: &Value) -> bool {
    let (second, id) = key(row);
    filter.as_object().unwrap().iter().all(|(name, value)| {
        let value = value.as_str().expect("every value is a text");
        let number = || value.parse::<u64>().unwrap();
        match name.as_str() {
            "timestamp" => second == number(),
            "timestamp_gt" => second > number(),
            "timestamp_gte" => second >= number(),
            "timestamp_lte" => second <= number(),
            "id_gt" => id.as_str() > value,
            name => panic!("{name}"),
        }
    })
}

fn key(row: &Value) -> (u64, String) {
    let second = match &row["timestamp"] {
        Value::String(second) => second.parse().unwrap(),
        second => second.as_u64().unwrap(),
    };
    (second, row["id"].as_str().unwrap().to_owned())
}

/// An answer that is well.
pub(super) fn data_of(data: &Value) -> Response {
    text(StatusCode::OK, &json!({ "data": data }).to_string())
}

pub(super) fn text(status: StatusCode, body: &str) -> Response {
    (status, body.to_owned()).into_response()
}

/// A row of a second, told from others by a number.
pub(super) fn row(second: u64, number: u64) -> Value {
    let (transaction, order) = (format!("0x{number:064x}"), format!("0x{:064x}", 0xabc));
    json!({
        "id": format!("{transaction}_{order}"),
        "transactionHash": transaction,
        "timestamp": second.to_string(),
        "orderHash": order,
        "maker": format!("0x{:040x}", 1),
        "taker": format!("0x{:040x}", 2),
        "makerAssetId": "0",
        "takerAssetId": (number + 1).to_string(),
        "makerAmountFilled": "420000",
        "takerAmountFilled": "1000000",
        "fee": "7",
    })
}
