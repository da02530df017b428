//! Asking ClickHouse: every call with a timeout, and with the settings pinned on which its meaning rests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use clickhouse::{RowOwned, RowRead, query::Query};
use rand::RngExt;

use super::clients::{Clients, OUTSIDE, READ};
use super::pins::{Kind, Pins};
use super::{
    answer::Written, config::ClickhouseConfig, costs::Costs, error::ClickhouseError, error::Result, pinning::Pinning,
    post::Parameter, statement::Statement, summary::QueryCost,
};
use crate::warehouse::error::WarehouseError;

/// How long a statement may take that moves rows inside of ClickHouse.
const MOVE: Duration = Duration::from_secs(600);

/// How often one write is sent because it went to another server than its pins were made for.
const ATTEMPTS: u32 = 3;

/// The clients, and what is known of the server that they lead to. Clones share them.
#[derive(Clone)]
pub(super) struct Connection {
    clients: Clients,
    /// What statements are sent with.
    pinning: Pinning,
    /// Whether it was said that inserts are not confirmed by their id.
    is_unproved_said: Arc<AtomicBool>,
    /// What the queries cost that are asked again and again.
    costs: Costs,
}

/// What is written, and by what.
enum Sent<'a> {
    /// Encoded rows, behind this statement.
    Rows(&'a str, &'a [Bytes]),
    /// A statement that comes whole.
    Whole(&'a Statement),
}

impl Connection {
    /// Nobody is asked yet.
    pub(super) fn new(config: ClickhouseConfig) -> Self {
        let (pinning, is_unproved_said, costs) = (Pinning::default(), Arc::default(), Costs::default());
        Self { clients: Clients::new(config), pinning, is_unproved_said, costs }
    }

    pub(super) fn config(&self) -> &ClickhouseConfig {
        self.clients.config()
    }

    /// What the queries cost that are asked again and again.
    pub(super) const fn costs(&self) -> &Costs {
        &self.costs
    }

    /// Where it leads, as it is shown.
    pub(super) fn address(&self) -> String {
        self.clients.address()
    }

    /// A statement in the database. Its `?` are to be bound.
    pub(super) fn query(&self, sql: &str) -> Statement {
        self.clients.query(sql)
    }

    /// One that needs no database to be there.
    pub(super) fn query_outside(&self, sql: &str) -> Statement {
        self.clients.query_outside(sql)
    }

    /// The rows of a read.
    pub(super) async fn rows<T: RowOwned + RowRead>(&self, query: Statement) -> Result<Vec<T>> {
        Ok(self.read(&query, false).await?.0)
    }

    /// The rows of a read, and what it cost, where that matters: then the answer comes when the query has ended, since only then
    /// the cost is whole.
    async fn read<T: RowOwned + RowRead>(&self, statement: &Statement, with_cost: bool) -> Result<(Vec<T>, QueryCost)> {
        let mut is_again = false;
        loop {
            let pins = self.pinning.pins(&self.clients, Kind::Read).await?;
            let query = statement.with(&pins.parameters(Kind::Read, statement.wishes()));
            let query = if with_cost { query.with_setting("wait_end_of_query", "1") } else { query };
            match self.fetch(query).await {
                Err(error) if error.refuses_settings() && !is_again => self.pinning.doubt(),
                read => return read.map_err(|error| self.pinning.doubted(&self.clients, error)),
            }
            is_again = true;
        }
    }

    async fn fetch<T: RowOwned + RowRead>(&self, query: Query) -> Result<(Vec<T>, QueryCost)> {
        self.clients.post()?;
        let read = async {
            let mut cursor = query.fetch::<T>()?;
            let mut rows = Vec::new();
            while let Some(row) = cursor.next().await? {
                rows.push(row);
            }
            Ok((rows, QueryCost::of_read(cursor.summary())))
        };
        match tokio::time::timeout(READ, read).await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(error)) => {
                Err(self.clients.port.explained(ClickhouseError::of_read(&self.address(), error, READ)).await)
            }
            Err(_) => Err(ClickhouseError::Timeout { at: self.address(), after: READ }),
        }
    }

    /// The rows of a read that is asked again and again; what it cost is noted under this name.
    pub(super) async fn periodic<T: RowOwned + RowRead>(&self, name: &'static str, query: Statement) -> Result<Vec<T>> {
        let (rows, cost) = self.read(&query, true).await?;
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
        query: impl Fn(&[I]) -> Statement,
    ) -> Result<Vec<T>> {
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
        query: impl Fn(&[I]) -> Statement,
    ) -> Result<u64> {
        Ok(self.rows_in_parts::<I, u64>(name, items, at_once, query).await?.into_iter().sum())
    }

    /// Executes a statement that makes, changes or drops what is in the database. Where nothing proves that ClickHouse has done it,
    /// what it made has to be looked at.
    pub(super) async fn execute(&self, query: Statement) -> Result<Written> {
        self.send(&self.config().database, Kind::Define, &Sent::Whole(&query)).await
    }

    /// The same of one that does without a database, as `CREATE DATABASE` must.
    pub(super) async fn execute_outside(&self, query: Statement) -> Result<Written> {
        self.send(OUTSIDE, Kind::Define, &Sent::Whole(&query)).await
    }

    /// Executes an `INSERT … SELECT`, with the settings of an insert. Its `?` are to be bound.
    pub(super) async fn move_rows(&self, query: Statement) -> Result<Written, WarehouseError> {
        let moved = self.send(&self.config().database, Kind::Write, &Sent::Whole(&query)).await;
        self.judged(moved)
    }

    /// Sends encoded rows. They are there when it is confirmed.
    ///
    /// A connection that the server closed while it was idle shows only in use: then the same bytes are sent once more at
    /// once. Sending rows again changes nothing.
    pub(super) async fn insert(&self, sql: &str, rows: &[Bytes]) -> Result<Written, WarehouseError> {
        if rows.is_empty() {
            return Ok(Written::Confirmed(QueryCost::ZERO));
        }
        let (database, sent) = (&self.config().database, Sent::Rows(sql.trim_end(), rows));
        let written = match self.send(database, Kind::Write, &sent).await {
            Err(ClickhouseError::Network { .. }) => self.send(database, Kind::Write, &sent).await,
            written => written,
        };
        self.judged(written)
    }

    /// Sends something with its pins. Again, where those are refused or turn out to be another server's.
    async fn send(&self, database: &str, kind: Kind, sent: &Sent<'_>) -> Result<Written> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let pins = self.pinning.pins(&self.clients, kind).await?;
            let (written, connection) = match self.attempt(database, kind, sent, &pins).await {
                Err(error) if error.refuses_settings() && attempts == 1 => {
                    self.pinning.doubt();
                    continue;
                }
                Err(error) => return Err(self.pinning.doubted(&self.clients, error)),
                Ok(written) => written,
            };
            let is_new = |connection: &SocketAddr| kind == Kind::Write && !self.pinning.has_seen(*connection);
            let Some(connection) = connection.filter(is_new) else { return Ok(written) };
            let told = self.pinning.ask(&self.clients).await?;
            self.pinning.see(connection);
            if told == pins || attempts == ATTEMPTS {
                return Ok(written);
            }
        }
    }

    /// Sends something once. Says over which connection.
    async fn attempt(
        &self,
        database: &str,
        kind: Kind,
        sent: &Sent<'_>,
        pins: &Pins,
    ) -> Result<(Written, Option<SocketAddr>)> {
        let (at, query_id) = (self.address(), fresh_id());
        let mut parameters: Vec<Parameter<'_>> = vec![("database", database), ("query_id", &query_id)];
        let (sql, wishes) = match sent {
            Sent::Rows(..) => (String::new(), &[][..]),
            Sent::Whole(statement) => {
                (statement.text().map_err(|text| self.clients.unusable(&text))?, statement.wishes())
            }
        };
        let pinned = pins.parameters(kind, wishes);
        parameters.extend(pinned.iter().map(|(name, value)| (*name, value.as_str())));
        if kind == Kind::Write {
            parameters.push(("wait_end_of_query", "1"));
        }
        let answer = match sent {
            Sent::Rows(sql, rows) => {
                parameters.extend([("query", *sql), ("decompress", "1")]);
                self.clients.post()?.rows(&parameters, rows).await?
            }
            Sent::Whole(_) => self.clients.post()?.statement(&parameters, sql, MOVE).await?,
        };
        let written = match kind {
            Kind::Define => answer.proves_statement(&at, &query_id)?,
            Kind::Read | Kind::Write => answer.proves(&at, &query_id)?,
        };
        Ok((written, answer.connection))
    }

    /// What ClickHouse says to a statement whose answer is a word, in no format of ours.
    pub(super) async fn word(&self, sql: &str) -> Result<String> {
        let pinned = self.pinning.pins(&self.clients, Kind::Read).await?.parameters(Kind::Read, &[]);
        let mut parameters: Vec<Parameter<'_>> = vec![("database", OUTSIDE)];
        parameters.extend(pinned.iter().map(|(name, value)| (*name, value.as_str())));
        let answer = self.clients.post()?.statement(&parameters, sql.to_owned(), READ).await;
        answer
            .and_then(|answer| answer.text(&self.address()))
            .map_err(|error| self.pinning.doubted(&self.clients, error))
    }

    /// Whether settings let the user make tables as they must be.
    pub(super) async fn may_define(&self) -> Result<()> {
        self.pinning.pins(&self.clients, Kind::Define).await.map(|_| ())
    }

    /// Whether an attempt with a fresh id is answered with it: what shows that ClickHouse itself answers. Changes nothing.
    pub(super) async fn proves_its_answers(&self) -> Result<bool> {
        let query_id = fresh_id();
        let parameters = [("database", OUTSIDE), ("query_id", &query_id), ("wait_end_of_query", "1")];
        let answer = self.clients.post()?.statement(&parameters, "SELECT 1 FORMAT Null".into(), READ).await?;
        Ok(matches!(answer.proves(&self.address(), &query_id)?, Written::Confirmed(_)))
    }

    /// Whose fault it is that an insert failed, and the price of one that is not proved.
    fn judged(&self, written: Result<Written>) -> Result<Written, WarehouseError> {
        if matches!(written, Ok(Written::Unproved)) && !self.is_unproved_said.swap(true, Ordering::Relaxed) {
            let at = self.address();
            tracing::warn!(
                "ClickHouse at {at}: something in between takes X-ClickHouse-Query-Id out of its answers; every batch is \
                 read back before it counts as written"
            );
        }
        written.map_err(|error| match error {
            error if error.refuses_rows() => WarehouseError::Rows(error.to_string()),
            error if error.refuses_size() => WarehouseError::Size(error.to_string()),
            error => WarehouseError::Clickhouse(error),
        })
    }
}

/// The id of an attempt, by which ClickHouse's answer to it is known. Also found in `system.query_log`.
fn fresh_id() -> String {
    format!("polytape-{:032x}", rand::rng().random::<u128>())
}
