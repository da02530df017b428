//! A Gamma whose markets a test writes down itself, as JSON, in pages of two: what a listing does at the border of a page shows with few.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::node::Node;

/// Markets of a page.
const PAGE: usize = 2;

/// The markets, which a test may change while they are read.
#[derive(Default)]
pub struct Catalogue {
    markets: Mutex<Vec<Value>>,
    /// Parts of a page that are no markets, behind all that are.
    pub rubbish: Mutex<Vec<Value>>,
    /// The parameters of every request, in order.
    asked: Mutex<Vec<Vec<(String, String)>>>,
}

impl Catalogue {
    pub fn of(markets: impl IntoIterator<Item = Value>) -> Arc<Self> {
        Arc::new(Self { markets: Mutex::new(markets.into_iter().collect()), ..Self::default() })
    }

    /// Adds a market.
    pub fn add(&self, market: Value) {
        self.markets.lock().push(market);
    }

    /// Changes a field of a market.
    pub fn set(&self, id: &str, field: &str, value: Value) {
        self.markets
            .lock()
            .iter_mut()
            .filter(|market| market["id"] == id)
            .for_each(|market| market[field] = value.clone());
    }

    /// How many requests there were so far with all of these parameters.
    pub fn asked(&self, parameters: &[(&str, &str)]) -> usize {
        let has =
            |query: &[(String, String)], (key, value): &(&str, &str)| query.iter().any(|(k, v)| k == key && v == value);
        self.asked.lock().iter().filter(|query| parameters.iter().all(|parameter| has(query, parameter))).count()
    }

    /// Serves it until the node is dropped.
    pub async fn serve(self: &Arc<Self>) -> Node {
        let serve = async |State(catalogue): State<Arc<Self>>, uri: Uri, RawQuery(query): RawQuery| {
            catalogue.answer(&uri, &query.unwrap_or_default())
        };
        Node::serve(axum::Router::new().fallback(serve).with_state(Arc::clone(self))).await
    }

    fn answer(&self, uri: &Uri, query: &str) -> Response {
        if uri.path().ends_with("/v2/tokens") {
            return json!({ "data": [] }).to_string().into_response();
        }
        let url = reqwest::Url::parse(&format!("http://x/?{query}")).unwrap();
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        self.asked.lock().push(query.clone());
        let all = |name: &str| -> Vec<&str> {
            query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
        };
        let one = |name: &str| all(name).first().copied();
        if one("offset").is_some() {
            return (StatusCode::UNPROCESSABLE_ENTITY, "offset too large").into_response();
        }
        let wanted: Vec<&str> = ["clob_token_ids", "condition_ids", "position_ids"].into_iter().flat_map(all).collect();
        let closed = one("closed") == Some("true");
        let mut found: Vec<Value> = self
            .markets
            .lock()
            .iter()
            .filter(|market| (market["closed"] == true) == closed)
            .filter(|market| wanted.is_empty() || wanted.iter().any(|id| names(market, id)))
            .cloned()
            .collect();
        let order = one("order").unwrap_or("id").to_owned();
        let key = |market: &Value| (market[&order].to_string(), market["id"].to_string());
        found.sort_by_key(key);
        if one("ascending") != Some("true") {
            found.reverse();
        }
        let begin = match one("after_cursor") {
            None => 0,
            Some(after) => found.iter().position(|market| market["id"] == after).map_or(found.len(), |at| at + 1),
        };
        let is_last = begin + PAGE >= found.len();
        let mut page: Vec<Value> = found.into_iter().skip(begin).take(PAGE).collect();
        let next = page.last().map(|market| market["id"].clone()).filter(|_| !is_last);
        if is_last && wanted.is_empty() && !closed {
            page.extend(self.rubbish.lock().iter().cloned());
        }
        json!({ "markets": page, "next_cursor": next }).to_string().into_response()
    }
}

/// Whether a market has an id somewhere, as a text of its own.
fn names(market: &Value, id: &str) -> bool {
    market.to_string().replace('\\', "").contains(&format!("\"{id}\""))
}
