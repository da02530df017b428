//! A chain and a catalogue that a test writes down itself.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{B256, U256};
use polytape::model::{Collateral, TokenId, derive_token_id};
use serde_json::{Value, json};

use super::catalogue::Catalogue;
use super::logs::{Sell, lines};
use super::node::{Node, Recording};
use super::process::{Ended, Workplace};

/// How long anything may take that is expected to happen at once.
pub const SOON: Duration = Duration::from_secs(60);

pub const FIRST: u64 = 97_000_000;

pub const UNTIL_CAUGHT_UP: [&str; 4] = ["--no-tui", "--until-caught-up", "--timeout", "30s"];

/// A chain and a catalogue that are written down in the test, and a place that reads them.
pub struct Written {
    pub place: Workplace,
    pub catalogue: Arc<Catalogue>,
    _nodes: [Node; 2],
}

impl Written {
    pub async fn new(sells: &[Sell], markets: impl IntoIterator<Item = Value>) -> Self {
        Self::with(&lines(sells), markets, "active").await
    }

    /// Of logs as they are, and with `scan`.
    pub async fn with(logs: &str, markets: impl IntoIterator<Item = Value>, scan: &str) -> Self {
        // A log far behind the others keeps the recording's head away from them.
        let end = Sell::of(TokenId(U256::ONE), FIRST + 100, 0);
        let recording = Recording::new(&[logs, &lines(&[end])], &[]);
        let (node, catalogue) = (Node::of(Arc::new(recording)).await, Catalogue::of(markets));
        let gamma = catalogue.serve().await;
        let place = Workplace::new(&format!(
            r#"
            pipeline.start = "{FIRST}"
            sources.polygon = {{ urls = ["{}"], poll_interval = "20ms" }}
            sources.gamma = {{ url = "{url}", poll_interval = "50ms", scan = "{scan}", max_rate = 10000 }}
            sources.data_api = {{ url = "{url}", max_rate = 10000 }}
            writer.linger = "10ms"
            storage.min_free = "0B"
            "#,
            node.url(),
            url = gamma.url(),
        ));
        Self { place, catalogue, _nodes: [node, gamma] }
    }

    /// Reads all there is.
    pub fn read(&self) {
        let ended: Ended = self.place.run(&UNTIL_CAUGHT_UP, SOON);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }

    /// One column of a table, as text, in the order of another.
    pub fn column(&self, table: &str, column: &str, order: &str) -> Vec<String> {
        let Some(store) = self.place.store() else { return Vec::new() };
        let sql = format!("SELECT CAST({column} AS TEXT) FROM {table} ORDER BY {order}");
        let Ok(mut select) = store.prepare(&sql) else { return Vec::new() };
        select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }
}

pub fn condition(number: u8) -> B256 {
    B256::repeat_byte(number)
}

pub fn token(number: u8) -> TokenId {
    derive_token_id(condition(number), 0, Collateral::UsdcE)
}

/// An open market, made so many hours ago.
pub fn market(number: u8, hours: u8) -> Value {
    json!({
        "id": format!("{}", 1_000 + u64::from(number)), "conditionId": condition(number).to_string(),
        "question": format!("Question {number}?"), "outcomes": "[\"Yes\", \"No\"]", "active": true, "closed": false,
        "createdAt": format!("2026-07-{:02}T{:02}:00:00Z", 24 - hours / 24, 23 - hours % 24),
        "updatedAt": "2026-07-24T23:30:00Z",
    })
}
