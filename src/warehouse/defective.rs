//! A warehouse with the planted defects that are its own: what must never be done, so that tests can show that they notice.
//!
//! Only with the feature `planted-bugs`, around the store of a process that is started with one of them.

use std::collections::{HashMap, HashSet};
use std::{ops::Range, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;

use super::batch::{AnyBatch, Batch, Rows, Upsert};
use super::clickhouse::Frames;
use super::control::{Checkpoint, CommandRecord, Control, JobRecord};
use super::inspection::{Inspection, PartCounts, RowCounts, TapeLine};
use super::tables::{Tables, WrittenMarket};
use super::unresolved::{ListScan, ListState, PeriodicCost, Scanned, UnresolvedEntry, UnresolvedPage, UnresolvedPlace};
use super::{error::Result, table::declaration::Table, token_index::TokenIndex, whole::Warehouse};
use crate::breaker::Breaker;
use crate::model::{Resolution, TokenId, Trade};
use crate::planted::{Bug, planted, step};

/// Long enough for the resolver to find nothing behind an entry.
const MOMENT: Duration = Duration::from_millis(400);

/// Long enough for a row of the same token to land, and its entry.
const WHILE: Duration = Duration::from_secs(1);

/// More tokens than the list gets within a minute.
const ALL: u32 = 100_000;

/// A store that gives back what it has, which nothing but a defect asks for.
#[async_trait]
pub trait Retract: Warehouse {
    /// Removes what has the key of one of these rows, and knows more of its token than that.
    async fn retract_richer(&self, rows: &[Trade]) -> Result<()>;
}

/// A store, with the planted defect if there is one.
pub struct Defective<S>(S, Mutex<Vec<JobRecord>>);

impl<S: Retract> Defective<S> {
    /// Around a store.
    pub const fn new(store: S) -> Self {
        Self(store, Mutex::new(Vec::new()))
    }
}

/// What a table keeps of these rows whose key leaves out the log index.
fn one_of_each_transaction(rows: &[Trade]) -> Vec<Trade> {
    let mut seen = HashSet::new();
    let is_first = |row: &&Trade| seen.insert((row.fill.transaction_hash, row.fill.source_id.clone()));
    rows.iter().filter(is_first).cloned().collect()
}

/// Rows that put nothing on the list.
struct Unlisted(Batch<Trade>);

impl Rows for Unlisted {
    fn table(&self) -> &'static Table {
        self.0.table()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn pieces(&self) -> Result<&[Frames]> {
        self.0.pieces()
    }

    fn identities(&self) -> Vec<Vec<String>> {
        self.0.identities()
    }

    fn entries(&self) -> Vec<UnresolvedEntry> {
        Vec::new()
    }

    fn upsert(&self, part: Range<usize>) -> Upsert {
        self.0.upsert(part)
    }
}

#[async_trait]
impl<S: Retract> Tables for Defective<S> {
    async fn write(&self, batch: AnyBatch<'_>) -> Result<()> {
        step();
        let written = self.write_defectively(batch).await;
        step();
        written
    }

    async fn written_markets(&self, ids: &[String]) -> Result<HashMap<String, WrittenMarket>> {
        self.0.written_markets(ids).await
    }
}

impl<S: Retract> Defective<S> {
    async fn write_defectively(&self, batch: AnyBatch<'_>) -> Result<()> {
        let Some(trades) = batch.rows::<Trade>() else { return self.0.write(batch).await };
        if planted(Bug::KeyWithoutLogIndex) {
            return self.0.write(AnyBatch::from(&Batch::from(one_of_each_transaction(trades)))).await;
        }
        if planted(Bug::VersionByClock) {
            self.0.retract_richer(trades).await?;
        }
        let entries = batch.0.entries();
        if planted(Bug::EntryBeforeRow) && !entries.is_empty() {
            self.0.list_unresolved(&entries).await?;
            tokio::time::sleep(MOMENT).await;
            return self.0.write(AnyBatch(&Unlisted(Batch::from(trades.to_vec())))).await;
        }
        self.0.write(batch).await
    }
}

#[async_trait]
impl<S: Retract> Control for Defective<S> {
    async fn checkpoint(&self, pipeline: &str, source: &str) -> Result<Option<Checkpoint>> {
        self.0.checkpoint(pipeline, source).await
    }

    async fn set_checkpoint(&self, pipeline: &str, source: &str, to: &Checkpoint) -> Result<()> {
        step();
        let set = self.0.set_checkpoint(pipeline, source, to).await;
        step();
        set
    }

    async fn desired_states(&self, pipeline: &str) -> Result<HashMap<String, String>> {
        self.0.desired_states(pipeline).await
    }

    async fn set_desired_state(&self, pipeline: &str, stage: &str, state: &str) -> Result<()> {
        self.0.set_desired_state(pipeline, stage, state).await
    }

    async fn jobs(&self, pipeline: &str, ended: u32) -> Result<Vec<JobRecord>> {
        let late = std::mem::take(&mut *self.1.lock());
        for late in late {
            self.0.set_job(pipeline, &late).await?;
        }
        self.0.jobs(pipeline, ended).await
    }

    async fn set_job(&self, pipeline: &str, job: &JobRecord) -> Result<()> {
        if planted(Bug::AcknowledgeBeforeReplay) && job.id.starts_with("damage-") && job.cursor.is_empty() {
            self.1.lock().push(job.clone());
            return Ok(());
        }
        step();
        let set = self.0.set_job(pipeline, job).await;
        step();
        set
    }

    async fn commands(&self, pipeline: &str, most: u32) -> Result<Vec<CommandRecord>> {
        self.0.commands(pipeline, most).await
    }

    async fn add_commands(&self, pipeline: &str, commands: &[CommandRecord]) -> Result<()> {
        self.0.add_commands(pipeline, commands).await
    }
}

#[async_trait]
impl<S: Retract> TokenIndex for Defective<S> {
    async fn resolutions(&self, tokens: &[TokenId]) -> Result<HashMap<TokenId, Resolution>> {
        self.0.resolutions(tokens).await
    }

    async fn unresolved_tokens(&self, after: Option<&UnresolvedPlace>, tokens: u32) -> Result<UnresolvedPage> {
        self.0.unresolved_tokens(after, tokens).await
    }

    async fn newest_unresolved(&self, tokens: u32) -> Result<Vec<UnresolvedEntry>> {
        self.0.newest_unresolved(tokens).await
    }

    async fn resolve(&self, tokens: &[(TokenId, Resolution)], entries: &[UnresolvedEntry]) -> Result<u64> {
        self.0.resolve(tokens, entries).await
    }

    async fn still_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<HashSet<TokenId>> {
        self.0.still_unresolved(entries).await
    }

    async fn remove_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<()> {
        if !planted(Bug::RemovedByToken) {
            return self.0.remove_unresolved(entries).await;
        }
        tokio::time::sleep(WHILE).await;
        let tokens: HashSet<TokenId> = entries.iter().map(|entry| entry.token).collect();
        let newest = self.0.newest_unresolved(ALL).await?;
        let others = newest.into_iter().filter(|entry| tokens.contains(&entry.token) && !entries.contains(entry));
        let all: Vec<UnresolvedEntry> = entries.iter().cloned().chain(others).collect();
        self.0.remove_unresolved(&all).await
    }

    async fn list_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<()> {
        self.0.list_unresolved(entries).await
    }

    async fn list_state(&self) -> Result<ListState> {
        self.0.list_state().await
    }

    async fn scan_list(&self, scan: &ListScan) -> Result<Scanned> {
        self.0.scan_list(scan).await
    }

    async fn note_scan(&self, partition: Option<&str>, found: u64) -> Result<()> {
        self.0.note_scan(partition, found).await
    }
}

#[async_trait]
impl<S: Retract> Inspection for Defective<S> {
    fn breaker(&self) -> Option<Breaker> {
        self.0.breaker()
    }

    fn periodic_costs(&self) -> Vec<PeriodicCost> {
        self.0.periodic_costs()
    }

    async fn newest_trades(&self, limit: u32) -> Result<Vec<TapeLine>> {
        self.0.newest_trades(limit).await
    }

    async fn row_counts(&self) -> Result<RowCounts> {
        self.0.row_counts().await
    }

    async fn parts(&self) -> Result<Option<PartCounts>> {
        self.0.parts().await
    }
}
