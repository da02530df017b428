//! ClickHouse as two replicas behind one address, of which the one that answers reads may lag.
//!
//! There is one engine. What the replica that lags knows are copies of some tables, made at some moment, beside them. While it lags, what
//! is read of those tables is read there, also by the SELECT of an INSERT, and what is written goes into the real ones.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use reqwest::Client;
use tokio_util::task::AbortOnDropHandle;

use super::clickhouse::Database;
use super::gateway;

/// Larger than anything that a test sends.
const MOST: usize = 64 << 20;

/// The address of both.
pub struct Lagging {
    address: SocketAddr,
    shared: Arc<Shared>,
    _serving: AbortOnDropHandle<()>,
}

struct Shared {
    server: String,
    client: Client,
    tables: Vec<&'static str>,
    is_lagging: AtomicBool,
    misled: Mutex<BTreeMap<&'static str, usize>>,
}

impl Lagging {
    /// In front of the server at a URL. These tables may lag.
    pub async fn of(server: &str, tables: &[&'static str]) -> Self {
        let shared = Arc::new(Shared {
            server: server.to_owned(),
            client: gateway::client(),
            tables: tables.to_vec(),
            is_lagging: AtomicBool::new(false),
            misled: Mutex::default(),
        });
        let app = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let (address, serving) = gateway::listen(app).await;
        Self { address, shared, _serving: serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is in the tables now is what the replica will know while it lags.
    pub fn copy(&self, database: &Database) {
        for table in &self.shared.tables {
            database.execute(&format!("CREATE TABLE IF NOT EXISTS {table}_behind AS {table}"));
            database.execute(&format!("TRUNCATE TABLE {table}_behind"));
            database.execute(&format!("INSERT INTO {table}_behind SELECT * FROM {table}"));
        }
    }

    /// From now on the replica answers that knows only what was copied, or one that knows all.
    pub fn lag(&self, is_lagging: bool) {
        self.shared.is_lagging.store(is_lagging, Ordering::Relaxed);
    }

    /// How many statements have read in this table what is old.
    pub fn misled(&self, table: &str) -> usize {
        self.shared.misled.lock().get(table).copied().unwrap_or(0)
    }
}

impl Shared {
    /// A statement as the replica that lags takes it. In a URL a space is a `+`.
    fn of_replica(&self, statement: &str) -> String {
        let mut sql = statement.to_owned();
        for (table, space) in self.tables.iter().flat_map(|table| [(table, " "), (table, "+")]) {
            let from = format!("FROM{space}{table}");
            if sql.contains(&from) {
                sql = sql.replace(&from, &format!("{from}_behind"));
                *self.misled.lock().entry(table).or_default() += 1;
            }
        }
        sql
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let mut path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let Ok(mut body) = to_bytes(body, MOST).await else { return StatusCode::BAD_REQUEST.into_response() };
    // Rows are no statement.
    if shared.is_lagging.load(Ordering::Relaxed) && !path.contains("query=INSERT") {
        path = shared.of_replica(&path);
        if let Ok(statement) = std::str::from_utf8(&body) {
            body = shared.of_replica(statement).into();
        }
    }
    gateway::pass(&shared.client, &format!("{}{path}", shared.server), &head.headers, body).await
}
