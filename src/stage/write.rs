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

use crate::broker::{AckAndForward, Delivery, EntryId, Group, NewEntry, Reader, Stream};
use crate::flow::{StageId, StreamId, TableId};
use crate::model::{DeadLetter, entry::Entry, entry::weight};
use crate::stage::step::{Stage, Step};
use crate::stage::unpack::{Unpacked, dead_letter, letter_entry, unpack};
use crate::stage::{halve::write_halved, linger, portions::portions, portions::within, refusals::Refusals};
use crate::streams::rereads::{Damaged, read_again};
use crate::streams::{StageError, inserts::Insert, session::Session};
use crate::warehouse::{Batch, TableRow, Tables};

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
    input: Input,
    /// What is being written.
    batch: InHand<R>,
    /// What was read meanwhile, as it came: rows take many times as much memory as their entries.
    next: Read,
    /// How many rows and entries in a row were no good, also over batches.
    refusals: Refusals,
}

/// Where entries come from.
struct Input {
    stream: Stream,
    /// Where a replay ends.
    up_to: Option<EntryId>,
    reader: Box<dyn Reader>,
    limits: BatchLimits,
    /// When the last insert began.
    inserted: Option<Instant>,
}

/// Entries that were read.
#[derive(Default)]
struct Read {
    deliveries: Vec<Delivery>,
    events: usize,
    bytes: usize,
}

/// What is in hand.
struct InHand<R> {
    entries: Vec<Held>,
    rows: Batch<R>,
    /// Bytes of its entries.
    bytes: usize,
    /// Since when there is something.
    since: Option<Instant>,
    /// From the first attempt to write the rows on.
    insert: Option<Insert>,
}

/// An entry in hand.
struct Held {
    id: EntryId,
    /// Its rows are those from the end of the entry before up to here.
    rows_end: usize,
    /// Of its events that are no rows.
    letters: Vec<DeadLetter>,
    damaged: Option<Damaged>,
}

impl<R> InHand<R> {
    const fn empty() -> Self {
        Self { entries: Vec::new(), rows: Batch::empty(), bytes: 0, since: None, insert: None }
    }

    fn clear(&mut self) {
        let Self { entries, rows, bytes, since, insert } = self;
        entries.clear();
        rows.clear();
        (*bytes, *since, *insert) = (0, None, None);
    }

    fn letters(&self) -> usize {
        self.entries.iter().map(|entry| entry.letters.len()).sum()
    }

    /// Events.
    fn len(&self) -> usize {
        self.rows.rows().len() + self.letters()
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
        let input = Input { stream: group.stream.clone(), up_to, reader, limits, inserted: None };
        let (batch, next) = (InHand::empty(), Read::default());
        Ok(Self { session, group, input, batch, next, refusals: Refusals::default() })
    }

    /// Writes the batch and acknowledges it. Says how many in a row were no good behind it.
    async fn write_batch(
        session: &Session,
        group: &Group,
        batch: &mut InHand<R>,
        refusals: Refusals,
    ) -> Result<Refusals, StageError> {
        let (refused, behind) = batch.write(session, refusals).await?;
        batch.settle(session, group, refused, refusals).await?;
        // Not before: a batch that is settled again is not bad again.
        Ok(behind.settled(batch.entries.iter().map(|entry| entry.id).max()))
    }
}

impl Input {
    /// Reads until the batch is full or has lingered.
    async fn gather<R: Row>(&mut self, batch: &mut InHand<R>) -> Result<(), StageError> {
        loop {
            let left = |since: Instant| linger::wait(Instant::now(), since + self.limits.linger, self.inserted);
            let wait = batch.since.map_or(READ_WAIT, left);
            let read = self.read(batch.len(), batch.bytes, wait).await?;
            if read.is_empty() {
                return Ok(());
            }
            batch.take(&self.stream, read)?;
        }
    }

    /// Reads until there is as much as a batch holds or nothing more now.
    async fn read_ahead(&mut self, next: &mut Read) -> Result<(), StageError> {
        loop {
            let read = self.read(next.events, next.bytes, Duration::ZERO).await?;
            if read.is_empty() {
                return Ok(());
            }
            next.events += read.iter().map(|delivery| weight(&delivery.body) as usize).sum::<usize>();
            next.bytes += read.iter().map(|delivery| delivery.body.len()).sum::<usize>();
            next.deliveries.extend(read);
        }
    }

    /// Reads what there is room for beside what is there.
    async fn read(&mut self, events: usize, bytes: usize, wait: Duration) -> Result<Vec<Delivery>, StageError> {
        let max_bytes = usize::try_from(self.limits.max_bytes.as_u64()).unwrap_or(usize::MAX);
        let (rows, bytes) = (self.limits.max_rows.saturating_sub(events), max_bytes.saturating_sub(bytes));
        if rows == 0 || bytes == 0 {
            return Ok(Vec::new());
        }
        Ok(within(self.reader.read(rows, bytes, wait).await?, self.up_to))
    }
}

impl<R: Row> InHand<R> {
    /// Takes entries, or none of them.
    fn take(&mut self, stream: &Stream, entries: Vec<Delivery>) -> Result<(), StageError> {
        self.rows.reserve(entries.iter().map(|entry| weight(&entry.body) as usize).sum());
        entries.into_iter().try_for_each(|entry| self.take_one(stream, entry))
    }

    fn take_one(&mut self, stream: &Stream, Delivery { id, body }: Delivery) -> Result<(), StageError> {
        let Unpacked { events, mut letters, mut damaged, .. } = unpack(R::STAGE, stream, id, &body)?;
        events.into_iter().for_each(|row| self.rows.push(row));
        // A damaged dead letter is a dead letter about itself.
        if damaged.is_some()
            && let Some(row) = letters.first().cloned().and_then(R::of_letter)
        {
            self.rows.push(row);
            (letters, damaged) = (Vec::new(), None);
        }
        self.bytes += body.len();
        self.since.get_or_insert_with(Instant::now);
        self.entries.push(Held { id, rows_end: self.rows.rows().len(), letters, damaged });
        Ok(())
    }

    /// Writes the rows, and says which the warehouse will never take, and how many in a row were no good at the end.
    async fn write(
        &mut self,
        session: &Session,
        refusals: Refusals,
    ) -> Result<(Vec<(usize, String)>, Refusals), StageError> {
        if self.rows.rows().is_empty() {
            return Ok((Vec::new(), refusals.counted(0, self.letters())?));
        }
        self.insert.get_or_insert_with(|| session.inserts.begin(R::TABLE.id));
        let written = write_rows(&*session.warehouse, &self.rows, refusals).await?;
        if let Some(insert) = self.insert.take() {
            insert.confirmed((self.rows.rows().len() - written.0.len()) as u64);
        }
        Ok(written)
    }

    /// Acknowledges the batch: each entry once, with the dead letters of what was not written of it.
    async fn settle(
        &self,
        session: &Session,
        group: &Group,
        refused: Vec<(usize, String)>,
        refusals: Refusals,
    ) -> Result<(), StageError> {
        let (mut refused, mut written, mut dead) = (refused.into_iter().peekable(), Vec::new(), Vec::new());
        let damaged: Vec<&Damaged> = self.entries.iter().filter_map(|entry| entry.damaged.as_ref()).collect();
        read_again(session, &damaged).await?;
        for Held { id, rows_end, letters, .. } in &self.entries {
            let mut outputs: Vec<NewEntry> = letters.iter().map(letter_entry).collect();
            while let Some((at, reason)) = refused.next_if(|(at, _)| at < rows_end) {
                let row = &self.rows.rows()[at];
                outputs.push(letter_entry(&letter_of(row, group.stream.as_str(), &reason, refusals)?));
            }
            match outputs.is_empty() {
                true => written.push(*id),
                false => dead.push(AckAndForward { id: *id, outputs }),
            }
        }
        for portion in portions(dead) {
            session.broker.forward(group, portion).await?;
        }
        session.broker.acknowledge(group, written).await?;
        Ok(())
    }
}

/// The dead letter of a row that was refused.
fn letter_of<R: Row>(row: &R, from: &str, reason: &str, refusals: Refusals) -> Result<DeadLetter, StageError> {
    let about_itself = || dead_letter(R::STAGE, from, None, &row.encode(), reason);
    let letter = row.refused(from, reason).or_else(|| refusals.are_skipped().then(about_itself));
    let letter = letter.ok_or_else(|| StageError::AllRefused { count: 1, reason: reason.to_owned() })?;
    tracing::warn!(stage = R::STAGE.as_str(), "a row became a dead letter: {reason}");
    Ok(letter)
}

#[async_trait]
impl<R: Row> Stage for Writer<R> {
    async fn step(&mut self, drain: &CancellationToken) -> Result<Step, StageError> {
        if self.refusals.asks_for_newest() {
            self.refusals.skip_up_to(self.session.broker.stream(&self.group.stream).await?.last_id);
        }
        if self.batch.entries.is_empty() {
            let Read { deliveries, .. } = std::mem::take(&mut self.next);
            self.batch.take(&self.group.stream, deliveries)?;
            // A batch that is being gathered when the drain comes is written all the same.
            let _ = drain.run_until_cancelled(self.input.gather(&mut self.batch)).await.transpose()?;
        }
        if self.batch.entries.is_empty() {
            let is_over = self.input.up_to.is_some() && !drain.is_cancelled();
            return Ok(if is_over { Step::Done } else { Step::Idle });
        }
        let Self { session, group, input, batch, next, refusals } = self;
        input.inserted = Some(Instant::now());
        // While the warehouse is away no more is taken.
        let is_repeated = batch.insert.is_some();
        let writing = Self::write_batch(session, group, batch, *refusals);
        let (written, gathered) = match is_repeated || drain.is_cancelled() {
            true => (writing.await, Ok(())),
            false => tokio::join!(writing, input.read_ahead(next)),
        };
        *refusals = written?;
        let moved = batch.len() as u64;
        batch.clear();
        gathered.map(|()| Step::Moved(moved))
    }

    fn in_hand(&self) -> bool {
        !self.batch.entries.is_empty() || !self.next.deliveries.is_empty()
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
