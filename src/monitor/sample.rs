//! Snapshots of pipelines that there might be, for tests of what is shown. Their numbers belong together.

use super::snapshot::{
    About, Alert, BesideView, GroupView, HeadView, HistoryView, InsertsView, JobView, LogView, MarketsView, MemoryView,
    Seen, Severity, Snapshot, SourceView, StageView, State, StreamView, TableView, TokensView,
};
use crate::control::{Command, DesiredState};
use crate::flow::{StageId, StreamId, TableId};
use crate::warehouse::{JobState, TapeLine};
use crate::{broker::Product, model::ChainPosition, streams::WaitCause};

impl StageView {
    /// Lets it wait.
    pub(crate) fn wait_for(&mut self, cause: WaitCause, since: u64) {
        (self.state, self.since, self.cause) = (State::Wait, since, Some(cause.to_string()));
        self.waits_for = Some(cause);
    }
}

/// Before anything is known.
pub fn loading() -> Snapshot {
    let mut snapshot = healthy();
    snapshot.uptime = 0;
    for stage in &mut snapshot.stages {
        (stage.moved, stage.rate) = (0, None);
        stage.wait_for(WaitCause::Starting, 0);
    }
    snapshot.source = SourceView { name: snapshot.source.name, ..SourceView::default() };
    snapshot.markets = Some(MarketsView::default());
    snapshot.tokens = None;
    for stream in &mut snapshot.streams {
        *stream = StreamView { name: stream.name.clone(), ..StreamView::default() };
    }
    for table in &mut snapshot.tables {
        *table = TableView { name: table.name.clone(), ..TableView::default() };
    }
    snapshot.tape = Seen::default();
    snapshot.history = HistoryView::default();
    snapshot.log = LogView { seen: 1, kept: 1, dropped: Some(0) };
    snapshot
}

/// Everything is there, and nothing in it.
pub fn empty() -> Snapshot {
    let mut snapshot = healthy();
    snapshot.uptime = 9_000;
    for stage in &mut snapshot.stages {
        *stage = StageView { state: State::Idle, cause: None, since: 4_000, moved: 0, rate: Some(0), ..stage.clone() };
    }
    for stream in &mut snapshot.streams {
        (stream.entries.value, stream.bytes, stream.rate, stream.oldest) = (Some(0), 0, Some(0), None);
        for group in &mut stream.groups {
            (group.pending, group.lag, group.unread_bytes, group.oldest) = (0, 0, 0, None);
        }
    }
    for table in &mut snapshot.tables {
        (table.rows.value, table.rate, table.inserts) = (Some(0.into()), Some(0), InsertsView::default());
    }
    snapshot.tape.value = Some(Vec::new());
    snapshot.tokens = Some(TokensView::default());
    snapshot.history = HistoryView { trades: vec![Some(0); 9], unread: vec![Some(0); 9] };
    snapshot
}

/// All is well.
pub fn healthy() -> Snapshot {
    let stages = [
        (StageId::IngestFills, State::Run, 1_640_112, 812),
        (StageId::IngestMarkets, State::Idle, 56_789, 0),
        (StageId::ProcessTrades, State::Run, 1_640_100, 811),
        (StageId::WriteMarkets, State::Idle, 56_789, 0),
        (StageId::WriteTrades, State::Run, 1_639_800, 812),
        (StageId::WriteDeadLetters, State::Idle, 17, 0),
        (StageId::Resolver, State::Idle, 4_211, 0),
    ];
    let unread =
        |pending, lag, unread_bytes, oldest| GroupView { name: String::new(), pending, lag, unread_bytes, oldest };
    let stream = |id: StreamId, entries, bytes, rate, oldest, group| StreamView {
        name: id.to_string(),
        entries: seen(entries),
        bytes,
        added: 1_640_112,
        rate: Some(rate),
        oldest: Some(oldest),
        groups: vec![GroupView { name: id.group().to_string(), ..group }],
    };
    let inserts = |median| InsertsView {
        median: Some(median),
        longest: Some(median * 3),
        took: [0, 40, 300, 60, 0, 0, 0, 0, 0, 0],
        took_in_all: 36_000,
        ..InsertsView::default()
    };
    let table = |id: TableId, rows: u64, rate, behind, inserts| TableView {
        name: id.to_string(),
        rows: seen(rows.into()),
        rate: Some(rate),
        behind,
        written: Some(rows),
        inserts,
        parts: None,
    };
    Snapshot {
        at: 1_795_579_471_000,
        uptime: 273_900_000,
        about: About {
            name: "main".into(),
            version: "0.1.0".into(),
            store: "embedded".into(),
            demo: false,
            source: "polygon".into(),
            max_stream_bytes: 1 << 30,
        },
        outages: Vec::new(),
        stages: stages
            .into_iter()
            .map(|(name, state, moved, rate)| StageView {
                name,
                state,
                cause: None,
                waits_for: None,
                since: 273_840_000,
                requested: None,
                moved,
                rate: Some(rate),
                failures: 2,
                failures_in_a_row: 0,
                retry_in: None,
                last_failure: Some((10_800_000, "polygon.drpc.org: timed out".into())),
                restarts: 0,
                can_skip: false,
                waited: vec![("starting".into(), 1_200), ("nodes".into(), 4_000)],
            })
            .collect(),
        jobs: Vec::new(),
        source: SourceView {
            name: "polygon".into(),
            head: seen(HeadView { block: 97_812_345, age: 3_000 }),
            cursor: Some(ChainPosition::start_of(97_812_346)),
            watermark: Some(ChainPosition::start_of(97_812_345)),
            rate: Some(1),
            ..SourceView::default()
        },
        beside: Vec::new(),
        markets: Some(MarketsView { rounds: 912, last_round: Some(12_000), behind: Some(0), misread: 0, gaps: vec![] }),
        tokens: Some(TokensView { unresolved: 41, untried: 0, missed: 0, age: 2_000 }),
        streams: vec![
            stream(StreamId::Markets, 1_204, 2_400_000, 0, 598_000, unread(0, 0, 0, None)),
            stream(StreamId::OrderEvents, 412_345, 71_335_000, 812, 598_000, unread(12, 0, 2_076, Some(300))),
            stream(StreamId::Trades, 412_310, 98_954_000, 811, 598_000, unread(0, 300, 72_000, Some(600))),
            stream(StreamId::DeadLetters, 3, 640, 0, 312_000, unread(0, 0, 0, None)),
        ],
        memory: None,
        tables: vec![
            table(TableId::Trades, 812_412_345, 812, Some(5_000), inserts(4)),
            table(TableId::Markets, 96_104, 0, Some(12_000), inserts(12)),
            table(TableId::DeadLetters, 17, 0, None, InsertsView::default()),
        ],
        queries: Vec::new(),
        tape: seen(tape()),
        history: HistoryView {
            trades: (0..120).map(|second| Some(700 + (second * 37) % 200)).collect(),
            unread: (0..120).map(|second| Some(200 + (second * 53) % 300)).collect(),
        },
        log: LogView { seen: 42_004, kept: 10_000, dropped: Some(0) },
        alerts: Vec::new(),
    }
}

/// The same on Redis and ClickHouse.
pub fn on_servers() -> Snapshot {
    let mut snapshot = healthy();
    snapshot.about.store = "redis+clickhouse".into();
    snapshot.memory = Some(seen(memory(412 << 20)));
    for (table, (median, parts)) in snapshot.tables.iter_mut().zip([(38, 14), (61, 3), (0, 1)]) {
        table.parts = Some(seen(parts));
        if let Some(took) = &mut table.inserts.median {
            *took = median;
        }
    }
    snapshot
}

/// Redis is nearly full, since ClickHouse neither confirms nor merges.
pub fn servers_failing() -> Snapshot {
    let mut snapshot = on_servers();
    snapshot.memory = Some(seen(memory(871 << 20)));
    let full = "backpressure: redis 871.0M of 1.0G";
    let fills = &mut snapshot.stages[0];
    fills.rate = Some(0);
    fills.wait_for(WaitCause::Backpressure(full.into()), 38_000);
    let trades = &mut snapshot.streams[2].groups[0];
    (trades.pending, trades.lag, trades.unread_bytes, trades.oldest) = (50_000, 1_733_000, 430 << 20, Some(102_000));
    let table = &mut snapshot.tables[0];
    (table.inserts.running, table.rate, table.behind) = (Some(72_000), Some(0), Some(102_000));
    table.parts = Some(seen(1_204));
    let parts = "trades has 1204 parts in one partition: ClickHouse does not merge as fast as rows come; a longer \
                 writer.linger makes fewer";
    let memory = "redis holds 871M of 1.00G, 85%: nothing new is read until the writers have caught up, or its maxmemory is \
                  raised";
    let insert = "an insert into trades has not been confirmed for 1m12";
    let waits = format!("{} waits for 38s: {full}", StageId::IngestFills);
    snapshot.alerts = vec![
        alert("memory", Severity::Bad, "redis", memory, 38_000),
        alert("inserts", Severity::Bad, "table trades", insert, 67_000),
        alert("parts", Severity::Bad, "table trades", parts, 30_000),
        alert("waiting", Severity::Warn, StageId::IngestFills.as_str(), &waits, 35_000),
    ];
    snapshot
}

/// It works, but not as it should, and somebody has paused a stage and begun a replay.
pub fn warning() -> Snapshot {
    let mut snapshot = healthy();
    let stages = &mut snapshot.stages;
    (stages[4].state, stages[4].rate) = (State::Slow, Some(400));
    let (writer, stream) = (StageId::WriteTrades, StreamId::Trades);
    let text = format!("{writer} is behind: 188M unread in {stream}, 512M is its ceiling, reached in 37m17");
    stages[4].cause = Some(text.clone());
    (stages[3].state, stages[3].since, stages[3].rate) = (State::Paus, 392_000, Some(0));
    (stages[6].requested, stages[6].since) = (Some(DesiredState::Pause), 800);
    let trades = &mut snapshot.streams[2].groups[0];
    (trades.pending, trades.lag, trades.unread_bytes, trades.oldest) = (50_000, 733_000, 188 << 20, Some(99_000));
    (snapshot.tables[0].rate, snapshot.tables[0].behind) = (Some(400), Some(99_000));
    snapshot.jobs = vec![JobView {
        id: "a3f09c".into(),
        stage: StageId::IngestFills,
        state: JobState::Running,
        total: 1_000,
        done: 412,
        moved: 98_765,
        rate: Some(2_400),
        left: Some(41_000),
        progressed: 300,
        ended: None,
        cause: None,
    }];
    let paused = StageId::WriteMarkets;
    snapshot.alerts = vec![
        alert("backlog", Severity::Warn, stream.as_str(), &text, 190_000),
        Alert {
            helps: vec![Command::Resume { stage: paused }],
            ..alert("paused", Severity::Info, paused.as_str(), &format!("{paused} is paused for 6m"), 392_000)
        },
    ];
    snapshot
}

/// Things do not work.
pub fn failing() -> Snapshot {
    let mut snapshot = warning();
    let stages = &mut snapshot.stages;
    let refused = "16 rows in a row were refused, so nothing more is given up; the last one: no such column: fee_unit";
    (stages[4].state, stages[4].cause, stages[4].rate) = (State::Fail, Some(refused.into()), Some(0));
    let away = "polygon.drpc.org: connection refused";
    stages[0].wait_for(WaitCause::Other(away.into()), 72_000);
    (stages[0].failures_in_a_row, stages[0].retry_in, stages[0].rate) = (9, Some(21_000), Some(0));
    snapshot.source.head.age = 75_000;
    (snapshot.jobs[0].state, snapshot.jobs[0].rate, snapshot.jobs[0].left) = (JobState::Failed, None, None);
    (snapshot.jobs[0].cause, snapshot.jobs[0].ended) = (Some("the streams were lost".into()), Some(40_000));
    snapshot.alerts = vec![
        Alert {
            helps: vec![Command::Restart { stage: StageId::WriteTrades }],
            ..alert(
                "failed",
                Severity::Bad,
                StageId::WriteTrades.as_str(),
                &format!("{} failed for good: {refused}", StageId::WriteTrades),
                65_000,
            )
        },
        alert(
            "frozen",
            Severity::Bad,
            "polygon",
            "polygon has said nothing for 1m15: its newest final block was 97,812,345",
            15_000,
        ),
        alert(
            "waiting",
            Severity::Bad,
            StageId::IngestFills.as_str(),
            &format!("{} waits for 1m12: {away} (9 failures in a row)", StageId::IngestFills),
            69_000,
        ),
    ];
    snapshot
}

/// A stage has failed for entries that it cannot take.
pub fn with_bad_entries() -> Snapshot {
    let mut snapshot = failing();
    snapshot.stages[4].can_skip = true;
    snapshot.alerts[0].helps.insert(0, Command::Skip { stage: StageId::WriteTrades });
    snapshot
}

/// The store does not answer any more: what is shown is old.
pub fn stale() -> Snapshot {
    let mut snapshot = healthy();
    let missing = Some("no answer within 5 s".to_owned());
    for stream in &mut snapshot.streams {
        (stream.entries.age, stream.entries.missing, stream.rate) = (42_000, missing.clone(), None);
    }
    for table in &mut snapshot.tables {
        (table.rows.age, table.rows.missing, table.rate) = (42_000, missing.clone(), None);
    }
    (snapshot.tape.age, snapshot.tape.missing) = (42_000, missing);
    let gap = snapshot.history.trades.len() - 42;
    snapshot.history.trades[gap..].fill(None);
    snapshot.history.unread[gap..].fill(None);
    let stream = StreamId::OrderEvents;
    let text = format!("{stream} cannot be observed for 42s: no answer within 5 s");
    snapshot.alerts = vec![alert("unseen", Severity::Warn, stream.as_str(), &text, 37_000)];
    snapshot
}

/// A source beside the chain.
pub fn with_another_source() -> Snapshot {
    let beside = BesideView {
        name: "other".into(),
        stage: StageId::IngestFills,
        newest: seen(2_000),
        cursor: Some("12:00:07, 0x7f".into()),
        watermark: Some("12:00:05, 0x3a".into()),
        is_complete: Some(false),
        frozen_since: None,
    };
    Snapshot { beside: vec![beside], ..healthy() }
}

fn seen<T>(value: T) -> Seen<T> {
    Seen::of(Some(value), 400)
}

fn memory(used: u64) -> MemoryView {
    let limit = 1 << 30;
    MemoryView { server: Product::Redis, used, limit: Some(limit), percent: Some(used * 100 / limit) }
}

fn alert(rule: &str, severity: Severity, subject: &str, text: &str, since: u64) -> Alert {
    Alert { rule: rule.into(), severity, subject: subject.into(), text: text.into(), helps: Vec::new(), since }
}

fn tape() -> Vec<TapeLine> {
    let questions = [
        ("Will it rain in Lisbon on November 26?", "Yes", "ctf_v2"),
        ("東京で明日雨が降りますか？ ☔ tomorrow", "No", "ctf_v2"),
        ("Fed decision in December?", "25 bps decrease", "neg_risk_v2"),
        ("", "", "v3"),
    ];
    (0..60)
        .map(|nth: u32| {
            let (question, outcome, exchange) = questions[nth as usize % questions.len()];
            TapeLine {
                timestamp: 1_795_579_468 - i64::from(nth / 7) * 2,
                block_number: 97_812_344 - u64::from(nth / 7),
                log_index: 900 - nth,
                exchange: exchange.into(),
                maker_direction: if nth.is_multiple_of(3) { "SELL" } else { "BUY" }.into(),
                token_amount: format!("{}.500000", 10 + nth * 7),
                usd_amount: format!("{}.{:06}", 4 + nth * 3, nth * 1_017),
                price: (nth % 11 != 10).then(|| f64::from(nth % 97 + 1) / 100.0),
                token_id: format!("1056178888888888{nth:04}9512"),
                outcome: outcome.into(),
                question: question.into(),
                is_taker_row: nth.is_multiple_of(2),
            }
        })
        .collect()
}
