//! The broker itself: each operation as one transaction, and what it changes in the ledgers behind its commit.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;
use rand::RngExt;
use rusqlite::{Connection, Transaction};

use super::ledger::{Ledger, pack, unpack};
use super::{reader::EmbeddedReader, shared::Shared, sql};
use crate::broker::contract::{Broker, Reader};
use crate::broker::entry::{EntryId, NewEntry, Size};
use crate::broker::limits::{check_append, check_size};
use crate::broker::operation::{AckAndForward, Appended, CursorCommit, Layout, Retention};
use crate::broker::state::{Barrier, StreamState};
use crate::broker::stream::{Group, Stream};
use crate::sqlite::{Database, off_thread};
use crate::{broker::error::BrokerError, broker::error::Result, clock::unix_ms};

/// Entries that one trim removes, at most: so that it never holds the file for long.
const TRIM_ENTRIES: usize = 10_000;

/// Streams in the embedded store.
#[derive(Clone)]
pub struct EmbeddedBroker {
    database: Database,
    shared: Arc<Mutex<Shared>>,
}

impl EmbeddedBroker {
    /// The broker of a store.
    pub fn new(database: Database) -> Self {
        Self { database, shared: Arc::default() }
    }

    /// Runs `work` in a transaction of the session that was joined, then `then` behind its commit.
    ///
    /// Only here the ledgers change, one transaction at a time. `work` locks them for a look, never over its SQL: tasks
    /// lock them, too, and must not wait for the disk.
    async fn write<W: 'static, T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &Mutex<Shared>) -> Result<W> + Send + 'static,
        then: impl FnOnce(W, &mut Shared) -> T + Send + 'static,
    ) -> Result<T> {
        let (before, behind) = (Arc::clone(&self.shared), Arc::clone(&self.shared));
        self.database
            .write_then(
                move |tx| {
                    let joined = before.lock().generation.clone();
                    sql::check_generation(tx, joined.as_deref())?;
                    work(tx, &before)
                },
                move |value| then(value, &mut behind.lock()),
            )
            .await
    }

    async fn enter(&self, layout: &Layout, cursors: Option<Vec<(String, String)>>) -> Result<()> {
        let layout = layout.clone();
        let (before, behind) = (Arc::clone(&self.shared), Arc::clone(&self.shared));
        self.database
            .write_then(
                move |tx| {
                    sql::count_events(tx)?;
                    if let Some(cursors) = cursors {
                        let generation = format!("{:016x}", rand::rng().random::<u64>());
                        sql::begin(tx, &generation, &layout, &cursors)?;
                    }
                    let generation = sql::check_layout(tx, &layout)?;
                    if before.lock().generation.as_ref() == Some(&generation) {
                        // Joined before: whoever reads keeps what is given out to them.
                        return Ok::<_, BrokerError>(None);
                    }
                    Ok(Some((generation, sql::load_ledgers(tx)?)))
                },
                move |entered| {
                    if let Some((generation, streams)) = entered {
                        let mut shared = behind.lock();
                        shared.generation = Some(generation);
                        shared.streams = streams;
                    }
                },
            )
            .await
    }

    /// Reads of a stream beside the writer.
    async fn look<T: Send + 'static>(
        &self,
        stream: &Stream,
        work: impl FnOnce(&Connection, i64) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let number = self.shared.lock().ledger(stream)?.stream();
        let database = self.database.clone();
        off_thread(move || work(&database.reader()?, number)).await
    }
}

#[async_trait]
impl Broker for EmbeddedBroker {
    async fn join(&self, layout: &Layout) -> Result<()> {
        self.enter(layout, None).await
    }

    async fn begin(&self, layout: &Layout, cursors: &[(String, String)]) -> Result<()> {
        self.enter(layout, Some(cursors.to_vec())).await
    }

    async fn cursor(&self, key: &str) -> Result<Option<String>> {
        let key = key.to_owned();
        self.write(move |tx, _| sql::cursor(tx, &key), |cursor, _| cursor).await
    }

    async fn append(&self, entries: Vec<NewEntry>, advance: CursorCommit) -> Result<Appended> {
        check_append(&entries, &advance)?;
        let append = move |tx: &Transaction<'_>, shared: &Mutex<Shared>| {
            let outcome = sql::advance(tx, &advance)?;
            let added = match outcome {
                Appended::Now => add(tx, shared, &entries)?,
                _ => Vec::new(),
            };
            Ok((outcome, added))
        };
        self.write(append, |(outcome, added), shared| {
            record(added, shared);
            outcome
        })
        .await
    }

    async fn forward(&self, group: &Group, forwards: Vec<AckAndForward>) -> Result<usize> {
        check_size(forwards.iter().flat_map(|forward| &forward.outputs))?;
        let group = group.clone();
        let forward = move |tx: &Transaction<'_>, shared: &Mutex<Shared>| {
            let ids: BTreeSet<u64> = forwards.iter().map(|forward| pack(forward.id)).collect();
            let mut done = acknowledge(tx, shared, group, ids)?;
            let mut first = done.ids.clone();
            let outputs: Vec<NewEntry> =
                forwards.into_iter().filter(|h| first.remove(&pack(h.id))).flat_map(|h| h.outputs).collect();
            done.added = add(tx, shared, &outputs)?;
            Ok(done)
        };
        self.write(forward, Done::record).await
    }

    async fn acknowledge(&self, group: &Group, ids: Vec<EntryId>) -> Result<usize> {
        let group = group.clone();
        let ids = ids.into_iter().map(pack).collect();
        self.write(move |tx, shared| acknowledge(tx, shared, group, ids), Done::record).await
    }

    async fn reader(&self, group: &Group) -> Result<Box<dyn Reader>> {
        // Through the writer, so that no acknowledgement is half way while what is given out changes hands.
        let (database, taken) = (self.database.clone(), group.clone());
        let taking = move |_: &Transaction<'_>, shared: &Mutex<Shared>| {
            let connection = database.reader()?;
            let mut shared = shared.lock();
            shared.tokens += 1;
            let token = shared.tokens;
            let ledger = shared.ledger(&taken.stream)?;
            ledger.take_over(&taken, token)?;
            Ok((ledger.stream(), token, connection))
        };
        let (stream, token, connection) = self.write(taking, |taken, _| taken).await?;
        Ok(Box::new(EmbeddedReader::new(group.clone(), stream, token, connection, Arc::clone(&self.shared))))
    }

    async fn add_stream(&self, group: &Group) -> Result<()> {
        let (added, recorded) = (group.clone(), group.clone());
        self.write(
            move |tx, _| sql::add_stream(tx, &added),
            move |number, shared| {
                let Some(number) = number else { return };
                let mut ledger = Ledger::new(number, 0, Size::default());
                ledger.load_group(recorded.name, 0, BTreeSet::new(), Size::default(), 0);
                shared.streams.insert(recorded.stream, ledger);
            },
        )
        .await
    }

    async fn open_group(&self, group: &Group, after: EntryId) -> Result<()> {
        let (opened, recorded, after) = (group.clone(), group.clone(), pack(after));
        let open = move |tx: &Transaction<'_>, shared: &Mutex<Shared>| {
            let number = {
                let mut shared = shared.lock();
                let ledger = shared.ledger(&opened.stream)?;
                if ledger.has(&opened) {
                    return Ok(None);
                }
                ledger.stream()
            };
            sql::open_group(tx, number, &opened.name, after)?;
            Ok(Some(sql::size_behind(tx, number, after)?))
        };
        self.write(open, move |left, shared| {
            let (Some(left), Ok(ledger)) = (left, shared.ledger(&recorded.stream)) else { return };
            ledger.load_group(recorded.name, after, BTreeSet::new(), left, 0);
        })
        .await
    }

    async fn close_group(&self, group: &Group) -> Result<()> {
        let (closed, forgotten) = (group.clone(), group.clone());
        let close = move |tx: &Transaction<'_>, shared: &Mutex<Shared>| {
            let number = shared.lock().ledger(&closed.stream)?.stream();
            sql::close_group(tx, number, &closed.name)
        };
        self.write(close, move |(), shared| {
            if let Ok(ledger) = shared.ledger(&forgotten.stream) {
                ledger.forget(&forgotten);
            }
        })
        .await
    }

    async fn oldest(&self, stream: &Stream, after: EntryId) -> Result<Option<EntryId>> {
        let oldest = self.look(stream, move |connection, number| sql::oldest(connection, number, pack(after))).await?;
        Ok(oldest.map(unpack))
    }

    async fn count(&self, stream: &Stream, after: EntryId, up_to: EntryId) -> Result<u64> {
        self.look(stream, move |connection, number| sql::count(connection, number, (pack(after), pack(up_to)))).await
    }

    async fn trim(&self, stream: &Stream, required: &[Group], keep: Retention) -> Result<usize> {
        let (stream, required) = (stream.clone(), required.to_vec());
        let oldest_kept = now_ms().saturating_sub(u64::try_from(keep.age.as_millis()).unwrap_or(u64::MAX));
        let trim = move |tx: &Transaction<'_>, shared: &Mutex<Shared>| {
            let (number, up_to, mut excess) = {
                let mut shared = shared.lock();
                let ledger = shared.ledger(&stream)?;
                let is_full = ledger.bytes() >= keep.full;
                let Some(up_to) = ledger.acknowledged_by_all(&required, is_full) else { return Ok(None) };
                (ledger.stream(), up_to, ledger.bytes().saturating_sub(keep.bytes))
            };
            let (mut entries, mut removed, mut last) = (0, Size::default(), None);
            sql::each_size(tx, number, up_to, TRIM_ENTRIES, |id, size| {
                let old = unpack(id).ms < oldest_kept;
                if !old && excess == 0 {
                    return false;
                }
                excess = excess.saturating_sub(size.bytes);
                entries += 1;
                removed = removed + size;
                last = Some(id);
                true
            })?;
            let mut evicted = Vec::new();
            if let Some(last) = last {
                sql::delete_up_to(tx, number, last)?;
                // Groups that were not asked may have wanted some of it.
                let behind = shared.lock().ledger(&stream)?.behind(last);
                for (group, acknowledged, unacknowledged) in behind {
                    let left = sql::left(tx, number, &group, acknowledged)?;
                    let lost = unacknowledged.saturating_sub(left.events);
                    sql::note_lost(tx, number, &group, lost)?;
                    evicted.push((group, last, left, lost));
                }
            }
            Ok(Some((stream, entries, removed, evicted)))
        };
        self.write(trim, |trimmed, shared| {
            let Some((stream, entries, removed, evicted)) = trimmed else { return 0 };
            if let Ok(ledger) = shared.ledger(&stream) {
                ledger.removed(removed);
                evicted.into_iter().for_each(|(group, last, left, lost)| ledger.evicted(&group, last, left, lost));
            }
            entries
        })
        .await
    }

    async fn stream(&self, stream: &Stream) -> Result<StreamState> {
        Ok(self.shared.lock().ledger(stream)?.state())
    }

    async fn barrier(&self, key: &str, stream: &Stream) -> Result<Barrier> {
        let (key, stream) = (key.to_owned(), stream.clone());
        let look = move |tx: &Transaction<'_>, shared: &Mutex<Shared>| {
            let cursor = sql::cursor(tx, &key)?;
            let mut shared = shared.lock();
            let last_id = unpack(shared.ledger(&stream)?.last_id());
            Ok(Barrier { generation: shared.generation.clone().unwrap_or_default(), cursor, last_id })
        };
        self.write(look, |barrier, _| barrier).await
    }

    async fn is_clear(&self, group: &Group, id: EntryId) -> Result<bool> {
        self.shared.lock().ledger(&group.stream)?.is_clear(group, pack(id))
    }
}

/// Entries that a transaction has added to a stream.
struct Added {
    stream: Stream,
    /// The stream's number in the file.
    number: i64,
    last_id: u64,
    ids: Vec<(u64, Size)>,
}

/// Adds entries to their streams, in order.
fn add(tx: &Transaction<'_>, shared: &Mutex<Shared>, entries: &[NewEntry]) -> Result<Vec<Added>> {
    let mut all: Vec<Added> = Vec::new();
    let now = now_ms();
    for entry in entries {
        let at = match all.iter().position(|added| added.stream == entry.stream) {
            Some(at) => at,
            None => {
                let mut shared = shared.lock();
                let ledger = shared.ledger(&entry.stream)?;
                let (number, last_id) = (ledger.stream(), ledger.last_id());
                all.push(Added { stream: entry.stream.clone(), number, last_id, ids: Vec::new() });
                all.len() - 1
            }
        };
        let added = &mut all[at];
        added.last_id = (added.last_id + 1).max(pack(EntryId { ms: now, seq: 0 }));
        sql::insert(tx, added.number, added.last_id, &entry.body)?;
        added.ids.push((added.last_id, Size::of(&entry.body)));
    }
    for added in &all {
        sql::set_last_id(tx, added.number, added.last_id)?;
    }
    Ok(all)
}

/// Takes into the ledgers what a transaction has added.
fn record(all: Vec<Added>, shared: &mut Shared) {
    for added in all {
        if let Ok(ledger) = shared.ledger(&added.stream) {
            ledger.added(&added.ids);
        }
    }
}

/// What an acknowledgement has done.
struct Done {
    group: Group,
    ids: BTreeSet<u64>,
    acknowledged: u64,
    added: Vec<Added>,
}

impl Done {
    /// Says how many events were acknowledged.
    fn record(self, shared: &mut Shared) -> usize {
        let settle = |ledger: &mut Ledger| ledger.acknowledged(&self.group, &self.ids, self.acknowledged);
        let events = shared.ledger(&self.group.stream).map(settle).unwrap_or_default();
        record(self.added, shared);
        usize::try_from(events).unwrap_or(usize::MAX)
    }
}

/// Writes down that a group has acknowledged those of `ids` that are pending.
fn acknowledge(tx: &Transaction<'_>, shared: &Mutex<Shared>, group: Group, ids: BTreeSet<u64>) -> Result<Done> {
    let (stream, (ids, acknowledged)) = {
        let mut shared = shared.lock();
        let ledger = shared.ledger(&group.stream)?;
        (ledger.stream(), ledger.settle(&group, ids)?)
    };
    sql::set_acknowledged(tx, stream, &group.name, acknowledged, ids.range(acknowledged + 1..))?;
    Ok(Done { group, ids, acknowledged, added: Vec::new() })
}

fn now_ms() -> u64 {
    unix_ms().unsigned_abs()
}
