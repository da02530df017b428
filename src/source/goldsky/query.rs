//! What the subgraph is asked, as the bodies of requests.

use serde_json::{Value, json};

use super::place::Place;

const FILLS: &str = include_str!("fills.graphql");
const FRONTIER: &str = include_str!("frontier.graphql");
const FIRST: &str = include_str!("first.graphql");

/// The first rows behind one place, none of them of a second behind another.
pub(super) fn fills(from: &Place, end: &Place, first: usize) -> String {
    let (second, last) = (from.second.to_string(), end.last_second().to_string());
    // A filter of columns does not go beside `or`.
    let wanted: Value = if from.id.is_empty() {
        json!({ "timestamp_gte": second, "timestamp_lte": last })
    } else {
        json!({ "or": [
            { "timestamp_gt": second, "timestamp_lte": last },
            { "timestamp": second, "id_gt": from.id },
        ] })
    };
    json!({ "query": FILLS, "variables": { "first": first, "where": wanted } }).to_string()
}

/// How far it is, and its newest row.
pub(super) fn frontier() -> String {
    json!({ "query": FRONTIER }).to_string()
}

/// Its first row.
pub(super) fn first() -> String {
    json!({ "query": FIRST }).to_string()
}
