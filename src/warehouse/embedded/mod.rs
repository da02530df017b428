//! The warehouse inside `polytape.db`: the tables of `schema/embedded/0002_warehouse.sql` and `0003_markets.sql`.

mod control;
mod inspect;
mod markets;
mod readers;
mod trades;
mod unresolved;

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};

use super::{
    Checkpoint, JobRecord, RowCount, RowCounts, TapeLine, UnresolvedEntry, UnresolvedPage, UnresolvedPlace, Warehouse,
    WarehouseError, WrittenMarket,
};
use crate::embedded::{Database, StorageError, off_thread};
use crate::model::{DeadLetter, Market, Resolution, TokenId, Trade};

use self::readers::Readers;

pub use self::inspect::{StoreOrigin, StoreSummary, inspect, origin};

/// Rows in one transaction: large enough to pay for its commit, small enough that others get their turn.
const ROWS_PER_TRANSACTION: usize = 5_000;

/// Markets in one transaction. Their tokens are all over the index, so each costs as much as many trades.
const MARKETS_PER_TRANSACTION: usize = 500;

/// Tables in the embedded store.
#[derive(Clone)]
pub struct EmbeddedWarehouse {
    database: Database,
    readers: Readers,
}

impl EmbeddedWarehouse {
    /// The warehouse of a store.
    pub fn new(database: Database) -> Self {
        Self { readers: Readers::new(database.clone()), database }
    }

    /// Reads beside the writer, off the async threads.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, WarehouseError> {
        let readers = self.readers.clone();
        off_thread(move || readers.read(work)).await
    }
}

#[async_trait]
impl Warehouse for EmbeddedWarehouse {
    async fn write_trades(&self, rows: &[Trade]) -> Result<(), WarehouseError> {
        for rows in rows.chunks(ROWS_PER_TRANSACTION) {
            let rows = rows.to_vec();
            self.database
                .write(move |tx| {
                    let new = trades::upsert(tx, &rows)?;
                    count(tx, "trades", new)
                })
                .await?;
        }
        Ok(())
    }

    async fn write_markets(&self, rows: &[Market]) -> Result<(), WarehouseError> {
        for rows in rows.chunks(MARKETS_PER_TRANSACTION) {
            let rows = rows.to_vec();
            self.database
                .write(move |tx| {
                    let new = markets::upsert(tx, &rows)?;
                    count(tx, "markets", new)
                })
                .await?;
        }
        Ok(())
    }

    async fn write_dead_letters(&self, rows: &[DeadLetter]) -> Result<(), WarehouseError> {
        for rows in rows.chunks(ROWS_PER_TRANSACTION) {
            let rows = rows.to_vec();
            self.database
                .write(move |tx| {
                    let sql = "INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
                    let mut insert = tx.prepare_cached(sql)?;
                    let mut new = 0;
                    for row in &rows {
                        let DeadLetter { source, position, stage, reason, raw, first_seen } = row;
                        new += insert.execute(params![source, position, stage, reason, raw, first_seen])?;
                    }
                    count(tx, "dead_letters", new)
                })
                .await?;
        }
        Ok(())
    }

    async fn checkpoint(&self, pipeline: &str, source: &str) -> Result<Option<Checkpoint>, WarehouseError> {
        let key = [pipeline.to_owned(), source.to_owned()];
        self.read(move |connection| {
            let sql = "SELECT world, start, watermark FROM checkpoints WHERE pipeline = ? AND source = ?";
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Checkpoint { world: row.get(0)?, start: row.get(1)?, watermark: row.get(2)? })
            };
            connection.query_row(sql, key, read).optional()
        })
        .await
    }

    async fn set_checkpoint(&self, pipeline: &str, source: &str, to: &Checkpoint) -> Result<(), WarehouseError> {
        let (pipeline, source, to) = (pipeline.to_owned(), source.to_owned(), to.clone());
        self.database
            .write(move |tx| {
                let sql = "INSERT OR REPLACE INTO checkpoints (pipeline, source, world, start, watermark)
                           VALUES (?, ?, ?, ?, ?)";
                tx.prepare_cached(sql)?.execute([pipeline, source, to.world, to.start, to.watermark])?;
                Ok(())
            })
            .await
    }

    async fn desired_states(&self, pipeline: &str) -> Result<HashMap<String, String>, WarehouseError> {
        let pipeline = pipeline.to_owned();
        self.read(move |connection| control::desired_states(connection, &pipeline)).await
    }

    async fn set_desired_state(&self, pipeline: &str, stage: &str, state: &str) -> Result<(), WarehouseError> {
        let row = [pipeline, stage, state].map(str::to_owned);
        self.database
            .write(move |tx| {
                tx.prepare_cached("INSERT OR REPLACE INTO desired_states VALUES (?, ?, ?)")?.execute(row)?;
                Ok(())
            })
            .await
    }

    async fn jobs(&self, pipeline: &str, ended: u32) -> Result<Vec<JobRecord>, WarehouseError> {
        let pipeline = pipeline.to_owned();
        self.read(move |connection| control::jobs(connection, &pipeline, ended)).await
    }

    async fn set_job(&self, pipeline: &str, job: &JobRecord) -> Result<(), WarehouseError> {
        let (pipeline, job) = (pipeline.to_owned(), job.clone());
        self.database.write(move |tx| Ok(control::set_job(tx, &pipeline, &job)?)).await
    }

    async fn newest_trades(&self, limit: u32) -> Result<Vec<TapeLine>, WarehouseError> {
        self.read(move |connection| trades::newest(connection, limit)).await
    }

    async fn written_markets(&self, ids: &[String]) -> Result<HashMap<String, WrittenMarket>, WarehouseError> {
        let ids = ids.to_vec();
        self.read(move |connection| markets::written(connection, ids)).await
    }

    async fn resolutions(&self, tokens: &[TokenId]) -> Result<HashMap<TokenId, Resolution>, WarehouseError> {
        let tokens = tokens.to_vec();
        self.read(move |connection| markets::resolutions(connection, &tokens)).await
    }

    async fn unresolved_tokens(
        &self,
        after: Option<&UnresolvedPlace>,
        tokens: u32,
    ) -> Result<UnresolvedPage, WarehouseError> {
        let after = after.cloned();
        self.read(move |connection| unresolved::page(connection, after, tokens)).await
    }

    async fn newest_unresolved(&self, tokens: u32) -> Result<Vec<UnresolvedEntry>, WarehouseError> {
        self.read(move |connection| unresolved::newest(connection, tokens)).await
    }

    async fn still_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<HashSet<TokenId>, WarehouseError> {
        let tokens = entries.iter().map(|entry| entry.token).collect();
        self.read(move |connection| unresolved::still(connection, tokens)).await
    }

    /// Entries go with the last incomplete row of their token.
    async fn remove_unresolved(&self, _: &[UnresolvedEntry]) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// They come with the rows.
    async fn list_unresolved(&self, _: &[UnresolvedEntry]) -> Result<(), WarehouseError> {
        Ok(())
    }

    /// All rows of the tokens: a token has one entry.
    async fn resolve(&self, tokens: &[(TokenId, Resolution)], _: &[UnresolvedEntry]) -> Result<u64, WarehouseError> {
        let mut resolved = 0;
        let mut rest = tokens.to_vec();
        while !rest.is_empty() {
            let (rows, left) = self.database.write(move |tx| trades::resolve_some(tx, rest)).await?;
            resolved += rows;
            rest = left;
        }
        Ok(resolved)
    }

    async fn row_counts(&self) -> Result<RowCounts, WarehouseError> {
        self.read(row_counts).await
    }
}

fn row_counts(connection: &Connection) -> rusqlite::Result<RowCounts> {
    let rows = |name| {
        connection.query_row("SELECT rows FROM row_counts WHERE name = ?", [name], |row| {
            row.get::<_, u64>(0).map(RowCount::from)
        })
    };
    Ok(RowCounts { markets: rows("markets")?, trades: rows("trades")?, dead_letters: rows("dead_letters")? })
}

/// Counts new rows, so that nobody has to count the table.
fn count(tx: &Transaction<'_>, table: &str, new: usize) -> Result<(), WarehouseError> {
    tx.prepare_cached("UPDATE row_counts SET rows = rows + ? WHERE name = ?")?.execute(params![new as u64, table])?;
    Ok(())
}

/// What a row may be refused for is the row's fault; all else is the store's.
impl From<rusqlite::Error> for WarehouseError {
    fn from(error: rusqlite::Error) -> Self {
        let refused = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig)
        ) || matches!(error, rusqlite::Error::ToSqlConversionFailure(_));
        if refused { Self::Rows(error.to_string()) } else { Self::Storage(StorageError::from(error)) }
    }
}
