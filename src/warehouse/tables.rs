//! The tables themselves: what is written, and what is there of it.

use std::collections::HashMap;

use async_trait::async_trait;

use super::batch::{AnyBatch, Batch};
use super::{error::Result, table::row::TableRow};

/// What is to be known of a market that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenMarket {
    /// [`Market::lasting_hash`](crate::model::Market::lasting_hash).
    pub lasting_hash: u64,
    /// [`Market::version`](crate::model::Market::version).
    pub version: u64,
}

/// Where rows are written.
#[async_trait]
pub trait Tables: Send + Sync {
    /// Writes a batch. When it returns its rows are there: one that is poorer or older than what is there changes nothing, and the tokens
    /// of trades that are not complete are on the list. A batch that did not get there is given again as it is: what was made of it to
    /// send it is made only once.
    async fn write(&self, batch: AnyBatch<'_>) -> Result<()>;

    /// Of these markets those that are there, by id.
    async fn written_markets(&self, ids: &[String]) -> Result<HashMap<String, WrittenMarket>>;
}

/// Rows that are not kept for another attempt.
pub trait WriteRows: Tables {
    /// Writes them as [`Tables::write`] does.
    fn write_rows<R: TableRow>(&self, rows: &[R]) -> impl Future<Output = Result<()>> + Send {
        let batch = Batch::from(rows.to_vec());
        async move { self.write(AnyBatch::from(&batch)).await }
    }
}

impl<T: Tables + ?Sized> WriteRows for T {}
