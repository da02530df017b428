//! Asking ClickHouse: every call with a timeout, every insert with its settings pinned.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clickhouse::query::Query;
use clickhouse::{Client, Compression, RowOwned, RowRead};
use parking_lot::Mutex;

use super::{ClickhouseConfig, ClickhouseError, transport};
use crate::warehouse::WarehouseError;

const SETTINGS: &str = include_str!("../../../schema/clickhouse/queries/settings.sql");

/// How long one read may take.
const READ: Duration = Duration::from_secs(60);

/// How long a statement may take that moves rows inside of ClickHouse.
const MOVE: Duration = Duration::from_secs(600);

/// How long one piece of a body may take, and ClickHouse to confirm them all.
const SEND: Duration = Duration::from_secs(10);
const CONFIRM: Duration = Duration::from_secs(60);

/// How much of a body is compressed and sent at once.
const PIECE: usize = 1 << 20;

/// The longest statement. ClickHouse's own limit is smaller than a list of tokens.
const MAX_QUERY: u32 = 16 << 20;

/// A client and where it leads. Clones share it.
#[derive(Clone)]
pub(super) struct Connection {
    client: Client,
    config: Arc<ClickhouseConfig>,
    /// Why TLS cannot be spoken, where it cannot.
    without_tls: Option<Arc<str>>,
    /// What an insert is sent with; `None` until the server was asked which of it it knows.
    pinned: Arc<Mutex<Option<Pinned>>>,
}

type Pinned = Arc<[(&'static str, &'static str)]>;

/// What would be pinned, in the order in which the names were introduced. Of the two that switch deduplication by content off
/// only the newest that the server knows: it has the last word.
const DEDUPLICATION: [(&str, &str); 2] = [("deduplicate_insert", "disable"), ("insert_deduplicate", "0")];
const OTHERS: [(&str, &str); 4] = [
    ("async_insert", "0"),
    ("deduplicate_insert_select", "disable"),
    ("deduplicate_blocks_in_dependent_materialized_views", "0"),
    ("max_partitions_per_insert_block", "0"),
];

impl Connection {
    /// Nobody is asked yet.
    pub(super) fn new(config: ClickhouseConfig) -> Self {
        let config = config.settled();
        let (client, without_tls) = match transport::client(&config) {
            Ok(client) => (client, None),
            Err(text) => (Client::default(), Some(text.into())),
        };
        let client = client
            .with_url(&config.url)
            .with_user(&config.user)
            .with_password(&config.password)
            .with_database(&config.database)
            .with_compression(Compression::Lz4)
            .with_product_info("polytape", env!("CARGO_PKG_VERSION"));
        Self { client, config: Arc::new(config), without_tls, pinned: Arc::default() }
    }

    pub(super) fn config(&self) -> &ClickhouseConfig {
        &self.config
    }

    /// A statement in the database. Its `?` are to be bound.
    pub(super) fn query(&self, sql: &str) -> Query {
        pinned_query(self.client.query(sql))
    }

    /// One that needs no database to be there.
    pub(super) fn query_outside(&self, sql: &str) -> Query {
        pinned_query(self.outside().query(sql))
    }

    /// Does without a database, as `CREATE DATABASE` must.
    pub(super) fn outside(&self) -> Client {
        self.client.clone().with_database("default")
    }

    /// The rows of a read.
    pub(super) async fn rows<T: RowOwned + RowRead>(&self, query: Query) -> Result<Vec<T>, ClickhouseError> {
        self.check_tls()?;
        match tokio::time::timeout(READ, query.fetch_all::<T>()).await {
            Ok(rows) => rows.map_err(|error| self.failed(error, READ)),
            Err(_) => Err(self.timed_out(READ)),
        }
    }

    /// Executes a statement that is not an insert.
    pub(super) async fn execute(&self, query: Query) -> Result<(), ClickhouseError> {
        self.check_tls()?;
        match tokio::time::timeout(MOVE, query.execute()).await {
            Ok(done) => done.map_err(|error| self.failed(error, MOVE)),
            Err(_) => Err(self.timed_out(MOVE)),
        }
    }

    /// Executes an `INSERT … SELECT`, with the settings of an insert.
    pub(super) async fn move_rows(&self, bind: impl FnOnce(&Client) -> Query) -> Result<(), WarehouseError> {
        let mut query = bind(&self.client).with_setting("max_query_size", MAX_QUERY.to_string());
        query = query.with_setting("use_skip_indexes_if_final", "0").with_setting("wait_end_of_query", "1");
        for (name, value) in self.pinned().await?.iter() {
            query = query.with_setting(*name, *value);
        }
        self.execute(query).await.map_err(|error| self.refused(error))
    }

    /// Sends encoded rows. When it returns they are there.
    ///
    /// A connection that the server closed while it was idle shows only in use: then the same bytes are sent once more at
    /// once. Sending rows again changes nothing.
    pub(super) async fn insert(&self, sql: &str, rows: &Bytes) -> Result<(), WarehouseError> {
        if rows.is_empty() {
            return Ok(());
        }
        let pinned = self.pinned().await?;
        let sent = match self.send(sql, rows, &pinned).await {
            Err(ClickhouseError::Network { .. }) => self.send(sql, rows, &pinned).await,
            sent => sent,
        };
        sent.map_err(|error| self.refused(error))
    }

    async fn send(&self, sql: &str, rows: &Bytes, pinned: &Pinned) -> Result<(), ClickhouseError> {
        let mut insert = self.client.insert_formatted_with(sql.trim_end()).with_timeouts(Some(SEND), Some(CONFIRM));
        insert = insert.with_setting("wait_end_of_query", "1");
        for (name, value) in pinned.iter() {
            insert = insert.with_setting(*name, *value);
        }
        let sending = async {
            let mut rest = rows.clone();
            while !rest.is_empty() {
                insert.send(rest.split_to(rest.len().min(PIECE))).await?;
            }
            insert.end().await
        };
        sending.await.map_err(|error| self.failed(error, CONFIRM))
    }

    /// What an insert is sent with. The server is asked once, and again where it turned out to be another.
    async fn pinned(&self) -> Result<Pinned, ClickhouseError> {
        let known = self.pinned.lock().clone();
        if let Some(pinned) = known {
            return Ok(pinned);
        }
        let all = DEDUPLICATION.iter().chain(&OTHERS);
        let names: Vec<&str> = all.map(|(name, _)| *name).collect();
        let known: Vec<String> = self.rows(self.query(SETTINGS).bind(names)).await?;
        let is_known = |(name, _): &&(&str, &str)| known.iter().any(|known| known == name);
        let deduplication = DEDUPLICATION.iter().find(is_known);
        let pinned: Pinned = deduplication.into_iter().chain(OTHERS.iter().filter(is_known)).copied().collect();
        *self.pinned.lock() = Some(pinned.clone());
        Ok(pinned)
    }

    /// Whose fault it is that an insert failed.
    fn refused(&self, error: ClickhouseError) -> WarehouseError {
        if error.code() == Some(UNKNOWN_SETTING) {
            // An older server has taken its place.
            *self.pinned.lock() = None;
        }
        if error.refuses_rows() { WarehouseError::Rows(error.to_string()) } else { WarehouseError::Clickhouse(error) }
    }

    fn check_tls(&self) -> Result<(), ClickhouseError> {
        match &self.without_tls {
            Some(text) => Err(ClickhouseError::Tls { at: self.config.url.clone(), text: text.to_string() }),
            None => Ok(()),
        }
    }

    fn failed(&self, error: clickhouse::error::Error, after: Duration) -> ClickhouseError {
        ClickhouseError::new(&self.config.url, error, after)
    }

    fn timed_out(&self, after: Duration) -> ClickhouseError {
        ClickhouseError::Timeout { at: self.config.url.clone(), after }
    }
}

const UNKNOWN_SETTING: u32 = 115;

/// A read ends when nobody waits for it any more. Indexes of columns that differ among the versions of a row must not hide one
/// of them from FINAL.
fn pinned_query(query: Query) -> Query {
    query
        .with_setting("max_query_size", MAX_QUERY.to_string())
        .with_setting("use_skip_indexes_if_final", "0")
        .with_setting("cancel_http_readonly_queries_on_client_close", "1")
}
