//! The verbs, judged by the data: whatever is asked for in the middle of the flow, nothing is lost and nothing doubled.

use std::time::Duration;

use polytape::broker::Stream;
use polytape::control::{Answer, Command, JobStatus, Pipeline, Point, Replay, StageState};
use polytape::flow::{StageId, StreamId, TableId};
use polytape::model::{Fill, Resolution, Trade, entry::Packer};
use polytape::warehouse::{Control, Inspection, JobState};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::pipeline::{Setting, Stores, eventually, state};
use crate::warehouse::conformance::trade;

/// The stages of a pipeline that reads no markets.
const STAGES: [StageId; 4] =
    [StageId::IngestFills, StageId::ProcessTrades, StageId::WriteTrades, StageId::WriteDeadLetters];

async fn ask(pipeline: &Pipeline, command: Command) -> String {
    match pipeline.control().send(command.clone()).await {
        Answer::Done(said) => said,
        other => panic!("{command}: {other:?}"),
    }
}

async fn refused(pipeline: &Pipeline, command: Command) -> String {
    match pipeline.control().send(command.clone()).await {
        Answer::Refused(why) => why,
        other => panic!("{command}: {other:?}"),
    }
}

async fn trades(setting: &Setting) -> u64 {
    setting.warehouse.row_counts().await.unwrap()[TableId::Trades].rows
}

/// The trades, but for when they came.
fn rows(setting: &Setting) -> Vec<String> {
    columns(setting, false)
}

/// The trades, and when they came, where that is a part of them: a row that ClickHouse was sent again has come again.
fn rows_and_times(setting: &Setting) -> Vec<String> {
    columns(setting, true)
}

fn columns(setting: &Setting, with_time: bool) -> Vec<String> {
    let connection = setting.file();
    let mut select = connection.prepare("SELECT * FROM trades ORDER BY block_number, log_index").unwrap();
    let names: Vec<String> = select.column_names().map(str::to_owned).collect();
    assert!(names.len() == 26 && names.iter().any(|name| name == "ingested_at"), "{names:?}");
    let row = |row: &rusqlite::Row<'_>| {
        let compared = names.iter().filter(|name| with_time || *name != "ingested_at");
        let values = compared.map(|name| row.get::<_, rusqlite::types::Value>(name.as_str()));
        Ok(format!("{:?}", values.collect::<Result<Vec<_>, _>>()?))
    };
    select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Deletes rows as somebody else would.
fn delete(setting: &Setting, which: &str) -> u64 {
    match &setting.stores {
        Stores::Embedded(store) => {
            store.file().execute(&format!("DELETE FROM trades WHERE {which}"), []).unwrap() as u64
        }
        Stores::Servers { database, .. } => {
            let count = database.number(&format!("SELECT count() FROM trades FINAL WHERE {which}"));
            database.execute(&format!("ALTER TABLE trades DELETE WHERE {which}"));
            count
        }
    }
}

async fn everything_landed(setting: &Setting, pipeline: &Pipeline) {
    let observer = pipeline.observer();
    eventually("everything has landed", || observer.chain().watermark >= Some(setting.end().into())).await;
}

/// Waits until the newest replay has ended, and says how.
async fn job_ended(pipeline: &Pipeline) -> (JobState, u64, String) {
    let observer = pipeline.observer();
    let last = || observer.jobs().into_iter().last().expect("there is a replay").record;
    eventually("the replay has ended", || last().state != JobState::Running).await;
    (last().state, last().moved, last().reason)
}

fn replay(stage: StageId, from: Point, to: Point) -> Command {
    Command::Replay(Replay { stage, from, to, dry_run: false })
}

const HOUR_AGO: Point = Point::Age(Duration::from_secs(3600));

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_the_rows_and_a_resume_lets_them_go() {
    let setting = Setting::new(6_000).await;
    let pipeline = setting.start();
    while trades(&setting).await < 200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(ask(&pipeline, Command::Pause { stage: StageId::WriteTrades }).await, "write-trades is paused");
    eventually("it holds", || state(&pipeline, StageId::WriteTrades) == StageState::Pause).await;
    let held = trades(&setting).await;
    let before = pipeline.observer().chain().cursor;
    eventually("others go on", || pipeline.observer().chain().cursor > before || held >= 6_000).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(trades(&setting).await, held, "not one row more");
    assert_eq!(ask(&pipeline, Command::Pause { stage: StageId::WriteTrades }).await, "write-trades is paused already");
    assert_eq!(ask(&pipeline, Command::Resume { stage: StageId::WriteTrades }).await, "write-trades runs");
    setting.finish(pipeline).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paused_or_stopped_stays_so_in_the_next_process() {
    let setting = Setting::new(3_000).await;
    let pipeline = setting.start();
    ask(&pipeline, Command::Pause { stage: StageId::ProcessTrades }).await;
    ask(&pipeline, Command::Stop { stage: StageId::WriteTrades }).await;
    drop(pipeline);
    let pipeline = setting.start();
    eventually("it is paused", || state(&pipeline, StageId::ProcessTrades) == StageState::Pause).await;
    eventually("it is stopped", || state(&pipeline, StageId::WriteTrades) == StageState::Stop).await;
    eventually("others run", || state(&pipeline, StageId::IngestFills) == StageState::Idle).await;
    ask(&pipeline, Command::Resume { stage: StageId::ProcessTrades }).await;
    assert_eq!(
        ask(&pipeline, Command::Restart { stage: StageId::WriteTrades }).await,
        "write-trades restarts after its stop"
    );
    setting.finish(pipeline).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_orders_at_any_time_change_nothing_of_the_rows() {
    let seed = std::env::var("POLYTAPE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let setting = Setting::new(20_000).await;
    let pipeline = setting.start();
    let observer = pipeline.observer();
    let mut orders = 0;
    while observer.chain().watermark < Some(setting.end().into()) && orders < 400 {
        let stage = *STAGES.choose(&mut dice).unwrap();
        let command = match dice.random_range(0..5) {
            0 => Command::Pause { stage },
            1 => Command::Restart { stage },
            2 => Command::Stop { stage },
            3 => replay(stage, HOUR_AGO, Point::Now),
            _ => Command::Resume { stage },
        };
        // A replay may be refused: where there is nothing, or one already.
        let _ = pipeline.control().send(command).await;
        orders += 1;
        tokio::time::sleep(Duration::from_millis(dice.random_range(0..25))).await;
    }
    assert!(orders > 20, "{orders} orders");
    for stage in STAGES {
        ask(&pipeline, Command::Resume { stage }).await;
    }
    everything_landed(&setting, &pipeline).await;
    eventually("replays have ended", || observer.jobs().iter().all(|job| job.record.state != JobState::Running)).await;
    for job in observer.jobs() {
        assert_eq!(job.record.state, JobState::Done, "seed {seed}: {job:?}");
    }
    setting.finish(pipeline).await;
}

async fn a_replay_of_a_range_that_is_there_changes_no_row(setting: Setting) {
    let pipeline = setting.start();
    everything_landed(&setting, &pipeline).await;
    let (before, watermark) = (rows_and_times(&setting), pipeline.observer().chain().watermark);
    let first = setting.first_block();
    for (stage, from) in [
        (StageId::IngestFills, Point::Block(first)),
        (StageId::WriteTrades, HOUR_AGO),
        // The last one: its trades go where all trades go, and there the writer would find them, too.
        (StageId::ProcessTrades, HOUR_AGO),
    ] {
        let said = ask(&pipeline, replay(stage, from, Point::Now)).await;
        assert!(said.contains(" begins: "), "{said}");
        let (ended, moved, reason) = job_ended(&pipeline).await;
        assert_eq!(ended, JobState::Done, "{stage}: {reason}");
        assert_eq!(moved, before.len() as u64, "{stage}");
        assert!(rows_and_times(&setting) == before, "{stage}: not even when they came");
    }
    assert_eq!(trades(&setting).await, before.len() as u64);
    assert!(pipeline.observer().chain().watermark >= watermark, "a replay takes nothing back");
    setting.finish(pipeline).await;
}

async fn a_replay_restores_what_somebody_deleted(setting: Setting) {
    let pipeline = setting.start();
    everything_landed(&setting, &pipeline).await;
    let before = rows(&setting);
    let all = before.len() as u64;
    let first = setting.first_block();
    for (stage, from, to) in [
        (StageId::IngestFills, Point::Block(first), Point::Block(setting.end().block)),
        (StageId::ProcessTrades, HOUR_AGO, Point::Now),
        (StageId::WriteTrades, HOUR_AGO, Point::Now),
    ] {
        let deleted = delete(&setting, "log_index % 3 = 0");
        assert!(deleted > 100);
        assert_eq!(trades(&setting).await, all - deleted, "the count knows");
        ask(&pipeline, replay(stage, from, to)).await;
        let (ended, _, reason) = job_ended(&pipeline).await;
        assert_eq!(ended, JobState::Done, "{stage}: {reason}");
        assert!(rows(&setting) == before, "{stage}");
        assert_eq!(trades(&setting).await, all);
    }
    setting.finish(pipeline).await;
}

async fn live_rows_go_on_beside_a_replay(setting: Setting) {
    let pipeline = setting.start();
    while trades(&setting).await < 5_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let deleted = delete(&setting, "log_index % 2 = 0");
    assert!(deleted > 500);
    let first = setting.first_block();
    ask(&pipeline, replay(StageId::IngestFills, Point::Block(first), Point::Block(first + 200))).await;
    ask(&pipeline, replay(StageId::WriteTrades, HOUR_AGO, Point::Now)).await;
    let observer = pipeline.observer();
    let moved = |stage| observer.stages().into_iter().find(|(name, _)| *name == stage).unwrap().1.moved;
    let before = moved(StageId::WriteTrades);
    let going_on = || observer.jobs().iter().any(|job| job.record.state == JobState::Running);
    let mut live_beside = 0;
    while going_on() {
        live_beside = moved(StageId::WriteTrades) - before;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(live_beside > 0, "live rows beside the replays");
    // Rows that were deleted and whose range was in no replay come back by one more.
    everything_landed(&setting, &pipeline).await;
    ask(&pipeline, replay(StageId::IngestFills, Point::Block(first), Point::Now)).await;
    let (ended, _, reason) = job_ended(&pipeline).await;
    assert_eq!(ended, JobState::Done, "{reason}");
    setting.finish(pipeline).await;
}

/// What a replay promises, on a back end.
/// The rows of its blocks come from the chain again, and its bytes are kept.
async fn what_a_damaged_entry_stood_for_is_read_again(setting: Setting) {
    let pipeline = setting.start();
    everything_landed(&setting, &pipeline).await;
    let before = rows(&setting);
    let (first, last) = (setting.first_block(), setting.world.last_fill_block().unwrap());
    let middle = (first + last) / 2;
    let some = trade(1, 1, Resolution::Unknown);
    for (stream, range, stage) in
        [(StreamId::OrderEvents, first..=middle, "process-trades"), (StreamId::Trades, middle..=last, "write-trades")]
    {
        assert!(delete(&setting, &format!("block_number BETWEEN {} AND {}", range.start(), range.end())) > 100);
        let mut packer = Packer::new(512);
        for block_number in [*range.start(), *range.end()] {
            let fill = Fill { block_number, ..some.fill.clone() };
            match stream {
                StreamId::Trades => packer.push(&Trade { fill, resolution: Resolution::Unknown }),
                _ => packer.push(&fill),
            };
        }
        let mut body = packer.finish().unwrap();
        *body.last_mut().unwrap() ^= 1;
        setting.append_beside(Stream::of(stream), body.clone()).await;
        let kept = || {
            let sql = "SELECT raw FROM dead_letters WHERE stage = ? AND raw = ?";
            setting.file().prepare(sql).unwrap().exists((stage, &body)).unwrap()
        };
        eventually("its bytes are kept", kept).await;
        eventually("its rows are back", || rows(&setting) == before).await;
        let job = pipeline.observer().jobs().into_iter().find(|job| job.record.id.starts_with("damage-"));
        assert_eq!(job.unwrap().record.stage, "ingest-fills");
    }
    assert!(pipeline.drain(Duration::from_secs(10)).await);
}

macro_rules! replays_on {
    ($name:ident, $setting:path) => {
        mod $name {
            use crate::pipeline::Setting;

            #[tokio::test(flavor = "multi_thread")]
            async fn a_replay_of_a_range_that_is_there_changes_no_row() {
                super::a_replay_of_a_range_that_is_there_changes_no_row($setting(3_000).await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn a_replay_restores_what_somebody_deleted() {
                super::a_replay_restores_what_somebody_deleted($setting(3_000).await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn what_a_damaged_entry_stood_for_is_read_again() {
                super::what_a_damaged_entry_stood_for_is_read_again($setting(3_000).await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn live_rows_go_on_beside_a_replay() {
                super::live_rows_go_on_beside_a_replay($setting(60_000).await).await;
            }
        }
    };
}

replays_on!(embedded, Setting::new);
replays_on!(servers, Setting::on_servers);

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_survives_its_process() {
    for stage in [StageId::IngestFills, StageId::WriteTrades, StageId::ProcessTrades] {
        let setting = Setting::new(6_000).await;
        let pipeline = setting.start();
        everything_landed(&setting, &pipeline).await;
        let before = rows(&setting);
        delete(&setting, "log_index % 2 = 0");
        setting.warehouse.slow_down(Duration::from_millis(40));
        let from = if stage == StageId::IngestFills { Point::Block(setting.first_block()) } else { HOUR_AGO };
        ask(&pipeline, replay(stage, from, Point::Now)).await;
        eventually("it has begun", || pipeline.observer().jobs()[0].status.moved > 0).await;
        // As a kill: nothing is drained.
        drop(pipeline);
        setting.warehouse.slow_down(Duration::ZERO);
        let pipeline = setting.start();
        eventually("it goes on", || !pipeline.observer().jobs().is_empty()).await;
        let (ended, _, reason) = job_ended(&pipeline).await;
        assert_eq!(ended, JobState::Done, "{stage}: {reason}");
        assert!(rows(&setting) == before, "{stage}");
        setting.finish(pipeline).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_cancelled_and_leaves_no_group() {
    let setting = Setting::new(3_000).await;
    let pipeline = setting.start();
    everything_landed(&setting, &pipeline).await;
    setting.warehouse.slow_down(Duration::from_secs(1));
    ask(&pipeline, replay(StageId::WriteTrades, HOUR_AGO, Point::Now)).await;
    let why = refused(&pipeline, replay(StageId::WriteTrades, HOUR_AGO, Point::Now)).await;
    assert!(why.contains("is under way"), "{why}");
    let id = pipeline.observer().jobs()[0].record.id.clone();
    ask(&pipeline, Command::Cancel { id: id.clone() }).await;
    assert_eq!(job_ended(&pipeline).await.0, JobState::Cancelled);
    assert!(refused(&pipeline, Command::Cancel { id }).await.contains("no replay"));
    setting.warehouse.slow_down(Duration::ZERO);
    let groups = || {
        let connection = setting.file();
        connection
            .query_row("SELECT count(*) FROM groups WHERE name LIKE 'replay:%'", [], |row| row.get::<_, u64>(0))
            .unwrap()
    };
    eventually("its group is gone", || groups() == 0).await;
    setting.finish(pipeline).await;
}

/// Live work goes first: what a replay still had to read makes room, and the replay does not pretend.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_whose_entries_made_room_fails_and_says_so() {
    let mut setting = Setting::new(3_000).await;
    setting.batch = 1;
    let pipeline = setting.start();
    everything_landed(&setting, &pipeline).await;
    setting.warehouse.slow_down(Duration::from_secs(1));
    ask(&pipeline, replay(StageId::WriteTrades, HOUR_AGO, Point::Now)).await;
    let job = || pipeline.observer().jobs().remove(0);
    eventually("it has begun", || job().record.total > 0).await;
    assert!(setting.make_room().await > 1_000);
    setting.warehouse.slow_down(Duration::ZERO);
    let (ended, _, reason) = job_ended(&pipeline).await;
    assert_eq!(ended, JobState::Failed);
    assert!(reason.contains("events or more are gone") && reason.contains("from the chain"), "{reason}");
    setting.finish(pipeline).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_a_replay_would_do_and_does_nothing() {
    let setting = Setting::new(1_000).await;
    let pipeline = setting.start();
    everything_landed(&setting, &pipeline).await;
    let first = setting.first_block();
    let plan = |stage, from, to| Command::Replay(Replay { stage, from, to, dry_run: true });
    let planned =
        pipeline.control().send(plan(StageId::IngestFills, Point::Block(first), Point::Block(first + 9))).await;
    let Answer::Plan(planned) = planned else { panic!("{planned:?}") };
    assert_eq!((planned.from, planned.to), (format!("block {first}"), format!("block {}", first + 9)));
    assert_eq!(planned.amount, "10 blocks");
    let planned = pipeline.control().send(plan(StageId::WriteTrades, HOUR_AGO, Point::Now)).await;
    let Answer::Plan(planned) = planned else { panic!("{planned:?}") };
    assert_eq!(planned.amount, format!("{} events", trades(&setting).await));
    for (command, words) in [
        (plan(StageId::IngestFills, Point::Now, Point::Now), "nothing lies between"),
        (plan(StageId::WriteTrades, Point::Block(7), Point::Now), "knows times, not blocks"),
        (plan(StageId::WriteTrades, HOUR_AGO, HOUR_AGO), "holds nothing from"),
        (plan(StageId::Resolver, HOUR_AGO, Point::Now), "has no range to replay"),
    ] {
        let why = refused(&pipeline, command).await;
        assert!(why.contains(words), "{why}");
    }
    assert!(pipeline.observer().jobs().is_empty());
    assert!(refused(&pipeline, Command::Pause { stage: StageId::Resolver }).await.contains("does not run here"));
    setting.finish(pipeline).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_never_reads_another_world() {
    let mut setting = Setting::new(3_000).await;
    let pipeline = setting.start();
    everything_landed(&setting, &pipeline).await;
    let before = rows(&setting);
    setting.warehouse.slow_down(Duration::from_millis(200));
    let first = Point::Block(setting.first_block());
    ask(&pipeline, replay(StageId::IngestFills, first, Point::Now)).await;
    drop(pipeline);
    setting.warehouse.slow_down(Duration::ZERO);
    setting.show_another_world().await;
    let pipeline = setting.start();
    // Its record is the other world's, too: it is left as it is, and goes on where its own world is shown again.
    let is_refused = |job: &JobStatus| match &job.status.state {
        StageState::Wait(cause) => cause.to_string().contains("choose another --data-dir"),
        _ => false,
    };
    eventually("it waits for its own world", || pipeline.observer().jobs().first().is_some_and(is_refused)).await;
    assert_eq!(pipeline.observer().jobs()[0].record.state, JobState::Running);
    let why = refused(&pipeline, replay(StageId::WriteTrades, first, Point::Now)).await;
    assert!(why.contains("choose another --data-dir"), "{why}");
    assert!(rows(&setting) == before);
    pipeline.drain(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_waits_for_its_trades_to_be_written() {
    let setting = Setting::new(3_000).await;
    let pipeline = setting.start();
    everything_landed(&setting, &pipeline).await;
    ask(&pipeline, Command::Pause { stage: StageId::WriteTrades }).await;
    eventually("it holds", || state(&pipeline, StageId::WriteTrades) == StageState::Pause).await;
    ask(&pipeline, replay(StageId::ProcessTrades, HOUR_AGO, Point::Now)).await;
    let job = || pipeline.observer().jobs().remove(0);
    eventually("all is handed on", || job().record.done == job().record.total && job().record.total > 0).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(job().record.state, JobState::Running, "what is in a stream only is not done");
    // Also over the end of the process.
    assert!(pipeline.drain(Duration::from_secs(10)).await);
    let pipeline = setting.start();
    eventually("it goes on", || !pipeline.observer().jobs().is_empty()).await;
    assert_eq!(pipeline.observer().jobs()[0].record.state, JobState::Running);
    ask(&pipeline, Command::Resume { stage: StageId::WriteTrades }).await;
    assert_eq!(job_ended(&pipeline).await.0, JobState::Done);
    setting.finish(pipeline).await;
}

/// What is no entry, of any version.
const RUBBISH: u8 = 0;

/// What a later version begins with.
const NEWER: u8 = 9;

/// Makes every entry of `stream:trades` begin with this byte, behind the broker's back. Gives their bytes.
fn damage(setting: &Setting, first: u8) -> Vec<Vec<u8>> {
    let store = setting.file();
    let table: String = store
        .query_row("SELECT 'entries_' || stream FROM streams WHERE name = 'stream:trades'", [], |row| row.get(0))
        .unwrap();
    let mut select = store.prepare(&format!("SELECT id, body FROM {table}")).unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let found: Vec<(i64, Vec<u8>)> = select.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    let damaged = found.into_iter().map(|(id, mut body)| {
        body[0] = first;
        store.execute(&format!("UPDATE {table} SET body = ? WHERE id = ?"), (&body, id)).unwrap();
        body
    });
    let damaged = damaged.collect();
    store.execute_batch("COMMIT").unwrap();
    damaged
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_bad_is_skipped_only_where_it_is_bad_and_lands_with_bytes_and_reason() {
    let (mut setting, writer) = (Setting::new(300).await, StageId::WriteTrades);
    setting.batch = 1;
    setting.warehouse.set_desired_state("main", writer.as_str(), "stop").await.unwrap();
    let pipeline = setting.start();
    eventually("it is stopped", || state(&pipeline, writer) == StageState::Stop).await;
    assert!(refused(&pipeline, Command::Skip { stage: writer }).await.contains("has not failed"));
    let observer = pipeline.observer();
    eventually("all is read", || observer.chain().cursor >= Some(setting.end().into())).await;
    let stream = polytape::broker::Stream::of(StreamId::Trades);
    while setting.broker.stream(&stream).await.unwrap().events < 300 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let waiting = damage(&setting, NEWER).len();
    ask(&pipeline, Command::Resume { stage: writer }).await;
    eventually("it fails", || matches!(state(&pipeline, writer), StageState::Fail(_))).await;
    let why = refused(&pipeline, Command::Skip { stage: writer }).await;
    assert!(why.contains("holds entries of a newer polytape (version 9)"), "{why}");

    let mut bad = damage(&setting, RUBBISH);
    assert!(bad.len() == waiting && waiting > 100, "{waiting} wait");
    ask(&pipeline, Command::Restart { stage: writer }).await;
    let gives_up =
        |state: StageState| matches!(state, StageState::Fail(cause) if cause.contains("rows in a row were refused"));
    eventually("it gives up", || gives_up(state(&pipeline, writer))).await;
    let letters = |sql: &str| {
        let file = setting.file();
        let mut select = file.prepare(sql).unwrap();
        let found: Vec<Vec<u8>> = select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        found
    };
    let of_trades =
        "SELECT raw FROM dead_letters WHERE source = 'stream:trades' AND stage = 'write-trades' AND reason <> ''";
    assert_eq!(letters(of_trades).len(), 0, "nothing was given up");
    ask(&pipeline, Command::Skip { stage: writer }).await;
    eventually("all of them are dead letters", || letters(of_trades).len() >= bad.len()).await;
    let mut kept = letters(of_trades);
    bad.sort();
    kept.sort();
    assert!(bad == kept, "{} bad entries and {} dead letters", bad.len(), kept.len());
    eventually("it goes on", || state(&pipeline, writer) == StageState::Idle).await;
    eventually("what they held is read again", || {
        pipeline.observer().jobs().iter().any(|job| job.record.state == JobState::Done)
    })
    .await;
    assert_eq!(trades(&setting).await as usize, bad.len());
}
