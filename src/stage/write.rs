//! What the writers share: gather a batch, write it, and acknowledge it only then.
//!
//! A batch stays in hand until the warehouse has confirmed it. A batch that is refused, for its rows or for its size, is halved
//! until the rows at fault stand alone; those become dead letters. Where row after row is refused the fault is not theirs, and the stage
//! fails instead of emptying its stream into the dead letters.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytesize::ByteSize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::broker::{AckAndForward, Delivery, EntryId, Group, MAX_BYTES, MAX_ENTRIES, NewEntry, Reader, Stream};
use crate::flow::{StageId, StreamId, TableId};
use crate::model::entry::{Entry, EntryError};
use crate::stage::step::{Stage, Step};
use crate::stage::{halve::write_halved, linger, refusals::Refusals};
use crate::streams::{StageError, inserts::Insert, session::Session};
use crate::warehouse::{Batch, TableRow, Tables};
use crate::{clock::unix_ms, model::DeadLetter};

/// How long to wait for entries, at most.
pub(crate) const READ_WAIT: Duration = Duration::from_millis(500);

/// When a batch is full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    pub(crate) max_rows: usize,
    pub(crate) max_bytes: ByteSize,
    pub(crate) linger: Duration,
}

/// A kind of row that a stream brings.
pub(crate) trait Row: Entry + TableRow {
    /// The stage that writes it.
    const STAGE: StageId = Self::TABLE.id.writer();

    /// The stream that the stage reads.
    const STREAM: StreamId = match Self::STAGE.reads() {
        Some(stream) => stream,
        None => unreachable!(),
    };

    /// The dead letter of a row that the warehouse refuses. None of a dead letter, for which there is nowhere left: better stop than
    /// lose it.
    fn refused(&self, from: &str, reason: &str) -> Option<DeadLetter> {
        let letter = || dead_letter(Self::STAGE, from, Some(self.position()), &self.encode(), reason);
        (Self::TABLE.id != TableId::DeadLetters).then(letter)
    }
}

impl<R: Entry + TableRow> Row for R {}

/// A stage that writes rows.
pub(crate) struct Writer<R> {
    session: Arc<Session>,
    group: Group,
    /// Where a replay ends.
    up_to: Option<EntryId>,
    reader: Box<dyn Reader>,
    limits: BatchLimits,
    batch: InHand<R>,
    /// When the last insert began.
    inserted: Option<Instant>,
    /// How many rows and entries in a row were no good, also over batches.
    refusals: Refusals,
}

/// What is in hand.
struct InHand<R> {
    ids: Vec<EntryId>,
    rows: Batch<R>,
    /// Entries that are no rows.
    damaged: Vec<AckAndForward>,
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
    /// One that reads its stream, or for a group of its own a part of it again, up to an entry.
    pub(crate) async fn open(
        session: Arc<Session>,
        limits: BatchLimits,
        group: Group,
        up_to: Option<EntryId>,
    ) -> Result<Self, StageError> {
        session.enter().await?;
        let reader = session.broker.reader(&group).await?;
        Ok(Self {
            session,
            group,
            up_to,
            reader,
            limits,
            batch: InHand::empty(),
            inserted: None,
            refusals: Refusals::default(),
        })
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
                    // A damaged dead letter is a dead letter about itself.
                    Err(error) => {
                        let letter = dead_letter(R::STAGE, from, None, &delivery.body, &error.to_string());
                        R::of_letter(letter).ok_or(error)
                    }
                };
                match row {
                    Ok(row) => {
                        self.batch.ids.push(delivery.id);
                        self.batch.rows.push(row);
                    }
                    Err(error) => {
                        let letter = dead_letter_entry(R::STAGE, from, None, &delivery.body, &error.to_string());
                        self.batch.damaged.push(AckAndForward { id: delivery.id, outputs: vec![letter] });
                    }
                }
            }
            let now = Instant::now();
            let until = *until.get_or_insert_with(|| now + self.limits.linger);
            wait = linger::wait(now, until, self.inserted);
        }
        Ok(())
    }

    /// Writes the rows, and says which the warehouse will never take, and how many in a row were no good at the end.
    async fn write(&mut self) -> Result<(Vec<(usize, String)>, Refusals), StageError> {
        if self.batch.rows.rows().is_empty() {
            return Ok((Vec::new(), check_damage(self.refusals, 0, &self.batch.damaged)?));
        }
        let session = &self.session;
        self.batch.insert.get_or_insert_with(|| session.inserts.begin(R::TABLE.id));
        self.inserted = Some(Instant::now());
        let written = write_rows(&*session.warehouse, &self.batch.rows, self.refusals).await?;
        if let Some(insert) = self.batch.insert.take() {
            insert.confirmed((self.batch.rows.rows().len() - written.0.len()) as u64);
        }
        Ok(written)
    }

    /// Acknowledges the batch: what was written as done, the rest as dead letters.
    async fn settle(&self, refused: Vec<(usize, String)>) -> Result<(), StageError> {
        let mut dead = self.batch.damaged.clone();
        for (at, reason) in refused {
            let (row, from) = (&self.batch.rows.rows()[at], self.group.stream.as_str());
            let about_itself = || dead_letter(R::STAGE, from, None, &row.encode(), &reason);
            let letter = row.refused(from, &reason).or_else(|| self.refusals.are_skipped().then(about_itself));
            let Some(letter) = letter else { return Err(StageError::AllRefused { count: 1, reason }) };
            tracing::warn!(stage = R::STAGE.as_str(), "a row became a dead letter: {reason}");
            let letter = NewEntry { stream: Stream::of(StreamId::DeadLetters), body: letter.encode() };
            dead.push(AckAndForward { id: self.batch.ids[at], outputs: vec![letter] });
        }
        for portion in portions(dead) {
            self.session.broker.forward(&self.group, portion).await?;
        }
        self.session.broker.acknowledge(&self.group, self.batch.ids.clone()).await?;
        Ok(())
    }
}

#[async_trait]
impl<R: Row> Stage for Writer<R> {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if self.refusals.asks_for_newest() {
            self.refusals.skip_up_to(self.session.broker.stream(&self.group.stream).await?.last_id);
        }
        if self.batch.len() == 0 {
            // A batch that is being gathered when the drain comes is written all the same.
            let _ = drain.run_until_cancelled(self.gather()).await.transpose()?;
        }
        if self.batch.len() == 0 {
            let is_over = self.up_to.is_some() && !drain.is_cancelled();
            return Ok(if is_over { Step::Done } else { Step::Idle });
        }
        let (refused, refusals) = self.write().await?;
        self.settle(refused).await?;
        // Not before: a batch that is settled again is not bad again.
        let damaged = self.batch.damaged.iter().map(|damaged| damaged.id);
        self.refusals = refusals.settled(self.batch.ids.iter().copied().chain(damaged).max());
        let moved = self.batch.len() as u64;
        self.batch = InHand::empty();
        Ok(Step::Moved(moved))
    }

    fn in_hand(&self) -> bool {
        self.batch.len() > 0
    }

    fn skip_bad(&mut self) {
        self.refusals.skip();
    }
}

/// Writes a batch, without the rows that are refused. Says which those are and why, and how many in a row were bad at the end.
pub(crate) async fn write_rows<R: Row>(
    warehouse: &dyn Tables,
    batch: &Batch<R>,
    mut refusals: Refusals,
) -> Result<(Vec<(usize, String)>, Refusals), StageError> {
    let note = |refused: Option<&str>| match refused {
        None => {
            refusals.good();
            Ok(())
        }
        Some(reason) => refusals.bad(1, || reason.to_owned()),
    };
    let refused = write_halved(warehouse, batch, note).await?;
    Ok((refused, refusals))
}

/// Of what was read that which belongs to a replay that ends at `up_to`.
pub(crate) fn within(mut read: Vec<Delivery>, up_to: Option<EntryId>) -> Vec<Delivery> {
    if let Some(up_to) = up_to {
        read.retain(|delivery| delivery.id <= up_to);
    }
    read
}

/// What an entry holds, or why it is damaged. An entry of a newer polytape is neither: it must not be given up.
pub(crate) fn decode<R: Entry>(stream: &str, body: &[u8]) -> Result<Result<R, EntryError>, StageError> {
    match R::decode(body) {
        Err(error) if let Some(version) = error.newer_version() => {
            Err(StageError::NewerEntries { stream: stream.to_owned(), version })
        }
        decoded => Ok(decoded),
    }
}

/// How many in a row are bad behind these entries; an error where that is no more the fault of each of them.
pub(crate) fn check_damage(before: Refusals, good: usize, damaged: &[AckAndForward]) -> Result<Refusals, StageError> {
    let mut refusals = before;
    match good {
        0 => refusals.bad(damaged.len(), || "damaged entries".into())?,
        _ => refusals.good(),
    }
    Ok(refusals)
}

/// Hand-overs in as few portions as a forward carries: what is refused together goes in one step.
fn portions(forwards: Vec<AckAndForward>) -> Vec<Vec<AckAndForward>> {
    let (mut portions, mut bytes) = (Vec::<Vec<AckAndForward>>::new(), 0);
    for forward in forwards {
        let size: usize = forward.outputs.iter().map(|output| output.body.len()).sum();
        match portions.last_mut() {
            Some(portion) if portion.len() < MAX_ENTRIES && bytes + size <= MAX_BYTES => {
                bytes += size;
                portion.push(forward);
            }
            _ => {
                bytes = size;
                portions.push(vec![forward]);
            }
        }
    }
    portions
}

/// A dead letter, as an entry of its stream. Without a position it is the hash of its bytes.
pub(crate) fn dead_letter_entry(
    stage: StageId,
    from: &str,
    position: Option<String>,
    raw: &[u8],
    reason: &str,
) -> NewEntry {
    let letter = dead_letter(stage, from, position, raw, reason);
    NewEntry { stream: Stream::of(StreamId::DeadLetters), body: letter.encode() }
}

pub(crate) fn dead_letter(
    stage: StageId,
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
