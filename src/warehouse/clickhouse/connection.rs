//! Asking ClickHouse: every call with a timeout, every insert with its settings pinned.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use clickhouse::query::Query;
use clickhouse::{Client, Compression, RowOwned, RowRead};
use parking_lot::Mutex;
use rand::RngExt;

use super::answer::Written;
use super::costs::Costs;
use super::post::{Parameter, Post};
use super::summary::QueryCost;
use super::transport::Transport;
use super::{ClickhouseConfig, ClickhouseError};
use crate::warehouse::WarehouseError;

const SETTINGS: &str = include_str!("../../../schema/clickhouse/queries/settings.sql");

/// How long one read may take.
const READ: Duration = Duration::from_secs(60);

/// How long a statement may take that moves rows inside of ClickHouse.
const MOVE: Duration = Duration::from_secs(600);

/// The longest statement. ClickHouse's own limit is smaller than a list of tokens.
const MAX_QUERY: u32 = 16 << 20;

/// Two clients and where they lead: one for reads, and one for writes, which shows whose answer it was. Clones share them.
#[derive(Clone)]
pub(super) struct Connection {
    reads: Client,
    /// Or why ClickHouse cannot be spoken to as it is configured.
    writes: Result<Post, Arc<str>>,
    config: Arc<ClickhouseConfig>,
    /// What an insert is sent with; `None` until the server was asked which of it it knows.
    pinned: Arc<Mutex<Option<Pinned>>>,
    /// Whether it was said that inserts are not confirmed by their id.
    is_unproved_said: Arc<AtomicBool>,
    /// What the queries cost that are asked again and again.
    costs: Costs,
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
        let transport = Transport::of(&config);
        let reads = transport.as_ref().map_or_else(|_| Client::default(), Transport::for_reads);
        let writes = transport.and_then(|transport| Post::new(&config, &transport)).map_err(Into::into);
        let reads = reads
            .with_url(&config.url)
            .with_user(&config.user)
            .with_password(&config.password)
            .with_database(&config.database)
            .with_compression(Compression::Lz4)
            .with_product_info("polytape", env!("CARGO_PKG_VERSION"));
        let (pinned, is_unproved_said, costs) = (Arc::default(), Arc::default(), Costs::default());
        Self { reads, writes, config: Arc::new(config), pinned, is_unproved_said, costs }
    }

    pub(super) fn config(&self) -> &ClickhouseConfig {
        &self.config
    }

    /// What the queries cost that are asked again and again.
    pub(super) const fn costs(&self) -> &Costs {
        &self.costs
    }

    /// Where it leads, as it is shown.
    pub(super) fn address(&self) -> String {
        self.config.address()
    }

    /// A statement in the database. Its `?` are to be bound.
    pub(super) fn query(&self, sql: &str) -> Query {
        pinned_query(self.reads.query(sql))
    }

    /// One that needs no database to be there.
    pub(super) fn query_outside(&self, sql: &str) -> Query {
        pinned_query(self.reads.clone().with_database(OUTSIDE).query(sql))
    }

    /// The rows of a read.
    pub(super) async fn rows<T: RowOwned + RowRead>(&self, query: Query) -> Result<Vec<T>, ClickhouseError> {
        self.post()?;
        match tokio::time::timeout(READ, query.fetch_all::<T>()).await {
            Ok(rows) => rows.map_err(|error| self.failed(error, READ)),
            Err(_) => Err(self.timed_out(READ)),
        }
    }

    /// The rows of a read, and what it cost. The answer comes when the query has ended, since only then the cost is whole.
    async fn rows_and_cost<T: RowOwned + RowRead>(&self, query: Query) -> Result<(Vec<T>, QueryCost), ClickhouseError> {
        self.post()?;
        let read = async {
            let mut cursor = query.with_setting("wait_end_of_query", "1").fetch::<T>()?;
            let mut rows = Vec::new();
            while let Some(row) = cursor.next().await? {
                rows.push(row);
            }
            Ok((rows, QueryCost::of_read(cursor.summary())))
        };
        match tokio::time::timeout(READ, read).await {
            Ok(read) => read.map_err(|error| self.failed(error, READ)),
            Err(_) => Err(self.timed_out(READ)),
        }
    }

    /// The rows of a read that is asked again and again; what it cost is noted under this name.
    pub(super) async fn periodic<T: RowOwned + RowRead>(
        &self,
        name: &'static str,
        query: Query,
    ) -> Result<Vec<T>, ClickhouseError> {
        let (rows, cost) = self.rows_and_cost(query).await?;
        self.costs.note(name, cost);
        Ok(rows)
    }

    /// The rows of a read about many items, of which so many are asked about at once. Where that is too much for the server or for
    /// something in front of it, it is asked about half as many.
    pub(super) async fn rows_in_parts<I, T: RowOwned + RowRead>(
        &self,
        name: &'static str,
        items: &[I],
        at_once: usize,
        query: impl Fn(&[I]) -> Query,
    ) -> Result<Vec<T>, ClickhouseError> {
        let mut rows = Vec::new();
        let mut parts: Vec<&[I]> = items.chunks(at_once).rev().collect();
        while let Some(part) = parts.pop() {
            match self.periodic(name, query(part)).await {
                Ok(found) => rows.extend::<Vec<T>>(found),
                Err(error) if part.len() > 1 && error.asks_for_less() => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(rows)
    }

    /// The sum of what such reads count.
    pub(super) async fn count_in_parts<I>(
        &self,
        name: &'static str,
        items: &[I],
        at_once: usize,
        query: impl Fn(&[I]) -> Query,
    ) -> Result<u64, ClickhouseError> {
        Ok(self.rows_in_parts::<I, u64>(name, items, at_once, query).await?.into_iter().sum())
    }

    /// Executes a statement that makes, changes or drops what is in the database. Where nothing proves that ClickHouse has done it,
    /// what it made has to be looked at.
    pub(super) async fn execute(&self, query: Query) -> Result<Written, ClickhouseError> {
        self.execute_in(&self.config.database, query).await
    }

    /// The same of one that does without a database, as `CREATE DATABASE` must.
    pub(super) async fn execute_outside(&self, query: Query) -> Result<Written, ClickhouseError> {
        self.execute_in(OUTSIDE, query).await
    }

    async fn execute_in(&self, database: &str, query: Query) -> Result<Written, ClickhouseError> {
        let (query_id, max_query) = (fresh_id(), MAX_QUERY.to_string());
        let parameters = [
            ("database", database),
            ("query_id", &query_id),
            ("max_query_size", &max_query),
            ("use_skip_indexes_if_final", "0"),
        ];
        let answer = self.post()?.statement(&parameters, self.text(&query)?, MOVE).await?;
        answer.proves_statement(&self.address(), &query_id)
    }

    /// Executes an `INSERT … SELECT`, with the settings of an insert. Its `?` are to be bound.
    pub(super) async fn move_rows(&self, query: Query) -> Result<Written, WarehouseError> {
        let pinned = self.pinned().await?;
        let (query_id, max_query) = (fresh_id(), MAX_QUERY.to_string());
        let parameters =
            self.parameters(&query_id, &pinned, &[("max_query_size", &max_query), ("use_skip_indexes_if_final", "0")]);
        let moved = async {
            let answer = self.post()?.statement(&parameters, self.text(&query)?, MOVE).await?;
            answer.proves(&self.address(), &query_id)
        };
        self.judged(moved.await)
    }

    /// Sends encoded rows. They are there when it is confirmed.
    ///
    /// A connection that the server closed while it was idle shows only in use: then the same bytes are sent once more at
    /// once. Sending rows again changes nothing.
    pub(super) async fn insert(&self, sql: &str, rows: &Bytes) -> Result<Written, WarehouseError> {
        if rows.is_empty() {
            return Ok(Written::Confirmed(QueryCost::ZERO));
        }
        let pinned = self.pinned().await?;
        let sent = match self.send(sql, rows, &pinned).await {
            Err(ClickhouseError::Network { .. }) => self.send(sql, rows, &pinned).await,
            sent => sent,
        };
        self.judged(sent)
    }

    async fn send(&self, sql: &str, rows: &Bytes, pinned: &Pinned) -> Result<Written, ClickhouseError> {
        let query_id = fresh_id();
        let parameters = self.parameters(&query_id, pinned, &[("query", sql.trim_end()), ("decompress", "1")]);
        let answer = self.post()?.rows(&parameters, rows).await?;
        answer.proves(&self.address(), &query_id)
    }

    /// What goes with an insert.
    fn parameters<'a>(&'a self, query_id: &'a str, pinned: &Pinned, more: &[Parameter<'a>]) -> Vec<Parameter<'a>> {
        let mut parameters =
            vec![("database", self.config.database.as_str()), ("query_id", query_id), ("wait_end_of_query", "1")];
        parameters.extend(more);
        parameters.extend(pinned.iter());
        parameters
    }

    /// Whether an attempt with a fresh id is answered with it: what shows that ClickHouse itself answers. Changes nothing.
    pub(super) async fn proves_its_answers(&self) -> Result<bool, ClickhouseError> {
        let query_id = fresh_id();
        let parameters = [("database", OUTSIDE), ("query_id", &query_id), ("wait_end_of_query", "1")];
        let answer = self.post()?.statement(&parameters, "SELECT 1 FORMAT Null".into(), READ).await?;
        Ok(matches!(answer.proves(&self.address(), &query_id)?, Written::Confirmed(_)))
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

    /// Whose fault it is that an insert failed, and the price of one that is not proved.
    fn judged(&self, written: Result<Written, ClickhouseError>) -> Result<Written, WarehouseError> {
        match &written {
            Err(error) if error.code() == Some(UNKNOWN_SETTING) => {
                // An older server has taken its place.
                *self.pinned.lock() = None;
            }
            Ok(Written::Unproved) if !self.is_unproved_said.swap(true, Ordering::Relaxed) => {
                let at = self.address();
                tracing::warn!(
                    "ClickHouse at {at}: something in between takes X-ClickHouse-Query-Id out of its answers; every batch is \
                     read back before it counts as written"
                );
            }
            Ok(_) | Err(_) => {}
        }
        written.map_err(|error| match error {
            error if error.refuses_rows() => WarehouseError::Rows(error.to_string()),
            error if error.refuses_size() => WarehouseError::Size(error.to_string()),
            error => WarehouseError::Clickhouse(error),
        })
    }

    /// A statement with what was bound to it.
    fn text(&self, query: &Query) -> Result<String, ClickhouseError> {
        let text = query.sql_display().to_string();
        match text.strip_prefix("invalid SQL: ") {
            Some(why) => Err(ClickhouseError::Unusable { at: self.address(), text: why.to_owned() }),
            None => Ok(text),
        }
    }

    /// The client for writes. Where there is none, reads have none either.
    fn post(&self) -> Result<&Post, ClickhouseError> {
        self.writes.as_ref().map_err(|text| ClickhouseError::Unusable { at: self.address(), text: text.to_string() })
    }

    fn failed(&self, error: clickhouse::error::Error, after: Duration) -> ClickhouseError {
        ClickhouseError::of_read(&self.address(), error, after)
    }

    fn timed_out(&self, after: Duration) -> ClickhouseError {
        ClickhouseError::Timeout { at: self.address(), after }
    }
}

/// Where one is that needs no database.
const OUTSIDE: &str = "default";

/// The id of an attempt, by which ClickHouse's answer to it is known. Also found in `system.query_log`.
fn fresh_id() -> String {
    format!("polytape-{:032x}", rand::rng().random::<u128>())
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
