//! Publishes a snapshot once a second.

use std::time::{Duration, Instant};
use std::{panic::AssertUnwindSafe, sync::Arc};

use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::collector::{Collector, StreamLook};
use super::health;
use super::history::{History, Sample};
use super::probe::{Probe, Unseen, millis};
use super::snapshot::{
    About, BesideView, GroupView, HeadView, HistoryView, InsertsView, JobView, LogView, MarketsView, MemoryView,
    NodeView, OutageView, Seen, Snapshot, SourceView, StageView, State, StreamView, TableView, TokensView,
};
use super::unused;
use crate::breaker::{Breaker, Outage};
use crate::broker::{Memory, Stream};
use crate::clock::{since_epoch, unix_ms};
use crate::control::{DesiredState, JobStatus, StageState, StageStatus};
use crate::flow::{StageId, StreamId, TableId};
use crate::source::NodeState;
use crate::streams::{InsertTimes, ListingGap, SourceProgress, TokenProgress, is_replay_group};
use crate::units::second;
use crate::warehouse::{JobState, PartCounts, RowCounts, TapeLine};

/// How often.
const INTERVAL: Duration = Duration::from_secs(1);

/// Rows of the tape.
const TAPE: u32 = 100;

/// Tells how the log fares.
pub type LogCounts = Arc<dyn Fn() -> LogView + Send + Sync>;

/// Publishes, as long as it is kept.
pub struct Publisher {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    _task: AbortOnDropHandle<()>,
}

impl Publisher {
    /// Begins to publish. The first snapshot is there at once: it knows of nothing yet but what the stages say.
    pub fn start(collector: Collector, about: About, log: LogCounts) -> Self {
        let mut builder = SnapshotBuilder::new(collector, about, log);
        let (sender, snapshots) = watch::channel(Arc::new(builder.take()));
        let mut fired = health::Fired::default();
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(INTERVAL);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                // A rule that panics is a bug, which is in the log then; the last snapshot gets old and says so.
                let taken = std::panic::catch_unwind(AssertUnwindSafe(|| builder.take()));
                let Ok(snapshot) = taken else { continue };
                fired.log(&snapshot);
                sender.send_replace(Arc::new(snapshot));
            }
        });
        Self { snapshots, _task: AbortOnDropHandle::new(task) }
    }

    /// Where they are published.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }
}

/// Over how long doubts are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// Doubts that speak against a provider. That a block is empty, or that a match does not add up, may be so.
fn faults_of(node: &NodeState) -> u64 {
    node.doubts.iter().filter(|(kind, _)| !matches!(*kind, "empty" | "imbalance")).map(|(_, count)| count).sum()
}

/// Takes snapshots.
struct SnapshotBuilder {
    collector: Collector,
    about: About,
    log: LogCounts,
    began: Instant,
    streams: [(StreamId, Probe<StreamLook>); StreamId::ALL.len()],
    memory: Probe<Option<Memory>>,
    tables: Probe<RowCounts>,
    parts: Probe<Option<PartCounts>>,
    tape: Probe<Vec<TapeLine>>,
    history: History,
    health: health::Memory,
}

impl SnapshotBuilder {
    fn new(collector: Collector, about: About, log: LogCounts) -> Self {
        let (broker, warehouse) = (|| collector.broker.breaker(), || collector.warehouse.breaker());
        let stream = |id: StreamId| {
            (id, probe(&collector, broker(), move |collector| async move { collector.stream(&Stream::of(id)).await }))
        };
        let streams = StreamId::ALL.map(stream);
        let memory = probe(&collector, broker(), |collector| async move { failed(collector.memory().await) });
        let tables = probe(&collector, warehouse(), |collector| async move {
            collector.once_begun().await;
            failed(collector.tables().await)
        });
        let parts = probe(&collector, warehouse(), |collector| async move {
            collector.once_begun().await;
            failed(collector.parts().await)
        });
        let tape = probe(&collector, warehouse(), |collector| async move {
            collector.once_begun().await;
            failed(collector.tape(TAPE).await)
        });
        let (history, health) = (History::default(), health::Memory::default());
        Self { collector, about, log, began: Instant::now(), streams, memory, tables, parts, tape, history, health }
    }

    fn node(&self, node: &NodeState) -> NodeView {
        let in_a_minute = self.history.then_and_now(MINUTE, |sample| sample.doubts.get(&node.name).copied());
        NodeView {
            name: node.name.clone(),
            doubts: node.doubts.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(),
            doubts_per_minute: in_a_minute.map(|(_, then, now)| now.saturating_sub(then)),
            is_distrusted: node.is_distrusted,
            other_chain: node.other_chain,
        }
    }

    fn take(&mut self) -> Snapshot {
        let now = unix_ms();
        let (stages, jobs, source) = (self.collector.stages(), self.collector.observer.jobs(), self.collector.source());
        let state = self.collector.observer.chain().state;
        let mut sample = self.moment(&stages, &jobs);
        sample.doubts = state.nodes.iter().map(|node| (node.name.clone(), faults_of(node))).collect();
        self.history.remember(Instant::now(), sample);
        let head = source.head.map(|(head, _)| HeadView { block: head.block, age: millis(head.age(since_epoch())) });
        let head_age = source.head.map_or(0, |(_, seen)| millis(seen));
        let source = SourceView {
            name: self.about.source.clone(),
            head: Seen::of(head, head_age),
            cursor: source.cursor,
            watermark: source.watermark,
            rate: self.history.rate(|sample| sample.watermark),
            in_doubt: source.in_doubt,
            nodes: state.nodes.iter().map(|node| self.node(node)).collect(),
            unknown_events: state.unknown_events,
            upgrade: state.upgrade,
        };
        let markets = self.collector.markets().map(|markets| MarketsView {
            rounds: markets.rounds,
            last_round: markets.last_round.map(|at| millis(at.elapsed())),
            behind: markets.cursor.and_then(|cursor| Some(cursor.saturating_sub(markets.watermark?))),
            misread: markets.misread,
            gaps: gaps(markets.gaps),
        });
        let tokens = self.collector.tokens().map(|TokenProgress { unresolved, untried, missed, at, .. }| TokensView {
            unresolved,
            untried,
            missed,
            age: at.map_or(0, |at| millis(at.elapsed())),
        });
        let mut snapshot = Snapshot {
            at: now,
            uptime: millis(self.began.elapsed()),
            about: self.about.clone(),
            outages: self.collector.observer.outages().into_iter().map(OutageView::from).collect(),
            stages: stages.iter().map(|(name, status)| self.stage(*name, status)).collect(),
            jobs: jobs.iter().map(|job| self.job(job, now)).collect(),
            streams: self.streams.iter().map(|(id, probe)| self.stream(*id, probe, now)).collect(),
            memory: if_any(self.memory.seen(), |memory| MemoryView {
                server: memory.server,
                used: memory.used,
                limit: memory.limit,
                percent: memory.percent(),
            }),
            tables: self.tables(&source, markets.as_ref()),
            queries: self.collector.queries(),
            tape: self.tape.seen(),
            history: HistoryView {
                trades: self.history.growth(|sample| sample.written.get(&TableId::Trades).copied()),
                unread: self.history.series(|sample| sample.unread),
            },
            log: (self.log)(),
            alerts: Vec::new(),
            source,
            beside: self.collector.beside().into_iter().map(beside).collect(),
            markets,
            tokens,
        };
        unused::hide(&mut snapshot);
        health::examine(&mut snapshot, &self.history, &mut self.health);
        snapshot
    }

    /// What is to be remembered of now.
    fn moment(&self, stages: &[(StageId, StageStatus)], jobs: &[JobStatus]) -> Sample {
        let mut sample = Sample::default();
        for (name, status) in stages {
            sample.moved.insert(*name, status.moved);
            sample.restarts.insert(*name, status.restarts);
        }
        // What is stale says nothing of now.
        let fresh = Duration::from_millis(Seen::<()>::FRESH);
        if let Some((rows, at)) = self.tables.last()
            && at.elapsed() < fresh
        {
            let counted = rows.iter().filter(|(_, count)| !count.is_estimate);
            sample.rows = counted.map(|(table, count)| (table, count.rows)).collect();
        }
        // Who writes nothing here knows no rate: another process may write.
        for table in TableId::ALL {
            let writes = stages.iter().any(|(stage, _)| *stage == table.writer());
            let rows = self.collector.observer.inserts(table).rows.or_else(|| writes.then_some(0));
            sample.written.extend(rows.map(|rows| (table, rows)));
        }
        let mut unread = Some(0);
        for (stream, probe) in &self.streams {
            let Some((look, _)) = probe.last().filter(|(_, at)| at.elapsed() < fresh) else {
                unread = None;
                continue;
            };
            if let Some((group, _)) = look.unread.iter().find(|(group, _)| !is_replay_group(&group.name)) {
                sample.unread_bytes.insert(*stream, group.unacknowledged_bytes);
                unread = unread.map(|unread| unread + group.pending + group.undelivered);
            }
            sample.added.insert(*stream, look.state.added);
        }
        sample.unread = unread;
        sample.watermark = self.collector.source().watermark.map(|position| position.block);
        sample.jobs = jobs.iter().map(|job| (job.record.id.clone(), (job.record.done, job.record.moved))).collect();
        sample
    }

    fn stage(&self, name: StageId, status: &StageStatus) -> StageView {
        let state = match &status.state {
            StageState::Run => State::Run,
            StageState::Idle => State::Idle,
            StageState::Wait(_) => State::Wait,
            StageState::Pause => State::Paus,
            StageState::Drain => State::Dran,
            StageState::Stop => State::Stop,
            StageState::Fail(_) => State::Fail,
        };
        let is_so = match status.desired {
            Some(DesiredState::Pause) => state == State::Paus,
            Some(DesiredState::Stop) => state == State::Stop,
            Some(DesiredState::Run) => !matches!(state, State::Paus | State::Stop),
            None => true,
        };
        // Who does not run any more says nothing new.
        let is_gone = self.collector.observer.is_gone(name) && state != State::Stop;
        let (state, cause) = match is_gone {
            true => (State::Unkn, Some("its task is gone".to_owned())),
            false => (state, status.state.cause()),
        };
        let waits_for = match &status.state {
            StageState::Wait(cause) if !is_gone => Some(cause),
            _ => None,
        };
        StageView {
            name,
            state,
            cause,
            waits_for: waits_for.cloned(),
            since: millis(status.since.elapsed()),
            requested: status.desired.filter(|_| !is_so),
            moved: status.moved,
            rate: self.history.rate(|sample| sample.moved.get(&name).copied()),
            failures: status.failures,
            failures_in_a_row: status.failures_in_a_row,
            retry_in: status.retry_at.map(|at| millis(at.saturating_duration_since(Instant::now()))),
            last_failure: status.last_failure.as_ref().map(|(at, cause)| (millis(at.elapsed()), cause.clone())),
            restarts: status.restarts,
            can_skip: status.can_skip,
            waited: status.waited().into_iter().map(|(kind, time)| (kind.to_owned(), millis(time))).collect(),
        }
    }

    fn job(&self, job: &JobStatus, now: i64) -> JobView {
        let record = &job.record;
        let is_running = record.state == JobState::Running;
        let number = |part: fn(&(u64, u64)) -> u64| {
            self.history.rate(|sample| sample.jobs.get(&record.id).map(part)).filter(|_| is_running)
        };
        let pace = number(|(done, _)| *done).filter(|pace| *pace > 0);
        let waits = job.status.state.cause().filter(|_| is_running);
        JobView {
            id: record.id.clone(),
            stage: job.stage,
            state: record.state,
            total: record.total,
            done: record.done,
            moved: record.moved,
            rate: number(|(_, moved)| *moved),
            left: pace.map(|pace| record.total.saturating_sub(record.done) * 1_000 / pace),
            progressed: millis(job.progressed.elapsed()),
            ended: record.ended_at.map(|at| u64::try_from(now - at).unwrap_or(0)),
            cause: waits.or_else(|| Some(record.reason.clone()).filter(|reason| !reason.is_empty())),
        }
    }

    fn stream(&self, id: StreamId, probe: &Probe<StreamLook>, now: i64) -> StreamView {
        let seen = probe.seen();
        let age = |ms: u64| u64::try_from(now).unwrap_or(0).saturating_sub(ms);
        let entries = seen.map(|look| look.state.events);
        let Some(look) = seen.value else {
            return StreamView { name: id.to_string(), entries, ..StreamView::default() };
        };
        let mut groups: Vec<GroupView> = look
            .unread
            .iter()
            .map(|(group, oldest)| GroupView {
                name: group.name.clone(),
                pending: group.pending,
                lag: group.undelivered,
                unread_bytes: group.unacknowledged_bytes,
                oldest: oldest.map(|id| age(id.ms)),
            })
            .collect();
        groups.sort_by_key(|group| is_replay_group(&group.name));
        StreamView {
            name: id.to_string(),
            entries,
            bytes: look.state.bytes,
            added: look.state.added,
            rate: self.history.rate(|sample| sample.added.get(&id).copied()),
            oldest: look.oldest.map(|id| age(id.ms)),
            groups,
        }
    }

    fn tables(&self, source: &SourceView, markets: Option<&MarketsView>) -> Vec<TableView> {
        let (seen, parts) = (self.tables.seen(), self.parts.seen());
        let view = |table: TableId| TableView {
            name: table.to_string(),
            rows: seen.map(|rows| rows[table]),
            rate: self.history.rate(|sample| sample.written.get(&table).copied()),
            behind: match table {
                TableId::Trades => source.behind(),
                TableId::Markets => markets.and_then(|markets| markets.last_round),
                _ => None,
            },
            written: self.collector.observer.inserts(table).rows,
            inserts: self.collector.observer.inserts(table).into(),
            parts: if_any(parts.clone(), |parts| parts[table]),
        };
        TableId::ALL.map(view).into()
    }
}

/// A source beside the chain.
fn beside((name, stage, progress): (&'static str, StageId, SourceProgress)) -> BesideView {
    let SourceProgress { frontier, cursor, watermark, .. } = progress;
    let is_complete = frontier.as_ref().zip(watermark.as_ref());
    let frozen_since = frontier.as_ref().and_then(|(frontier, _)| frontier.frozen_since());
    BesideView {
        name: name.to_owned(),
        stage,
        newest: Seen::of(
            frontier.as_ref().map(|(frontier, _)| millis(frontier.age(since_epoch()))),
            frontier.as_ref().map_or(0, |(_, seen)| millis(seen.elapsed())),
        ),
        cursor: cursor.as_ref().map(ToString::to_string),
        is_complete: is_complete.map(|((frontier, _), watermark)| *watermark >= frontier.end),
        watermark: watermark.as_ref().map(ToString::to_string),
        frozen_since: frozen_since.map(second),
    }
}

/// A probe that asks the collector.
fn probe<T, F>(
    collector: &Collector,
    breaker: Option<Breaker>,
    question: impl Fn(Collector) -> F + Send + 'static,
) -> Probe<T>
where
    T: Clone + Send + 'static,
    F: Future<Output = Result<T, Unseen>> + Send,
{
    let collector = collector.clone();
    Probe::start(breaker, move || question(collector.clone()))
}

fn failed<T>(answer: Result<T, String>) -> Result<T, Unseen> {
    answer.map_err(Unseen::Failed)
}

/// An observation of what is not there everywhere; `None` where it is not, or nobody knows yet.
fn if_any<T, U>(seen: Seen<Option<T>>, part: impl FnOnce(&T) -> U) -> Option<Seen<U>> {
    match &seen.value {
        Some(None) => None,
        None if seen.missing.is_none() => None,
        value => Some(seen.with(value.as_ref().and_then(Option::as_ref).map(part))),
    }
}

impl From<Outage> for OutageView {
    fn from(outage: Outage) -> Self {
        let Outage { name, cause, lasts, failures } = outage;
        Self { name, cause, lasts: millis(lasts), failures }
    }
}

impl From<InsertTimes> for InsertsView {
    fn from(times: InsertTimes) -> Self {
        let InsertTimes { median, longest, running, rows: _, took, took_in_all } = times;
        let [median, longest, running] = [median, longest, running].map(|time| time.map(millis));
        Self { median, longest, running, took, took_in_all: millis(took_in_all) }
    }
}

/// What a source of markets cannot list, in words.
fn gaps(gaps: [Option<ListingGap>; 2]) -> Vec<String> {
    let kinds = ["open", "closed"].into_iter().zip(gaps);
    kinds.filter_map(|(kind, gap)| Some(format!("{kind} markets {}", gap?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_zero_and_not_there_are_three_things() {
        let seen = |value, missing: Option<&str>| Seen { missing: missing.map(str::to_owned), ..Seen::of(value, 9) };
        let taken = |value, missing| if_any(seen(value, missing), |number: &u64| *number);
        assert_eq!(taken(None, None), None, "nobody knows yet");
        assert_eq!(taken(Some(None), None), None, "there is none");
        assert_eq!(taken(Some(Some(0)), None), Some(Seen::of(Some(0), 9)));
        let unknown = taken(None, Some("away")).unwrap();
        assert_eq!((unknown.value, unknown.missing.as_deref()), (None, Some("away")));
        assert_eq!(taken(Some(Some(7)), Some("away")).unwrap().value, Some(7), "what was seen last");
    }
}
