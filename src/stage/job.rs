//! Replays: a part of the past, done again beside the live work.
//!
//! What the streams still hold is read again by a group that is there for nothing else, so that trimming respects it and a
//! kill does not lose the place. A range of the chain is read again by a worker that writes what it reads straight into the
//! tables ([`super::replay_fills`]). Neither moves anything that is live, and by its identity every row is there once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::life::Life;
use super::orders::Orders;
use super::runner::{Ended, OnFailure, Runner};
use super::status::{StageStatus, StatusLine};
use super::workshop::Workshop;
use super::{StageError, StageName};
use crate::broker::{BrokerError, EntryId, Group, Stream};
use crate::clock::unix_ms;
use crate::warehouse::{JobRecord, JobState};

/// What the names of their groups begin with.
const GROUP: &str = "replay:";

/// How often how far it has come is written down.
const KEEP: Duration = Duration::from_secs(5);

/// How often to look whether its outputs have landed.
const POLL: Duration = Duration::from_millis(100);

/// Whether a group is one of a replay, by its name.
pub fn is_replay_group(name: &str) -> bool {
    name.starts_with(GROUP)
}

/// A replay, observed.
#[derive(Clone, Debug)]
pub struct JobStatus {
    /// The stage whose work it repeats.
    pub stage: StageName,
    /// The replay.
    pub record: JobRecord,
    /// Its worker.
    pub status: StageStatus,
    /// When it last came further.
    pub progressed: Instant,
}

/// A replay that this process knows of.
pub(super) struct Job {
    pub(super) stage: StageName,
    inner: Mutex<Inner>,
    status: watch::Receiver<StageStatus>,
    pub(super) cancel: CancellationToken,
}

struct Inner {
    record: JobRecord,
    /// What was done of it, and moved, before this process.
    before: (u64, u64),
    progressed: Instant,
    moved: u64,
}

impl Job {
    pub(super) fn new(stage: StageName, record: JobRecord) -> (Arc<Self>, StatusLine) {
        let (sender, status) = watch::channel(StageStatus::starting());
        let line = StatusLine::new("state of the replay", sender);
        let before = (record.done, record.moved);
        let inner = Inner { record, before, progressed: Instant::now(), moved: 0 };
        (Arc::new(Self { stage, inner: Mutex::new(inner), status, cancel: CancellationToken::new() }), line)
    }

    pub(super) fn record(&self) -> JobRecord {
        self.inner.lock().record.clone()
    }

    /// Changes what is kept of it.
    pub(super) fn update(&self, change: impl FnOnce(&mut JobRecord)) {
        change(&mut self.inner.lock().record);
    }

    /// Notes that it came further, on a range of the chain.
    pub(super) fn advance(&self, cursor: String, done: u64, rows: u64) {
        let mut inner = self.inner.lock();
        inner.progressed = Instant::now();
        inner.record.cursor = cursor;
        inner.record.done = done;
        inner.record.moved += rows;
    }

    pub(super) fn status(&self) -> JobStatus {
        let status = self.status.borrow().clone();
        let mut inner = self.inner.lock();
        if status.moved > inner.moved {
            inner.moved = status.moved;
            inner.progressed = Instant::now();
        }
        if self.reads_stream() {
            let (done, moved) = inner.before;
            let total = inner.record.total;
            inner.record.done = (done + status.moved).min(total.max(done));
            inner.record.moved = moved + status.moved;
        }
        JobStatus { stage: self.stage, record: inner.record.clone(), status, progressed: inner.progressed }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.inner.lock().record.state != JobState::Running
    }

    fn group(&self, life: &Life) -> Result<Group, StageError> {
        Ok(stream_of(life, self.stage)?.group(format!("{GROUP}{}", self.record().id)))
    }

    fn reads_stream(&self) -> bool {
        self.stage != StageName::IngestFills
    }

    /// The group by which it reads, and the last entry that it is about.
    pub(super) async fn open_group(&self, life: &Life) -> Result<(Group, EntryId), StageError> {
        let record = self.record();
        let group = self.group(life)?;
        let [begin, until] = [read_id(&record.begin)?, read_id(&record.until)?];
        life.broker.open_group(&group, begin).await?;
        // The group holds what is left, and keeps it: what there is to do is known now, and not before.
        let left = self.left(life, &group, until).await?;
        let moved = self.status.borrow().moved;
        let is_first = {
            let mut inner = self.inner.lock();
            let is_first = inner.record.total == 0;
            if is_first {
                inner.record.total = left;
            }
            inner.before.0 = inner.record.total.saturating_sub(left + moved);
            is_first
        };
        if is_first && left == 0 {
            return Err(StageError::Replay(format!("{} holds nothing of the range any more", group.stream)));
        }
        if is_first {
            life.warehouse.set_job(&life.pipeline, &self.record()).await?;
        }
        Ok((group, until))
    }

    /// Entries that its group has still to read.
    async fn left(&self, life: &Life, group: &Group, until: EntryId) -> Result<u64, StageError> {
        let state = life.broker.stream(&group.stream).await?;
        let Some(state) = state.groups.iter().find(|state| state.name == group.name) else { return Ok(0) };
        if state.clear_up_to >= until {
            return Ok(0);
        }
        Ok(life.broker.count(&group.stream, state.clear_up_to, until).await?)
    }

    /// Notes that entries had to go which it had still to read. It cannot be done any more, whatever it reads yet.
    fn rob(&self, entries: u64) {
        self.update(|record| {
            record.reason = format!(
                "{entries} entries or more made room for new ones before they were read again: replay the range from the \
                 chain instead"
            );
        });
    }
}

/// The stream that a stage reads.
pub(super) fn stream_of(life: &Life, stage: StageName) -> Result<Stream, StageError> {
    let group = match stage {
        StageName::ProcessTrades => &life.groups.trade_processors,
        StageName::WriteMarkets => &life.groups.market_writers,
        StageName::WriteTrades => &life.groups.trade_writers,
        StageName::WriteDeadLetters => &life.groups.dead_letter_writers,
        StageName::IngestFills | StageName::IngestMarkets | StageName::Resolver => {
            return Err(StageError::Replay(format!("{stage} reads no stream")));
        }
    };
    Ok(group.stream.clone())
}

/// An id as `ms-seq`.
fn read_id(text: &str) -> Result<EntryId, StageError> {
    let parsed =
        text.split_once('-').and_then(|(ms, seq)| Some(EntryId { ms: ms.parse().ok()?, seq: seq.parse().ok()? }));
    parsed.ok_or_else(|| StageError::Position { what: "a replay's entry".into(), text: text.into() })
}

/// Brings a replay to its end, unless the drain comes first: then it goes on in the next process.
pub(super) async fn run(job: Arc<Job>, line: StatusLine, workshop: Arc<Workshop>, drain: CancellationToken) {
    let life = Arc::clone(&workshop.life);
    let hurry = drain.child_token();
    let (orders, receiver) = watch::channel(Orders::RUN);
    let told = line.clone();
    let runner = Runner {
        open: workshop.open_replay(&job),
        status: line,
        orders: receiver,
        drain: hurry.clone(),
        on_failure: OnFailure::End,
    };
    let work = async {
        let ended = runner.run().await?;
        if ended == Ended::Done && job.stage == StageName::ProcessTrades {
            told.wait_quietly("its trades are being written".into());
            // Its group is clear by then: where the drain comes first the next process waits for the same.
            return Ok(match hurry.run_until_cancelled(until_written(&life)).await {
                Some(()) => Ended::Done,
                None => Ended::Drained,
            });
        }
        Ok::<_, StageError>(ended)
    };
    let kept = async {
        // How far it has come is worth something after a kill.
        loop {
            tokio::time::sleep(KEEP).await;
            let _ = job.status();
            let _ = life.warehouse.set_job(&life.pipeline, &job.record()).await;
        }
    };
    let ended = tokio::select! {
        biased;
        ended = work => ended,
        () = kept => Ok(Ended::Drained),
        // Cut off, as a kill would: what is in hand is written or not, and both are fine.
        () = job.cancel.cancelled() => Ok(Ended::Drained),
    };
    drop(orders);
    let _ = job.status();
    let state = match ended {
        Ok(Ended::Drained) if !job.cancel.is_cancelled() => {
            keep(&job, &life, &drain, false).await;
            return;
        }
        Ok(Ended::Drained) => JobState::Cancelled,
        Ok(Ended::Done) if !job.record().reason.is_empty() => JobState::Failed,
        Ok(Ended::Done) => JobState::Done,
        Err(error) => {
            job.update(|record| record.reason = error.to_string());
            JobState::Failed
        }
    };
    job.update(|record| (record.state, record.ended_at) = (state, Some(unix_ms())));
    keep(&job, &life, &drain, true).await;
    let JobRecord { id, moved, state, reason, .. } = job.record();
    let stage = job.stage.as_str();
    match state {
        JobState::Failed => tracing::error!("replay {id} of {stage} failed: {reason}"),
        _ => tracing::info!("replay {id} of {stage} {}: {moved} rows", state.as_str()),
    }
}

/// Waits until everything that is in the stream of trades now is in the table, however long the broker does not answer.
async fn until_written(life: &Life) {
    let writers = &life.groups.trade_writers;
    let mut last = None;
    loop {
        let is_clear = async {
            let id = match last {
                Some(id) => id,
                None => life.broker.stream(&writers.stream).await?.last_id,
            };
            last = Some(id);
            life.broker.is_clear(writers, id).await
        };
        if is_clear.await.unwrap_or(false) {
            return;
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Writes down how it stands, and ends its group with it; again until that is done or the drain comes.
async fn keep(job: &Job, life: &Life, drain: &CancellationToken, is_over: bool) {
    let mut backoff = Backoff::default();
    loop {
        let kept = async {
            if is_over && job.reads_stream() {
                match life.broker.close_group(&job.group(life)?).await {
                    // Groups end with their streams.
                    Ok(()) | Err(BrokerError::Lost(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok::<_, StageError>(life.warehouse.set_job(&life.pipeline, &job.record()).await?)
        };
        match kept.await {
            Ok(()) => return,
            Err(error) if drain.is_cancelled() => {
                tracing::warn!("how the replay stands could not be written down: {error}");
                return;
            }
            Err(_) => {
                let _ = drain.run_until_cancelled(tokio::time::sleep(backoff.next())).await;
            }
        }
    }
}

/// The replays of this process: those that go on, and the last ones that have ended.
#[derive(Default)]
pub(super) struct Board(Mutex<Vec<Arc<Job>>>);

impl Board {
    /// So many that have ended are remembered.
    pub(super) const ENDED: usize = 5;

    /// Adds one, and forgets the oldest that have ended.
    pub(super) fn add(&self, job: Arc<Job>) {
        let mut jobs = self.0.lock();
        jobs.push(job);
        let ended = jobs.iter().filter(|job| job.has_ended()).count();
        for _ in Self::ENDED..ended {
            if let Some(oldest) = jobs.iter().position(|job| job.has_ended()) {
                jobs.remove(oldest);
            }
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Job>> {
        self.0.lock().clone()
    }

    /// Those that go on.
    pub(super) fn going_on(&self) -> Vec<Arc<Job>> {
        self.all().into_iter().filter(|job| !job.has_ended()).collect()
    }

    pub(super) fn statuses(&self) -> Vec<JobStatus> {
        self.all().iter().map(|job| job.status()).collect()
    }

    /// What the replays of a stream have still to read.
    pub(super) async fn left(&self, stream: &Stream, life: &Life) -> Vec<(Arc<Job>, u64)> {
        let mut all = Vec::new();
        for job in self.going_on() {
            let Some(group) = job.group(life).ok().filter(|group| group.stream == *stream) else { continue };
            let Ok(until) = read_id(&job.record().until) else { continue };
            if let Ok(left) = job.left(life, &group, until).await {
                all.push((job, left));
            }
        }
        all
    }

    /// Notes what had to go of what they had still to read.
    pub(super) async fn note_robbed(&self, before: Vec<(Arc<Job>, u64)>, life: &Life) {
        for (job, before) in before {
            let (Ok(group), Ok(until)) = (job.group(life), read_id(&job.record().until)) else { continue };
            // What it read itself meanwhile counts, too: rather one failure too many than one too few.
            let left = job.left(life, &group, until).await.unwrap_or(before);
            if left < before {
                job.rob(before - left);
                let _ = life.warehouse.set_job(&life.pipeline, &job.record()).await;
            }
        }
    }

    /// The groups that trimming must respect.
    pub(super) fn groups(&self, life: &Life) -> Vec<Group> {
        self.going_on().iter().filter_map(|job| job.group(life).ok()).collect()
    }
}
