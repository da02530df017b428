//! Reads a stream on a connection of its own.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::time::{Instant, timeout_at};

use super::{ledger::unpack, shared::Shared, sql};
use crate::broker::{contract::Reader, entry::Delivery, entry::Size, error::Result, stream::Group};
use crate::sqlite::off_thread;

pub(super) struct EmbeddedReader {
    group: Group,
    stream: i64,
    token: u64,
    connection: Arc<Mutex<Connection>>,
    shared: Arc<Mutex<Shared>>,
}

impl EmbeddedReader {
    pub(super) fn new(
        group: Group,
        stream: i64,
        token: u64,
        connection: Connection,
        shared: Arc<Mutex<Shared>>,
    ) -> Self {
        Self { group, stream, token, connection: Arc::new(Mutex::new(connection)), shared }
    }

    /// The entries behind `after`, up to `known`, but those of `skip`; and the id up to which that is all.
    async fn fetch(
        &self,
        (after, known): (u64, u64),
        skip: BTreeSet<u64>,
        max: usize,
        max_bytes: usize,
    ) -> Result<(Vec<(u64, Vec<u8>)>, u64)> {
        let (connection, stream) = (Arc::clone(&self.connection), self.stream);
        off_thread(move || {
            let (mut entries, mut size, mut last, mut all) = (Vec::new(), Size::default(), after, true);
            sql::each_entry(&connection.lock(), stream, (after, known), |id, body| {
                if size.events >= max as u64 || size.bytes >= max_bytes as u64 {
                    all = false;
                    return false;
                }
                last = id;
                if !skip.contains(&id) {
                    size = size + Size::of(body);
                    entries.push((id, body.to_vec()));
                }
                true
            })?;
            Ok((entries, if all { known } else { last }))
        })
        .await
    }
}

#[async_trait]
impl Reader for EmbeddedReader {
    async fn read(&mut self, max: usize, max_bytes: usize, wait: Duration) -> Result<Vec<Delivery>> {
        let deadline = Instant::now() + wait;
        loop {
            let (mut news, delivered, ahead) = {
                let mut shared = self.shared.lock();
                let ledger = shared.ledger(&self.group.stream)?;
                let (delivered, ahead) = ledger.delivered(&self.group, self.token)?;
                (ledger.watch(), delivered, ahead)
            };
            let known = *news.borrow_and_update();
            if known > delivered {
                let (entries, last) = self.fetch((delivered, known), ahead, max, max_bytes).await?;
                let sizes = entries.iter().map(|(id, body)| (*id, Size::of(body)));
                let mut shared = self.shared.lock();
                shared.ledger(&self.group.stream)?.deliver(&self.group, self.token, sizes, last)?;
                if !entries.is_empty() {
                    return Ok(entries.into_iter().map(|(id, body)| Delivery { id: unpack(id), body }).collect());
                }
            }
            match timeout_at(deadline, news.changed()).await {
                Ok(Ok(())) => {}
                // Nothing came in time, or the streams began a new session, which the next call is told.
                Ok(Err(_)) | Err(_) => return Ok(Vec::new()),
            }
        }
    }
}
