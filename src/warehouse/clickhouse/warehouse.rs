//! The warehouse itself: each part of its work handed to the file that knows its table.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use clickhouse::Row;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::check::{self, TableFault};
use super::counts::{self, Counts};
use super::look::{self, Looked};
use super::migrate::{self, Migration};
use super::two_times::{self, TradeTimes};
use super::{
    answer::Written, config::ClickhouseConfig, confirmation::Confirmation, connection::Connection,
    error::ClickhouseError, list_scan, markets, newest::Known, read_back, schema, server::ClickhouseServer,
    summary::QueryCost, trades, unresolved,
};
use crate::flow::TableId;
use crate::model::{Resolution, TokenId};
use crate::warehouse::batch::{AnyBatch, Rows};
use crate::warehouse::inspection::{Inspection, PartCounts, RowCounts, TapeLine};
use crate::warehouse::tables::{Tables, WrittenMarket};
use crate::warehouse::unresolved::{
    ListScan, ListState, PeriodicCost, Scanned, UnresolvedEntry, UnresolvedPage, UnresolvedPlace,
};
use crate::warehouse::{error::Result, token_index::TokenIndex};

/// Tables in ClickHouse.
#[derive(Clone)]
pub struct ClickhouseWarehouse {
    connection: Connection,
    /// Clones share it.
    pub(super) known: Arc<Known>,
    counts: Counts,
    /// Whether the server and its tables were found fit.
    ready: Arc<OnceCell<()>>,
}

impl ClickhouseWarehouse {
    /// A warehouse. Nobody is asked yet: ClickHouse need not be up.
    pub fn new(config: ClickhouseConfig) -> Self {
        let (known, counts, ready) = (Arc::default(), Counts::default(), Arc::default());
        Self { connection: Connection::new(config), known, counts, ready }
    }

    /// The connection, once the server was found new enough and its tables right; what is missing of them is made. Until
    /// then every call tries again.
    pub(super) async fn ready(&self) -> Result<&Connection> {
        let prepare = async {
            match self.look(&self.server().await?).await? {
                looked if looked.is_whole() => Ok(()),
                looked => schema::make(&self.connection, &looked.missing, looked.has_database).await,
            }
        };
        self.ready.get_or_try_init(|| prepare).await?;
        Ok(&self.connection)
    }

    /// Asks the server who it is.
    pub async fn server(&self) -> Result<ClickhouseServer> {
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

    /// Whether a run can begin on this server: what it finds, or why it cannot. Changes nothing.
    pub async fn look(&self, server: &ClickhouseServer) -> Result<Looked> {
        look::look(&self.connection, server).await
    }

    /// Makes the database and what of its tables and views is missing. Refuses a server that is too old and tables that are wrong
    /// before it changes anything.
    pub async fn apply_schema(&self) -> Result<()> {
        look::refuse_too_old(&self.connection, &self.server().await?)?;
        schema::apply(&self.connection).await
    }

    /// Whether `trades` is in the layout of an older release.
    pub async fn has_former_trades(&self) -> Result<bool> {
        migrate::is_former(&self.connection).await
    }

    /// Brings `trades` into the layout of today, from wherever a call before has left it. Others may write all the while.
    pub async fn migrate_trades(&self) -> Result<Migration> {
        migrate::migrate(&self.connection, migrate::SETTLES).await
    }

    /// The same where no insert is under way for longer than this call.
    #[cfg(feature = "planted-bugs")]
    pub async fn migrate_trades_at_once(&self) -> Result<Migration> {
        migrate::migrate(&self.connection, std::time::Duration::ZERO).await
    }

    /// Drops what a migration has kept of the older layout.
    pub async fn drop_former_trades(&self) -> Result<Migration> {
        migrate::drop_old(&self.connection).await
    }

    /// What [`apply_schema`](Self::apply_schema) would execute in an empty ClickHouse.
    pub fn print_schema(database: &str) -> String {
        schema::print(database)
    }

    /// How inserts are confirmed. Fails where they cannot be: nothing shows whose answers come, and rows cannot be read back either.
    /// Changes nothing.
    pub async fn confirmation(&self) -> Result<Confirmation> {
        if self.connection.proves_its_answers().await? {
            return Ok(Confirmation::ByAnswer);
        }
        let has_trades = self.check_tables().await?.iter().all(|fault| fault.table != TableId::Trades.as_str());
        if has_trades {
            read_back::try_out(&self.connection).await?;
        }
        Ok(Confirmation::ByReadingBack)
    }

    /// What is wrong with the tables that are there, and which are not there.
    pub async fn check_tables(&self) -> Result<Vec<TableFault>> {
        Ok(check::check(&self.connection).await?)
    }

    /// Which trades stand under two times, or under one that cannot be, as far as that is found in some seconds.
    pub async fn trade_times(&self) -> Result<TradeTimes> {
        Ok(two_times::look(&self.connection).await?)
    }
}

#[async_trait]
impl Tables for ClickhouseWarehouse {
    async fn write(&self, batch: AnyBatch<'_>) -> Result<()> {
        send(self.ready().await?, batch.0).await
    }

    async fn written_markets(&self, ids: &[String]) -> Result<HashMap<String, WrittenMarket>> {
        Ok(markets::written(self.ready().await?, ids).await?)
    }
}

#[async_trait]
impl TokenIndex for ClickhouseWarehouse {
    async fn resolutions(&self, tokens: &[TokenId]) -> Result<HashMap<TokenId, Resolution>> {
        Ok(markets::resolutions(self.ready().await?, tokens).await?)
    }

    async fn unresolved_tokens(&self, after: Option<&UnresolvedPlace>, tokens: u32) -> Result<UnresolvedPage> {
        Ok(unresolved::page(self.ready().await?, after, tokens).await?)
    }

    async fn newest_unresolved(&self, tokens: u32) -> Result<Vec<UnresolvedEntry>> {
        Ok(unresolved::newest(self.ready().await?, tokens).await?)
    }

    async fn resolve(&self, tokens: &[(TokenId, Resolution)], entries: &[UnresolvedEntry]) -> Result<u64> {
        unresolved::resolve(self.ready().await?, tokens, entries).await
    }

    async fn still_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<HashSet<TokenId>> {
        Ok(unresolved::still(self.ready().await?, entries).await?)
    }

    async fn remove_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<()> {
        unresolved::remove(self.ready().await?, entries).await
    }

    async fn list_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<()> {
        unresolved::list(self.ready().await?, entries).await
    }

    async fn list_state(&self) -> Result<ListState> {
        Ok(list_scan::state(self.ready().await?).await?)
    }

    async fn scan_list(&self, part: &ListScan) -> Result<Scanned> {
        list_scan::scan(self.ready().await?, part).await
    }

    async fn note_scan(&self, partition: Option<&str>, found: u64) -> Result<()> {
        list_scan::note(self.ready().await?, partition.unwrap_or_default(), found).await
    }
}

#[async_trait]
impl Inspection for ClickhouseWarehouse {
    fn periodic_costs(&self) -> Vec<PeriodicCost> {
        self.connection.costs().all()
    }

    async fn newest_trades(&self, limit: u32) -> Result<Vec<TapeLine>> {
        Ok(trades::newest(self.ready().await?, limit).await?)
    }

    /// Exact, but for months that have more than two million rows and are not merged: of those the rows that are there
    /// twice are counted twice, and the count says that it is an estimate.
    async fn row_counts(&self) -> Result<RowCounts> {
        Ok(self.counts.read(self.ready().await?).await?)
    }

    async fn parts(&self) -> Result<Option<PartCounts>> {
        Ok(Some(counts::parts(self.ready().await?).await?))
    }
}

/// Sends rows, one piece after the other, and then puts the tokens of those that are not complete on the list: whoever reads an entry
/// sees its rows.
async fn send(connection: &Connection, batch: &dyn Rows) -> Result<()> {
    let (table, pieces, entries) = (batch.table(), batch.pieces()?, batch.entries());
    let insert = format!("INSERT INTO {} ({}) FORMAT Native", table.id, table.names());
    let mut all = Written::Confirmed(QueryCost::ZERO);
    for piece in pieces {
        all = all.and(connection.insert(&insert, piece).await?);
    }
    if let Written::Unproved = all {
        read_back::rows(connection, table, &batch.identities()).await?;
    }
    unresolved::list(connection, &entries).await
}
