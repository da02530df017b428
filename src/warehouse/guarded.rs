//! A warehouse that is left alone while it is away: every call goes through one breaker.
//!
//! While that is open most calls fail at once with what the last attempt met, and nothing is sent. Adds nothing else: what an
//! error means, and whether rows are there, the warehouse inside says.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;

use super::control::{Checkpoint, CommandRecord, Control, JobRecord};
use super::inspection::{Inspection, PartCounts, RowCounts, TapeLine};
use super::tables::{Tables, WrittenMarket};
use super::unresolved::{ListScan, ListState, PeriodicCost, Scanned, UnresolvedEntry, UnresolvedPage, UnresolvedPlace};
use super::{
    batch::AnyBatch, clickhouse::error::ClickhouseError, error::Result, error::WarehouseError, token_index::TokenIndex,
    whole::Warehouse,
};
use crate::breaker::Breaker;
use crate::model::{Resolution, TokenId};

/// A warehouse behind a breaker.
pub struct Guarded {
    inner: Arc<dyn Warehouse>,
    breaker: Breaker,
}

impl Guarded {
    /// Guards a warehouse of this name, which must be fit to be shown: `ClickHouse at http://host:port`.
    pub fn new(inner: Arc<dyn Warehouse>, name: impl Into<String>) -> Self {
        Self { inner, breaker: Breaker::new(name) }
    }

    async fn ask<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let attempt = self.breaker.attempt().map_err(|outage| WarehouseError::Away(outage.to_string()))?;
        let result = call.await;
        match result.as_ref().err().and_then(no_answer) {
            Some(cause) => attempt.failed(cause),
            None => attempt.answered(),
        }
        result
    }
}

/// Why there was no answer, in a few words; `None` where there was one.
fn no_answer(error: &WarehouseError) -> Option<String> {
    match error {
        WarehouseError::Clickhouse(ClickhouseError::Network { text, .. }) => Some(text.clone()),
        WarehouseError::Clickhouse(ClickhouseError::Timeout { after, .. }) => {
            Some(format!("no answer within {} s", after.as_secs()))
        }
        // Something in between answers for it.
        WarehouseError::Clickhouse(ClickhouseError::Foreign { is_too_large: false, text, .. }) => {
            Some(format!("something else answered in its place: {text}"))
        }
        _ => None,
    }
}

#[async_trait]
impl Tables for Guarded {
    async fn write(&self, batch: AnyBatch<'_>) -> Result<()> {
        self.ask(self.inner.write(batch)).await
    }

    async fn written_markets(&self, ids: &[String]) -> Result<HashMap<String, WrittenMarket>> {
        self.ask(self.inner.written_markets(ids)).await
    }
}

#[async_trait]
impl Control for Guarded {
    async fn checkpoint(&self, pipeline: &str, source: &str) -> Result<Option<Checkpoint>> {
        self.ask(self.inner.checkpoint(pipeline, source)).await
    }

    async fn set_checkpoint(&self, pipeline: &str, source: &str, to: &Checkpoint) -> Result<()> {
        self.ask(self.inner.set_checkpoint(pipeline, source, to)).await
    }

    async fn desired_states(&self, pipeline: &str) -> Result<HashMap<String, String>> {
        self.ask(self.inner.desired_states(pipeline)).await
    }

    async fn set_desired_state(&self, pipeline: &str, stage: &str, state: &str) -> Result<()> {
        self.ask(self.inner.set_desired_state(pipeline, stage, state)).await
    }

    async fn jobs(&self, pipeline: &str, ended: u32) -> Result<Vec<JobRecord>> {
        self.ask(self.inner.jobs(pipeline, ended)).await
    }

    async fn set_job(&self, pipeline: &str, job: &JobRecord) -> Result<()> {
        self.ask(self.inner.set_job(pipeline, job)).await
    }

    async fn commands(&self, pipeline: &str, most: u32) -> Result<Vec<CommandRecord>> {
        self.ask(self.inner.commands(pipeline, most)).await
    }

    async fn add_commands(&self, pipeline: &str, commands: &[CommandRecord]) -> Result<()> {
        self.ask(self.inner.add_commands(pipeline, commands)).await
    }
}

#[async_trait]
impl TokenIndex for Guarded {
    async fn resolutions(&self, tokens: &[TokenId]) -> Result<HashMap<TokenId, Resolution>> {
        self.ask(self.inner.resolutions(tokens)).await
    }

    async fn unresolved_tokens(&self, after: Option<&UnresolvedPlace>, tokens: u32) -> Result<UnresolvedPage> {
        self.ask(self.inner.unresolved_tokens(after, tokens)).await
    }

    async fn newest_unresolved(&self, tokens: u32) -> Result<Vec<UnresolvedEntry>> {
        self.ask(self.inner.newest_unresolved(tokens)).await
    }

    async fn resolve(&self, tokens: &[(TokenId, Resolution)], entries: &[UnresolvedEntry]) -> Result<u64> {
        self.ask(self.inner.resolve(tokens, entries)).await
    }

    async fn still_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<HashSet<TokenId>> {
        self.ask(self.inner.still_unresolved(entries)).await
    }

    async fn remove_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<()> {
        self.ask(self.inner.remove_unresolved(entries)).await
    }

    async fn list_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<()> {
        self.ask(self.inner.list_unresolved(entries)).await
    }

    async fn list_state(&self) -> Result<ListState> {
        self.ask(self.inner.list_state()).await
    }

    async fn scan_list(&self, scan: &ListScan) -> Result<Scanned> {
        self.ask(self.inner.scan_list(scan)).await
    }

    async fn note_scan(&self, partition: Option<&str>, found: u64) -> Result<()> {
        self.ask(self.inner.note_scan(partition, found)).await
    }
}

#[async_trait]
impl Inspection for Guarded {
    fn breaker(&self) -> Option<Breaker> {
        Some(self.breaker.clone())
    }

    fn periodic_costs(&self) -> Vec<PeriodicCost> {
        self.inner.periodic_costs()
    }

    async fn newest_trades(&self, limit: u32) -> Result<Vec<TapeLine>> {
        self.ask(self.inner.newest_trades(limit)).await
    }

    async fn row_counts(&self) -> Result<RowCounts> {
        self.ask(self.inner.row_counts()).await
    }

    async fn parts(&self) -> Result<Option<PartCounts>> {
        self.ask(self.inner.parts()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_later_is_told_too_that_something_else_answered() {
        let foreign = |is_too_large| {
            let text = "HTTP 404".to_owned();
            WarehouseError::Clickhouse(ClickhouseError::Foreign { at: "http://host".to_owned(), is_too_large, text })
        };
        let breaker = Breaker::new("ClickHouse at http://host");
        breaker.failed(no_answer(&foreign(false)).unwrap());
        let told = breaker.outage().unwrap().to_string();
        let right = "ClickHouse at http://host cannot be reached: something else answered in its place: HTTP 404";
        assert_eq!(told, right);
        assert_eq!(no_answer(&foreign(true)), None, "it is there, and takes less at once");
    }
}
