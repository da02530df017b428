//! The warehouse itself: what is read beside the writer, and what goes through it.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};

use super::counts::{count, row_counts};
use super::{commands, control, markets, readers::Readers, trades, unresolved};
use crate::model::{Resolution, TokenId};
use crate::sqlite::{Database, off_thread};
use crate::warehouse::control::{Checkpoint, CommandRecord, Control, JobRecord};
use crate::warehouse::inspection::{Inspection, RowCounts, TapeLine};
use crate::warehouse::tables::{Tables, WrittenMarket};
use crate::warehouse::unresolved::{UnresolvedEntry, UnresolvedPage, UnresolvedPlace};
use crate::warehouse::{batch::AnyBatch, error::Result, token_index::TokenIndex};

/// Tables in the embedded store.
#[derive(Clone)]
pub struct EmbeddedWarehouse {
    pub(super) database: Database,
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
    ) -> Result<T> {
        let readers = self.readers.clone();
        off_thread(move || readers.read(work)).await
    }
}

#[async_trait]
impl Tables for EmbeddedWarehouse {
    async fn write(&self, AnyBatch(batch): AnyBatch<'_>) -> Result<()> {
        let (table, rows) = (batch.table(), batch.len());
        for begin in (0..rows).step_by(table.per_transaction) {
            let upsert = batch.upsert(begin..rows.min(begin + table.per_transaction));
            let written = self.database.write(move |tx| {
                let new = upsert(tx)?;
                count(tx, table.id, new)
            });
            written.await?;
        }
        Ok(())
    }

    async fn written_markets(&self, ids: &[String]) -> Result<HashMap<String, WrittenMarket>> {
        let ids = ids.to_vec();
        self.read(move |connection| markets::written(connection, ids)).await
    }
}

#[async_trait]
impl Control for EmbeddedWarehouse {
    async fn checkpoint(&self, pipeline: &str, source: &str) -> Result<Option<Checkpoint>> {
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

    async fn set_checkpoint(&self, pipeline: &str, source: &str, to: &Checkpoint) -> Result<()> {
        let (pipeline, source, to) = (pipeline.to_owned(), source.to_owned(), to.clone());
        let written = self.database.write(move |tx| {
            let sql = "INSERT OR REPLACE INTO checkpoints (pipeline, source, world, start, watermark)
                       VALUES (?, ?, ?, ?, ?)";
            tx.prepare_cached(sql)?.execute([pipeline, source, to.world, to.start, to.watermark])?;
            Ok(())
        });
        written.await
    }

    async fn desired_states(&self, pipeline: &str) -> Result<HashMap<String, String>> {
        let pipeline = pipeline.to_owned();
        self.read(move |connection| control::desired_states(connection, &pipeline)).await
    }

    async fn set_desired_state(&self, pipeline: &str, stage: &str, state: &str) -> Result<()> {
        let row = [pipeline, stage, state].map(str::to_owned);
        let written = self.database.write(move |tx| {
            tx.prepare_cached("INSERT OR REPLACE INTO desired_states VALUES (?, ?, ?)")?.execute(row)?;
            Ok(())
        });
        written.await
    }

    async fn jobs(&self, pipeline: &str, ended: u32) -> Result<Vec<JobRecord>> {
        let pipeline = pipeline.to_owned();
        self.read(move |connection| control::jobs(connection, &pipeline, ended)).await
    }

    async fn set_job(&self, pipeline: &str, job: &JobRecord) -> Result<()> {
        let (pipeline, job) = (pipeline.to_owned(), job.clone());
        self.database.write(move |tx| Ok(control::set_job(tx, &pipeline, &job)?)).await
    }

    async fn commands(&self, pipeline: &str, most: u32) -> Result<Vec<CommandRecord>> {
        let pipeline = pipeline.to_owned();
        self.read(move |connection| commands::newest(connection, &pipeline, most)).await
    }

    async fn add_commands(&self, pipeline: &str, commands: &[CommandRecord]) -> Result<()> {
        let (pipeline, commands) = (pipeline.to_owned(), commands.to_vec());
        self.database.write(move |tx| Ok(commands::add(tx, &pipeline, &commands)?)).await
    }
}

#[async_trait]
impl TokenIndex for EmbeddedWarehouse {
    async fn resolutions(&self, tokens: &[TokenId]) -> Result<HashMap<TokenId, Resolution>> {
        let tokens = tokens.to_vec();
        self.read(move |connection| markets::resolutions(connection, &tokens)).await
    }

    async fn unresolved_tokens(&self, after: Option<&UnresolvedPlace>, tokens: u32) -> Result<UnresolvedPage> {
        let after = after.cloned();
        self.read(move |connection| unresolved::page(connection, after, tokens)).await
    }

    async fn newest_unresolved(&self, tokens: u32) -> Result<Vec<UnresolvedEntry>> {
        self.read(move |connection| unresolved::newest(connection, tokens)).await
    }

    async fn still_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<HashSet<TokenId>> {
        let tokens = entries.iter().map(|entry| entry.token).collect();
        self.read(move |connection| unresolved::still(connection, tokens)).await
    }

    /// Entries go with the last incomplete row of their token.
    async fn remove_unresolved(&self, _: &[UnresolvedEntry]) -> Result<()> {
        Ok(())
    }

    /// They come with the rows.
    async fn list_unresolved(&self, _: &[UnresolvedEntry]) -> Result<()> {
        Ok(())
    }

    /// All rows of the tokens: a token has one entry.
    async fn resolve(&self, tokens: &[(TokenId, Resolution)], _: &[UnresolvedEntry]) -> Result<u64> {
        let mut resolved = 0;
        let mut rest = tokens.to_vec();
        while !rest.is_empty() {
            let (rows, left) = self.database.write(move |tx| trades::resolve_some(tx, rest)).await?;
            resolved += rows;
            rest = left;
        }
        Ok(resolved)
    }
}

#[async_trait]
impl Inspection for EmbeddedWarehouse {
    async fn newest_trades(&self, limit: u32) -> Result<Vec<TapeLine>> {
        self.read(move |connection| trades::newest(connection, limit)).await
    }

    async fn row_counts(&self) -> Result<RowCounts> {
        self.read(row_counts).await
    }
}
