//! The snapshot: all that can be shown, at one sample.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::broker::{Memory, Product};
use crate::control::{Command, DesiredState};
use crate::flow::{StageId, StreamId, TableId};
use crate::warehouse::{JobState, RowCount, TapeLine};
use crate::{model::ChainPosition, streams::InsertTimes, streams::WaitCause};

/// All that can be shown. Times are unix milliseconds, ages and durations milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When it was taken.
    pub at: i64,
    /// How long the pipeline has been running.
    pub uptime: u64,
    /// Which pipeline it is.
    pub about: About,
    /// What the pipeline depends on and does not answer.
    #[serde(default)]
    pub outages: Vec<OutageView>,
    /// The stages, in the order of the flow.
    pub stages: Vec<StageView>,
    /// The replays that go on, and the last ones that ended.
    pub jobs: Vec<JobView>,
    /// The chain.
    pub source: SourceView,
    /// The sources of fills beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<BesideView>,
    /// The markets; `None` where they are not read.
    pub markets: Option<MarketsView>,
    /// The tokens whose market is not known; `None` before all of them have been looked at.
    pub tokens: Option<TokensView>,
    /// The streams, in the order of the flow.
    pub streams: Vec<StreamView>,
    /// The memory that the streams are kept in; `None` where they are not, or nobody knows yet.
    pub memory: Option<Seen<MemoryView>>,
    /// The tables.
    pub tables: Vec<TableView>,
    /// The queries that are asked again and again, where it is known what they cost.
    pub queries: Vec<QueryView>,
    /// The newest trades, the newest first.
    pub tape: Seen<Vec<TapeLine>>,
    /// The last two minutes.
    pub history: HistoryView,
    /// The log.
    pub log: LogView,
    /// What somebody should look at, the worst first.
    pub alerts: Vec<Alert>,
}

/// Which pipeline it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its name.
    pub name: String,
    /// The version of polytape.
    pub version: String,
    /// What it writes to, in words: `embedded`.
    pub store: String,
    /// Whether its world is the demo's.
    pub demo: bool,
    /// The source of fills.
    pub source: String,
    /// Bytes that a stream may hold.
    pub max_stream_bytes: u64,
}

/// An observation: what was seen last, how long ago, and why there is nothing newer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen<T> {
    /// What was seen last, if anything ever was.
    pub value: Option<T>,
    /// How long ago.
    pub age: u64,
    /// Why there is nothing newer.
    pub missing: Option<String>,
    /// The same as what stages wait for.
    #[serde(default)]
    pub cause: Option<WaitCause>,
}

impl<T> Seen<T> {
    /// An observation that is older than this is stale.
    pub const FRESH: u64 = 5_000;

    /// What was seen so long ago, with nothing in the way of seeing it again.
    pub const fn of(value: Option<T>, age: u64) -> Self {
        Self { value, age, missing: None, cause: None }
    }

    /// Whether it is too old to be taken for now.
    pub const fn is_stale(&self) -> bool {
        self.value.is_some() && self.age > Self::FRESH
    }

    /// The same observation of something else.
    pub fn with<U>(&self, value: Option<U>) -> Seen<U> {
        Seen { value, age: self.age, missing: self.missing.clone(), cause: self.cause.clone() }
    }

    /// The same observation of a part.
    pub fn map<U>(&self, part: impl FnOnce(&T) -> U) -> Seen<U> {
        self.with(self.value.as_ref().map(part))
    }
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self { value: None, age: 0, missing: None, cause: None }
    }
}

/// The state of a stage as it is shown: its own word, or what is found by watching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Progressing.
    Run,
    /// Caught up.
    Idle,
    /// Waiting for something that has a name.
    Wait,
    /// Working, but a health rule fires.
    Slow,
    /// Holding on purpose.
    Paus,
    /// A replay is running.
    Repl,
    /// Finishing what it holds.
    Dran,
    /// Ended on purpose.
    Stop,
    /// Refused for good.
    Fail,
    /// It cannot be observed.
    Unkn,
}

impl State {
    /// All of them, the worst first.
    pub const ALL: [Self; 10] = [
        Self::Fail,
        Self::Unkn,
        Self::Slow,
        Self::Wait,
        Self::Dran,
        Self::Paus,
        Self::Stop,
        Self::Repl,
        Self::Run,
        Self::Idle,
    ];

    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Run => "RUN",
            Self::Idle => "IDLE",
            Self::Wait => "WAIT",
            Self::Slow => "SLOW",
            Self::Paus => "PAUS",
            Self::Repl => "REPL",
            Self::Dran => "DRAN",
            Self::Stop => "STOP",
            Self::Fail => "FAIL",
            Self::Unkn => "UNKN",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageView {
    /// Its name.
    pub name: StageId,
    /// Its state.
    pub state: State,
    /// Why it is in that state, where there is something to be said.
    pub cause: Option<String>,
    /// What it waits for, where it waits.
    #[serde(default)]
    pub waits_for: Option<WaitCause>,
    /// For how long.
    pub since: u64,
    /// What is wanted of it, where it is not so yet.
    pub requested: Option<DesiredState>,
    /// Events that it has moved in this run.
    pub moved: u64,
    /// The same, a second.
    pub rate: Option<u64>,
    /// Steps that failed in this run.
    pub failures: u64,
    /// How often it failed without a success since.
    pub failures_in_a_row: u32,
    /// When it tries again, where it waits after a failure.
    pub retry_in: Option<u64>,
    /// Its last failure, and how long ago that was.
    pub last_failure: Option<(u64, String)>,
    /// How often it began again in this run.
    pub restarts: u64,
    /// Whether it has failed for entries that may be left to the dead letters.
    #[serde(default)]
    pub can_skip: bool,
    /// For how long it has waited in this run, by what it waited for.
    #[serde(default)]
    pub waited: Vec<(String, u64)>,
}

/// Something that the pipeline depends on and that does not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutageView {
    /// Its name: `ClickHouse at http://host:port`.
    pub name: String,
    /// Why the last attempt failed, in a few words.
    pub cause: String,
    /// For how long.
    pub lasts: u64,
    /// How often in a row.
    pub failures: u32,
}

impl Snapshot {
    /// The stages that wait, and for what.
    pub(crate) fn waits(&self) -> Vec<(StageId, &WaitCause)> {
        self.stages.iter().filter_map(|stage| Some((stage.name, stage.waits_for.as_ref()?))).collect()
    }
}

impl OutageView {
    /// Who waits for it, of stages with what each says that it waits for; by themselves, or since the first one does.
    pub(crate) fn waiting(&self, waits: &[(StageId, &WaitCause)]) -> Vec<StageId> {
        let first = waits.iter().find(|(stage, _)| *stage == StageId::IngestFills).map(|(_, cause)| *cause);
        let is_root = |cause: &WaitCause| cause.dependency().is_some_and(|dependency| dependency.name == self.name);
        let waits_for_it = |cause: &WaitCause| match cause {
            WaitCause::NotBegun => first.is_some_and(is_root),
            cause => is_root(cause),
        };
        waits.iter().filter(|(_, cause)| waits_for_it(cause)).map(|(stage, _)| *stage).collect()
    }

    /// The same in words.
    pub(crate) fn text(&self, waiting: &[StageId]) -> String {
        let Self { name, cause, .. } = self;
        match waiting {
            // Some callers are no stages.
            [] => format!("{name} does not answer: {cause}"),
            [one] => format!("{one} waits for {name}: {cause}"),
            more => format!("{} stages wait for {name}: {cause}", more.len()),
        }
    }
}

/// A replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// Its id.
    pub id: String,
    /// The stage whose work it repeats.
    pub stage: StageId,
    /// How it stands.
    pub state: JobState,
    /// What there was to do: blocks or entries.
    pub total: u64,
    /// How much of that is done.
    pub done: u64,
    /// Rows that it wrote or handed on.
    pub moved: u64,
    /// Rows a second.
    pub rate: Option<u64>,
    /// When it will be done, at that pace.
    pub left: Option<u64>,
    /// How long ago it came further.
    pub progressed: u64,
    /// How long ago it ended.
    pub ended: Option<u64>,
    /// What it waits for, or why it failed.
    pub cause: Option<String>,
}

/// The chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceView {
    /// Its name.
    pub name: String,
    /// The newest final block.
    pub head: Seen<HeadView>,
    /// Every event before this is in the streams or beyond.
    pub cursor: Option<ChainPosition>,
    /// Every event before this is in the tables.
    pub watermark: Option<ChainPosition>,
    /// Blocks a second by which the watermark moves.
    pub rate: Option<u64>,
    /// From this block on rows may be missing, until they have been read again.
    #[serde(default)]
    pub in_doubt: Option<u64>,
    /// Its providers, in the order of the configuration.
    #[serde(default)]
    pub nodes: Vec<NodeView>,
    /// How many events of unknown kinds known contracts have emitted where it was looked, and one kind of them.
    #[serde(default)]
    pub unknown_events: Option<(u64, String)>,
    /// The last contract whose implementation was replaced in this run, in words.
    #[serde(default)]
    pub upgrade: Option<String>,
}

/// A source of fills that is no chain, with positions in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BesideView {
    /// Its name.
    pub name: String,
    /// The stage that reads it.
    pub stage: StageId,
    /// How old the newest is that it shows.
    pub newest: Seen<u64>,
    /// Every event before this is in the streams or beyond.
    pub cursor: Option<String>,
    /// Every event before this is in the tables.
    pub watermark: Option<String>,
    /// Whether all that it shows is in the tables; `None` before that can be told.
    pub is_complete: Option<bool>,
    /// The time of its newest row, where it answers and its data has ended.
    pub frozen_since: Option<String>,
}

/// One provider of the source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    /// Host and port.
    pub name: String,
    /// How often there was reason to look twice at what it said, in this run, by kind.
    pub doubts: Vec<(String, u64)>,
    /// How often in the last minute; `None` while that cannot be told.
    pub doubts_per_minute: Option<u64>,
    /// It leaves events out: nothing is believed of it alone.
    pub is_distrusted: bool,
    /// It shows this chain rather than that of the store, and is left out.
    pub other_chain: Option<u64>,
}

/// The newest final block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadView {
    /// Its number.
    pub block: u64,
    /// How old it is.
    pub age: u64,
}

impl SourceView {
    /// Final blocks that are not in the tables.
    pub fn blocks_behind(&self) -> Option<u64> {
        let head = self.head.value.as_ref()?;
        Some(head.block.saturating_add(1).saturating_sub(self.watermark?.block))
    }

    /// How old the newest block is that has been read, given that a block takes two seconds.
    pub fn read_behind(&self) -> Option<u64> {
        let head = self.head.value.as_ref()?;
        Some(head.age + head.block.saturating_add(1).saturating_sub(self.cursor?.block) * 2_000)
    }

    /// How old the newest block is whose fills are all in the tables, given that a block takes two seconds.
    pub fn behind(&self) -> Option<u64> {
        Some(self.head.value.as_ref()?.age + self.blocks_behind()? * 2_000)
    }
}

/// The markets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketsView {
    /// How often everything that was due has been read in this run.
    pub rounds: u64,
    /// How long ago that was so the last time.
    pub last_round: Option<u64>,
    /// How many moves of its cursor are not in the table yet.
    pub behind: Option<u64>,
    /// How many fields were of another type than expected.
    pub misread: u64,
    /// What the source cannot list, in words: `open markets between 594 and 1104`.
    #[serde(default)]
    pub gaps: Vec<String>,
}

/// The tokens whose market is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokensView {
    /// How many.
    pub unresolved: u64,
    /// How many of them nobody has been asked about in this run.
    pub untried: u64,
    /// How many were found in this run that were not on the list of what is to be done.
    pub missed: u64,
    /// How long ago that was known.
    pub age: u64,
}

/// A query that is asked again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryView {
    /// What it asks for.
    pub name: String,
    /// Rows that it read the last time; `None` where the server does not say.
    pub read_rows: Option<u64>,
}

/// A stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamView {
    /// Its name.
    pub name: String,
    /// Entries that it holds.
    pub entries: Seen<u64>,
    /// Bytes of those.
    pub bytes: u64,
    /// Entries that were ever added.
    #[serde(default)]
    pub added: u64,
    /// Entries a second that come in.
    pub rate: Option<u64>,
    /// The age of its oldest entry.
    pub oldest: Option<u64>,
    /// Its groups: those of the stages, then those of replays.
    pub groups: Vec<GroupView>,
}

impl StreamView {
    /// The stage that reads it.
    pub fn reader(&self) -> Option<StageId> {
        Self::reader_of(&self.name)
    }

    /// The stage that reads a stream.
    pub fn reader_of(stream: &str) -> Option<StageId> {
        StreamId::named(stream).and_then(StreamId::reader)
    }

    /// The group of the stage that reads it.
    pub fn live(&self) -> Option<&GroupView> {
        self.groups.first()
    }
}

/// A consumer group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupView {
    /// Its name.
    pub name: String,
    /// Entries that were given out and not acknowledged.
    pub pending: u64,
    /// Entries that were not given out yet.
    pub lag: u64,
    /// Bytes of both.
    pub unread_bytes: u64,
    /// The age of the oldest entry that is not acknowledged.
    pub oldest: Option<u64>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableView {
    /// Its name.
    pub name: String,
    /// Rows, and whether they were counted.
    pub rows: Seen<RowCount>,
    /// Rows a second that this process has written, those of replays included.
    pub rate: Option<u64>,
    /// How old what it shows is: `None` where that is not known.
    pub behind: Option<u64>,
    /// Rows that this process has written, those of replays included; `None` before the first.
    #[serde(default)]
    pub written: Option<u64>,
    /// How long inserts of this process into it take.
    pub inserts: InsertsView,
    /// The most parts that one of its partitions is made of; `None` where there are no parts, or nobody knows yet.
    pub parts: Option<Seen<u64>>,
}

/// How long inserts took until they were confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsertsView {
    /// The middle one of the last minute; `None` if there was none.
    pub median: Option<u64>,
    /// The longest one of the last minute.
    pub longest: Option<u64>,
    /// The age of the oldest one that is not confirmed; `None` if all are.
    pub running: Option<u64>,
    /// How many of this run took at most as long as each of [`InsertTimes::BOUNDS`] says, but longer than the one before; and behind
    /// them how many took longer than the last.
    #[serde(default)]
    pub took: [u64; InsertTimes::BOUNDS.len() + 1],
    /// What all of them took together.
    #[serde(default)]
    pub took_in_all: u64,
}

impl TableView {
    /// The stage that writes it.
    pub fn writer(&self) -> Option<StageId> {
        TableId::named(&self.name).map(TableId::writer)
    }

    /// More parts than a table has that is merged as it should be.
    const MANY_PARTS: u64 = 300;

    /// From about here on ClickHouse delays inserts.
    const TOO_MANY_PARTS: u64 = 1_000;

    /// How bad it is that it has so many parts.
    pub fn parts_severity(&self) -> Option<Severity> {
        let parts = self.parts.as_ref().filter(|seen| !seen.is_stale())?.value?;
        Severity::of(parts, Self::MANY_PARTS, Self::TOO_MANY_PARTS)
    }
}

impl InsertsView {
    /// What an insert may take, in the middle.
    const SLOW: u64 = 2_000;

    /// What one may take.
    const LONG: u64 = 5_000;

    /// One that takes longer than this may never be confirmed.
    const TOO_LONG: u64 = 60_000;

    /// How bad it is that one is not confirmed.
    pub fn running_severity(&self) -> Option<Severity> {
        Severity::of(self.running?, Self::LONG, Self::TOO_LONG)
    }

    /// How bad it is that they take so long.
    pub fn severity(&self) -> Option<Severity> {
        let is_slow = self.median.is_some_and(|median| median > Self::SLOW);
        self.running_severity().or(is_slow.then_some(Severity::Warn))
    }

    /// What one takes now: as long as others did, or longer already.
    pub fn now(&self) -> Option<u64> {
        self.median.max(self.running)
    }
}

/// The memory of the server that keeps the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryView {
    /// Which server that is.
    pub server: Product,
    /// Bytes that are in use.
    pub used: u64,
    /// Bytes that may be in use; `None` for as many as there are.
    pub limit: Option<u64>,
    /// How much of that is in use, in percent.
    pub percent: Option<u64>,
}

impl MemoryView {
    /// How bad it is that so much is in use.
    pub fn severity(&self) -> Option<Severity> {
        match self.percent? {
            ..Memory::TIGHT => None,
            Memory::TIGHT..Memory::FULL => Some(Severity::Warn),
            _ => Some(Severity::Bad),
        }
    }
}

/// The last two minutes, a number a second, the newest last; `None` where nothing was known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// Trades that were written, a second.
    pub trades: Vec<Option<u64>>,
    /// Entries that the groups of the stages had not acknowledged.
    pub unread: Vec<Option<u64>>,
}

/// The log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogView {
    /// Lines of this run.
    pub seen: u64,
    /// Lines that are still in memory.
    pub kept: u64,
    /// Lines that did not get into the file, since that could not keep up; `None` where there is no file.
    pub dropped: Option<u64>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// It works, but not as it should.
    Warn,
    /// It does not work.
    Bad,
}

impl Severity {
    /// How bad a number is that should be at most `fine` and must not be more than `most`.
    const fn of(number: u64, fine: u64, most: u64) -> Option<Self> {
        if number > most {
            Some(Self::Bad)
        } else if number > fine {
            Some(Self::Warn)
        } else {
            None
        }
    }
}

/// A health rule that fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The rule.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a stage, a stream, a table, a replay.
    pub subject: String,
    /// What is so and why, in words.
    pub text: String,
    /// What would help. Whoever shows it says by which key or word it is given.
    #[serde(default)]
    pub helps: Vec<Command>,
    /// For how long.
    pub since: u64,
}
