//! What the writers share: gather a batch, write it, and acknowledge it only then.
//!
//! A batch stays in hand until the warehouse has confirmed it. A batch that is refused, for its rows or for its size, is halved
//! until the rows at fault stand alone; those become dead letters. Where row after row is refused the fault is not theirs, and the stage
//! fails instead of emptying its stream into the dead letters.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytesize::ByteSize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::inserts::Insert;
use super::life::Life;
use super::{Stage, StageError, StageName, Step};
use crate::broker::{Delivery, EntryId, Group, Handover, NewEntry, Reader, Stream};
use crate::clock::unix_ms;
use crate::model::DeadLetter;
use crate::model::entry::{Entry, EntryError};
use crate::planted::{Bug, planted, planted_once};
use crate::warehouse::{AnyBatch, Batch, Table, Warehouse};

/// How long to wait for entries, at most.
pub(super) const READ_WAIT: Duration = Duration::from_millis(500);

/// So many refused rows or damaged entries, none accepted between them, are not their own fault.
const MOST_REFUSED_IN_A_ROW: usize = 16;

/// When a batch is full.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchLimits {
    pub(super) max_rows: usize,
    pub(super) max_bytes: ByteSize,
    pub(super) linger: Duration,
}

/// A kind of row that can be written.
pub(super) trait Row: Entry + Clone + Send + Sync + 'static {
    /// The stage that writes it.
    const STAGE: StageName;

    /// The table that it is written to.
    const TABLE: Table;

    /// The group that the stage reads for.
    fn group(life: &Life) -> Group;

    /// A batch of these rows, among those of all tables.
    fn any(batch: &Batch<Self>) -> AnyBatch<'_>;

    /// What to keep of bytes that are no row: a row of this kind after all, or nothing, and then a dead letter is made.
    fn of_damaged(from: &str, bytes: &[u8], error: &EntryError) -> Option<Self>;

    /// The dead letter of a row that the warehouse refuses, or nothing where the stage must rather stop.
    fn refused(&self, from: &str, reason: &str) -> Option<DeadLetter>;
}

/// A stage that writes rows.
pub(super) struct Writer<R> {
    life: Arc<Life>,
    group: Group,
    /// Where a replay ends.
    up_to: Option<EntryId>,
    reader: Box<dyn Reader>,
    limits: BatchLimits,
    batch: InHand<R>,
    /// How many rows and entries in a row were no good, also over batches.
    bad_in_a_row: usize,
}

/// What is in hand.
struct InHand<R> {
    ids: Vec<EntryId>,
    rows: Batch<R>,
    /// Entries that are no rows.
    damaged: Vec<Handover>,
    /// From the first attempt to write the rows on.
    insert: Option<Insert>,
}

impl<R> InHand<R> {
    const fn empty() -> Self {
        Self { ids: Vec::new(), rows: Batch::empty(), damaged: Vec::new(), insert: None }
    }

    fn len(&self) -> usize {
        self.ids.len() + self.damaged.len()
    }
}

impl<R: Row> Writer<R> {
    pub(super) async fn open(life: Arc<Life>, limits: BatchLimits) -> Result<Self, StageError> {
        let group = R::group(&life);
        Self::with_group(life, limits, group, None).await
    }

    /// One that does a part of the stream again, for a group of its own.
    pub(super) async fn replay(
        life: Arc<Life>,
        limits: BatchLimits,
        group: Group,
        up_to: EntryId,
    ) -> Result<Self, StageError> {
        Self::with_group(life, limits, group, Some(up_to)).await
    }

    async fn with_group(
        life: Arc<Life>,
        limits: BatchLimits,
        group: Group,
        up_to: Option<EntryId>,
    ) -> Result<Self, StageError> {
        life.enter().await?;
        let reader = life.broker.reader(&group).await?;
        Ok(Self { life, group, up_to, reader, limits, batch: InHand::empty(), bad_in_a_row: 0 })
    }

    /// Reads until the batch is full or has lingered.
    async fn gather(&mut self) -> Result<(), StageError> {
        let (mut wait, mut until, mut bytes) = (READ_WAIT, None, 0);
        let max_bytes = usize::try_from(self.limits.max_bytes.as_u64()).unwrap_or(usize::MAX);
        while self.batch.len() < self.limits.max_rows && bytes < max_bytes {
            let read = self.reader.read(self.limits.max_rows - self.batch.len(), max_bytes - bytes, wait).await?;
            let read = within(read, self.up_to);
            if read.is_empty() {
                break;
            }
            for delivery in read {
                bytes += delivery.body.len();
                let from = self.group.stream.as_str();
                let row = match decode(from, &delivery.body)? {
                    Ok(row) => Ok(row),
                    Err(error) => R::of_damaged(from, &delivery.body, &error).ok_or(error),
                };
                match row {
                    Ok(row) => {
                        self.batch.ids.push(delivery.id);
                        self.batch.rows.push(row);
                    }
                    Err(error) => {
                        let letter = dead_letter_entry(R::STAGE, from, None, &delivery.body, &error.to_string());
                        self.batch.damaged.push(Handover { id: delivery.id, outputs: vec![letter] });
                    }
                }
            }
            let until = *until.get_or_insert_with(|| Instant::now() + self.limits.linger);
            wait = until.saturating_duration_since(Instant::now());
        }
        Ok(())
    }

    /// Writes the rows, and says which the warehouse will never take, and how many in a row were no good at the end.
    async fn write(&mut self) -> Result<(Vec<(usize, String)>, usize), StageError> {
        if self.batch.rows.rows().is_empty() {
            return Ok((Vec::new(), check_damage(self.bad_in_a_row, 0, &self.batch.damaged)?));
        }
        let life = &self.life;
        self.batch.insert.get_or_insert_with(|| life.inserts.begin(R::TABLE));
        let written = write_rows(&*life.warehouse, &self.batch.rows, self.bad_in_a_row).await?;
        if let Some(insert) = self.batch.insert.take() {
            insert.confirmed((self.batch.rows.rows().len() - written.0.len()) as u64);
        }
        Ok(written)
    }

    /// Acknowledges the batch: what was written as done, the rest as dead letters.
    async fn settle(&self, refused: Vec<(usize, String)>) -> Result<(), StageError> {
        let mut dead = self.batch.damaged.clone();
        for (at, reason) in refused {
            let Some(letter) = self.batch.rows.rows()[at].refused(self.group.stream.as_str(), &reason) else {
                return Err(StageError::AllRefused { count: 1, reason });
            };
            tracing::warn!(stage = R::STAGE.as_str(), "a row became a dead letter: {reason}");
            let letter = NewEntry { stream: Stream::dead_letters(), body: letter.encode() };
            dead.push(Handover { id: self.batch.ids[at], outputs: vec![letter] });
        }
        for dead in dead {
            self.life.broker.forward(&self.group, vec![dead]).await?;
        }
        self.life.broker.acknowledge(&self.group, self.batch.ids.clone()).await?;
        Ok(())
    }
}

#[async_trait]
impl<R: Row> Stage for Writer<R> {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if self.batch.len() == 0 {
            // A batch that is being gathered when the drain comes is written all the same.
            let _ = drain.run_until_cancelled(self.gather()).await.transpose()?;
        }
        if self.batch.len() == 0 {
            let is_over = self.up_to.is_some() && !drain.is_cancelled();
            return Ok(if is_over { Step::Done } else { Step::Idle });
        }
        assert!(R::STAGE != StageName::WriteTrades || !planted_once(Bug::StagePanics), "planted: the stage panics");
        if planted(Bug::AcknowledgeBeforeConfirm) {
            self.life.broker.acknowledge(&self.group, self.batch.ids.clone()).await?;
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let (refused, bad_in_a_row) = self.write().await?;
        if planted(Bug::VersionByClock) {
            // Long enough for the resolver to complete these rows, and for a kill to make them come again.
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        self.settle(refused).await?;
        // Not before: a batch that is settled again is not bad again.
        self.bad_in_a_row = bad_in_a_row;
        let moved = self.batch.len() as u64;
        self.batch = InHand::empty();
        Ok(Step::Moved(moved))
    }

    fn in_hand(&self) -> bool {
        self.batch.len() > 0
    }
}

/// Writes a batch: one that is refused is halved until the rows at fault stand alone. Says which those are and why, and how
/// many in a row were bad at the end.
pub(super) async fn write_rows<R: Row>(
    warehouse: &dyn Warehouse,
    batch: &Batch<R>,
    mut bad_in_a_row: usize,
) -> Result<(Vec<(usize, String)>, usize), StageError> {
    let mut refused = Vec::new();
    let mut parts: Vec<Range<usize>> = std::iter::once(0..batch.rows().len()).collect();
    while let Some(part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        let written = match part.len() == batch.rows().len() {
            true => warehouse.write(R::any(batch)).await,
            false => warehouse.write(R::any(&batch.rows()[part.clone()].to_vec().into())).await,
        };
        match written {
            Ok(()) => bad_in_a_row = 0,
            Err(error) if part.len() > 1 && error.asks_for_less() => {
                let middle = part.start + part.len() / 2;
                parts.extend([middle..part.end, part.start..middle]);
            }
            Err(error) => {
                let Some(reason) = error.refuses_row() else { return Err(error.into()) };
                let reason = reason.to_owned();
                bad_in_a_row += 1;
                if bad_in_a_row >= MOST_REFUSED_IN_A_ROW {
                    return Err(StageError::AllRefused { count: bad_in_a_row, reason });
                }
                refused.push((part.start, reason));
            }
        }
    }
    Ok((refused, bad_in_a_row))
}

/// Of what was read that which belongs to a replay that ends at `up_to`.
pub(super) fn within(mut read: Vec<Delivery>, up_to: Option<EntryId>) -> Vec<Delivery> {
    if let Some(up_to) = up_to {
        read.retain(|delivery| delivery.id <= up_to);
    }
    read
}

/// What an entry holds, or why it is damaged. An entry of a newer polytape is neither: it must not be given up.
pub(super) fn decode<R: Entry>(stream: &str, body: &[u8]) -> Result<Result<R, EntryError>, StageError> {
    match R::decode(body) {
        Err(error) if let Some(version) = error.newer_version() => {
            Err(StageError::NewerEntries { stream: stream.to_owned(), version })
        }
        decoded => Ok(decoded),
    }
}

/// How many in a row are bad behind these entries; an error where that is no more the fault of each of them.
pub(super) fn check_damage(before: usize, good: usize, damaged: &[Handover]) -> Result<usize, StageError> {
    let count = if good == 0 { before + damaged.len() } else { 0 };
    if count >= MOST_REFUSED_IN_A_ROW && !damaged.is_empty() {
        return Err(StageError::AllRefused { count, reason: "damaged entries".into() });
    }
    Ok(count)
}

/// A dead letter, as an entry of its stream. Without a position it is the hash of its bytes.
pub(super) fn dead_letter_entry(
    stage: StageName,
    from: &str,
    position: Option<String>,
    raw: &[u8],
    reason: &str,
) -> NewEntry {
    let letter = dead_letter(stage, from, position, raw, reason);
    NewEntry { stream: Stream::dead_letters(), body: letter.encode() }
}

pub(super) fn dead_letter(
    stage: StageName,
    from: &str,
    position: Option<String>,
    raw: &[u8],
    reason: &str,
) -> DeadLetter {
    let letter = DeadLetter {
        source: from.to_owned(),
        position: position.unwrap_or_else(|| DeadLetter::position_of_bytes(raw)),
        stage: stage.as_str().to_owned(),
        reason: reason.to_owned(),
        raw: raw.to_vec(),
        first_seen: unix_ms(),
    };
    letter.clipped()
}
