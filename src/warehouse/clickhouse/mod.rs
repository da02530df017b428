//! The warehouse in ClickHouse: the tables of `schema/clickhouse`.
//!
//! A batch is encoded once and sent whole; whoever does not hear that it arrived sends the same bytes again. The tables replace a row by one
//! that is at least as complete, and every read here is `FINAL`, so that nobody sees it twice.

mod answer;
mod body;
mod check;
mod codes;
mod config;
mod connection;
mod control;
mod costs;
mod counts;
mod error;
mod frames;
mod list_scan;
mod markets;
mod post;
mod probe;
mod read_back;
mod row_binary;
mod schema;
mod summary;
mod trades;
mod transport;
mod two_times;
mod unresolved;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use clickhouse::Row;
use clickhouse::types::UInt256;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::{
    AnyBatch, Checkpoint, JobRecord, ListScan, ListState, PartCounts, PeriodicCost, RowCounts, Scanned, TapeLine,
    UnresolvedEntry, UnresolvedPage, UnresolvedPlace, Warehouse, WarehouseError, WrittenMarket, entries_of,
};
use crate::model::{DeadLetter, Market, Resolution, TokenId, Trade, U256};
use crate::planted::{Bug, planted};

use self::answer::Written;
use self::connection::Connection;
use self::counts::Counts;
use self::row_binary::RowBinary;

pub use self::check::TableFault;
pub use self::config::ClickhouseConfig;
pub use self::error::ClickhouseError;
pub use self::summary::QueryCost;
pub use self::two_times::TradeTimes;

const INSERT_DEAD_LETTERS: &str = include_str!("../../../schema/clickhouse/queries/insert_dead_letters.sql");

/// The oldest ClickHouse that has all that is used here.
pub const OLDEST_CLICKHOUSE: (u32, u32) = (23, 8);

/// Tables in ClickHouse.
#[derive(Clone)]
pub struct ClickhouseWarehouse {
    connection: Connection,
    counts: Counts,
    /// Whether the server and its tables were found fit.
    ready: Arc<OnceCell<()>>,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickhouseServer {
    /// Its version: `26.9.2.1`.
    pub version: String,
    /// Its clock, in unix milliseconds.
    pub now: i64,
}

/// How it is known that rows have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// By ClickHouse's answer, which shows the id of the attempt.
    ByAnswer,
    /// By reading every batch back: something in between takes the id out of the answers, or puts another in.
    ByReadingBack,
}

impl ClickhouseServer {
    /// Whether it is older than [`OLDEST_CLICKHOUSE`].
    pub fn is_too_old(&self) -> bool {
        let mut numbers = self.version.split('.').map(|number| number.parse().unwrap_or(u32::MAX));
        (numbers.next().unwrap_or(u32::MAX), numbers.next().unwrap_or(0)) < OLDEST_CLICKHOUSE
    }
}

impl ClickhouseWarehouse {
    /// A warehouse. Nobody is asked yet: ClickHouse need not be up.
    pub fn new(config: ClickhouseConfig) -> Self {
        Self { connection: Connection::new(config), counts: Counts::default(), ready: Arc::default() }
    }

    /// The connection, once the server was found new enough and its tables right; what is missing of them is made. Until
    /// then every call tries again.
    async fn ready(&self) -> Result<&Connection, WarehouseError> {
        let prepare = async {
            let server = self.server().await?;
            if server.is_too_old() {
                let at = self.connection.address();
                let too_old = ClickhouseError::TooOld { at, found: server.version, oldest: OLDEST_CLICKHOUSE };
                return Err(WarehouseError::from(too_old));
            }
            self.apply_schema().await
        };
        self.ready.get_or_try_init(|| prepare).await?;
        Ok(&self.connection)
    }

    /// Asks the server who it is.
    pub async fn server(&self) -> Result<ClickhouseServer, WarehouseError> {
        #[derive(Row, Deserialize)]
        struct Server {
            version: String,
            now: i64,
        }
        let sql = "SELECT version() AS version, toUnixTimestamp64Milli(now64(3)) AS now";
        let rows: Vec<Server> = self.connection.rows(self.connection.query_outside(sql)).await?;
        let missing = || ClickhouseError::Garbled { at: self.connection.address(), text: "no row".into() };
        let Server { version, now } = rows.into_iter().next().ok_or_else(missing)?;
        Ok(ClickhouseServer { version, now })
    }

    /// Makes the database and what of its tables and views is missing. Refuses tables that are wrong before it changes anything.
    pub async fn apply_schema(&self) -> Result<(), WarehouseError> {
        schema::apply(&self.connection).await
    }

    /// What [`apply_schema`](Self::apply_schema) would execute in an empty ClickHouse.
    pub fn print_schema(database: &str) -> String {
        schema::print(database)
    }

    /// How inserts are confirmed. Fails where they cannot be: nothing shows whose answers come, and rows cannot be read back either.
    /// Changes nothing.
    pub async fn confirmation(&self) -> Result<Confirmation, WarehouseError> {
        if self.connection.proves_its_answers().await? {
            return Ok(Confirmation::ByAnswer);
        }
        let has_trades = self.check_tables().await?.iter().all(|fault| fault.table != "trades");
        if has_trades {
            read_back::try_out(&self.connection).await?;
        }
        Ok(Confirmation::ByReadingBack)
    }

    /// What is wrong with the tables that are there, and which are not there.
    pub async fn check_tables(&self) -> Result<Vec<TableFault>, WarehouseError> {
        Ok(check::check(&self.connection).await?)
    }

    /// Which trades stand under two times, or under one that cannot be, as far as that is found in some seconds.
    pub async fn trade_times(&self) -> Result<TradeTimes, WarehouseError> {
        Ok(two_times::look(&self.connection).await?)
    }
}

#[async_trait]
impl Warehouse for ClickhouseWarehouse {
    async fn write(&self, batch: AnyBatch<'_>) -> Result<(), WarehouseError> {
        let connection = self.ready().await?;
        match batch {
            AnyBatch::Trades(batch) => send_trades(connection, batch.rows(), batch.encoded(trades::encode)?).await,
            AnyBatch::Markets(batch) => send_markets(connection, batch.rows(), batch.encoded(markets::encode)?).await,
            AnyBatch::DeadLetters(batch) => {
                send_dead_letters(connection, batch.rows(), batch.encoded(encode_dead_letters)?).await
            }
        }
    }

    async fn write_trades(&self, rows: &[Trade]) -> Result<(), WarehouseError> {
        send_trades(self.ready().await?, rows, &trades::encode(rows)?).await
    }

    async fn write_markets(&self, rows: &[Market]) -> Result<(), WarehouseError> {
        send_markets(self.ready().await?, rows, &markets::encode(rows)?).await
    }

    async fn write_dead_letters(&self, rows: &[DeadLetter]) -> Result<(), WarehouseError> {
        send_dead_letters(self.ready().await?, rows, &encode_dead_letters(rows)?).await
    }

    async fn checkpoint(&self, pipeline: &str, source: &str) -> Result<Option<Checkpoint>, WarehouseError> {
        Ok(control::checkpoint(self.ready().await?, pipeline, source).await?)
    }

    async fn set_checkpoint(&self, pipeline: &str, source: &str, to: &Checkpoint) -> Result<(), WarehouseError> {
        control::set_checkpoint(self.ready().await?, pipeline, source, to).await
    }

    async fn desired_states(&self, pipeline: &str) -> Result<HashMap<String, String>, WarehouseError> {
        Ok(control::desired_states(self.ready().await?, pipeline).await?)
    }

    async fn set_desired_state(&self, pipeline: &str, stage: &str, state: &str) -> Result<(), WarehouseError> {
        control::set_desired_state(self.ready().await?, pipeline, stage, state).await
    }

    async fn jobs(&self, pipeline: &str, ended: u32) -> Result<Vec<JobRecord>, WarehouseError> {
        Ok(control::jobs(self.ready().await?, pipeline, ended).await?)
    }

    async fn set_job(&self, pipeline: &str, job: &JobRecord) -> Result<(), WarehouseError> {
        control::set_job(self.ready().await?, pipeline, job).await
    }

    async fn written_markets(&self, ids: &[String]) -> Result<HashMap<String, WrittenMarket>, WarehouseError> {
        Ok(markets::written(self.ready().await?, ids).await?)
    }

    async fn resolutions(&self, tokens: &[TokenId]) -> Result<HashMap<TokenId, Resolution>, WarehouseError> {
        Ok(markets::resolutions(self.ready().await?, tokens).await?)
    }

    async fn unresolved_tokens(
        &self,
        after: Option<&UnresolvedPlace>,
        tokens: u32,
    ) -> Result<UnresolvedPage, WarehouseError> {
        Ok(unresolved::page(self.ready().await?, after, tokens).await?)
    }

    async fn newest_unresolved(&self, tokens: u32) -> Result<Vec<UnresolvedEntry>, WarehouseError> {
        Ok(unresolved::newest(self.ready().await?, tokens).await?)
    }

    async fn resolve(
        &self,
        tokens: &[(TokenId, Resolution)],
        entries: &[UnresolvedEntry],
    ) -> Result<u64, WarehouseError> {
        unresolved::resolve(self.ready().await?, tokens, entries).await
    }

    async fn still_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<HashSet<TokenId>, WarehouseError> {
        Ok(unresolved::still(self.ready().await?, entries).await?)
    }

    async fn remove_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<(), WarehouseError> {
        unresolved::remove(self.ready().await?, entries).await
    }

    async fn list_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<(), WarehouseError> {
        unresolved::list(self.ready().await?, entries).await
    }

    async fn list_state(&self) -> Result<ListState, WarehouseError> {
        Ok(list_scan::state(self.ready().await?).await?)
    }

    async fn scan_list(&self, part: &ListScan) -> Result<Scanned, WarehouseError> {
        list_scan::scan(self.ready().await?, part).await
    }

    async fn note_scan(&self, partition: Option<&str>, found: u64) -> Result<(), WarehouseError> {
        list_scan::note(self.ready().await?, partition.unwrap_or_default(), found).await
    }

    fn periodic_costs(&self) -> Vec<PeriodicCost> {
        self.connection.costs().all()
    }

    async fn newest_trades(&self, limit: u32) -> Result<Vec<TapeLine>, WarehouseError> {
        Ok(trades::newest(self.ready().await?, limit).await?)
    }

    /// Exact, but for months that have more than two million rows and are not merged: of those the rows that are there
    /// twice are counted twice, and the count says that it is an estimate.
    async fn row_counts(&self) -> Result<RowCounts, WarehouseError> {
        Ok(self.counts.read(self.ready().await?).await?)
    }

    async fn parts(&self) -> Result<Option<PartCounts>, WarehouseError> {
        Ok(Some(counts::parts(self.ready().await?).await?))
    }
}

/// Sends rows, and then puts the tokens of those that are not complete on the list: whoever reads an entry sees its rows.
async fn send_trades(connection: &Connection, rows: &[Trade], pieces: &[Bytes]) -> Result<(), WarehouseError> {
    let entries = entries_of(rows);
    let is_early = planted(Bug::EntryBeforeRow);
    if is_early {
        unresolved::list(connection, &entries).await?;
        // Long enough for the resolver to find nothing behind them.
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    }
    if let Written::Unproved = send(connection, trades::INSERT, pieces).await? {
        read_back::trades(connection, rows).await?;
    }
    if is_early { Ok(()) } else { unresolved::list(connection, &entries).await }
}

async fn send_markets(connection: &Connection, rows: &[Market], pieces: &[Bytes]) -> Result<(), WarehouseError> {
    match send(connection, markets::INSERT, pieces).await? {
        Written::Confirmed(_) => Ok(()),
        Written::Unproved => Ok(read_back::markets(connection, rows).await?),
    }
}

async fn send_dead_letters(
    connection: &Connection,
    rows: &[DeadLetter],
    pieces: &[Bytes],
) -> Result<(), WarehouseError> {
    match send(connection, INSERT_DEAD_LETTERS, pieces).await? {
        Written::Confirmed(_) => Ok(()),
        Written::Unproved => Ok(read_back::dead_letters(connection, rows).await?),
    }
}

/// Sends encoded rows, one piece after the other. Confirmed where all of them are.
async fn send(connection: &Connection, sql: &str, pieces: &[Bytes]) -> Result<Written, WarehouseError> {
    let mut all = Written::Confirmed(QueryCost::ZERO);
    for piece in pieces {
        all = all.and(connection.insert(sql, piece).await?);
    }
    Ok(all)
}

/// The rows, in the order of the columns in `insert_dead_letters.sql`.
fn encode_dead_letters(rows: &[DeadLetter]) -> Result<Vec<Bytes>, WarehouseError> {
    let mut row = RowBinary::default();
    for DeadLetter { source, position, stage, reason, raw, first_seen } in rows {
        [source, position, stage, reason].into_iter().for_each(|text| row.text(text));
        row.bytes(raw);
        row.i64(*first_seen);
    }
    Ok(vec![row.into_bytes()])
}

fn token_of(number: UInt256) -> TokenId {
    TokenId(U256::from_le_bytes(number.to_le_bytes()))
}
