//! The process dies at the k-th step on the way of a batch, for each k until there is no such step: append, read, forward, insert,
//! acknowledgement, watermark, the record of a replay. The tables equal the truth all the same, on every back end.

use std::fs;
use std::time::Duration;

use polytape::planted::Bug;

use super::backend::{Backend, Embedded, Servers};
use crate::support::length::short_or_long;
use crate::support::outside;
use crate::support::process::{Workplace, until};
use crate::support::tables::compare_whole;

const CAUGHT_UP: [&str; 4] = ["--no-tui", "--until-caught-up", "--timeout", "60s"];

/// Dies at a step, and is started again. Whether there was such a step.
fn dies_and_goes_on(place: &mut Workplace, step: u64) -> bool {
    place.dies_at(Some(step));
    let ended = place.run(&CAUGHT_UP, Duration::from_secs(120));
    place.dies_at(None);
    if ended.code == Some(0) {
        return false;
    }
    assert_eq!(ended.code, None, "step {step}: it dies by a signal: {}", ended.stderr);
    let ended = place.run(&CAUGHT_UP, Duration::from_secs(120));
    assert_eq!(ended.code, Some(0), "step {step}: {}", ended.stderr);
    true
}

/// In the short form every `short`-th step is one.
async fn tables_equal_the_truth_whatever_the_step<B: Backend>(short: u64) {
    let (world, server) = outside::busy_until(11, 400.0, 120).await;
    let end = world.last_fill_block().unwrap() + 20;
    while server.head() < end {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.freeze_at(end);
    let blocks = world.config().first_block..=world.finalized(end);
    let mut deaths = 0_u64;
    let stride = short_or_long(short, 1);
    for step in (1..).step_by(usize::try_from(stride).unwrap()) {
        let backend = B::new();
        let more = format!("writer.linger = \"10ms\"\nstreams.batch = 7\n{}", backend.config());
        let mut place = Workplace::new(&outside::config(&world, &server, &more));
        if !tokio::task::block_in_place(|| dies_and_goes_on(&mut place, step)) {
            break;
        }
        deaths += 1;
        let difference = compare_whole(&backend.store(&place), &world, blocks.clone(), end);
        assert!(difference.is_none(), "step {step}: {difference:#?}");
    }
    println!("{deaths} deaths");
    assert!(deaths > 20 / stride, "only {deaths} steps");
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded() {
    tables_equal_the_truth_whatever_the_step::<Embedded>(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers() {
    tables_equal_the_truth_whatever_the_step::<Servers>(7).await;
}

/// Steps after which rows are missing, where an entry of trades was damaged before any was written.
async fn steps_that_lose_rows(bug: Option<Bug>) -> Vec<u64> {
    let (world, server) = outside::busy_until(12, 400.0, 120).await;
    let end = world.last_fill_block().unwrap() + 20;
    while server.head() < end {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.freeze_at(end);
    let blocks = world.config().first_block..=world.finalized(end);
    let more = "writer.linger = \"10ms\"\nstreams.batch = 40";
    let place = Workplace::new(&outside::config(&world, &server, more)).with_bug(bug.map(Bug::name));
    tokio::task::block_in_place(|| without_writer(&place));
    damage_one(&place);
    let mut lost = Vec::new();
    for step in (1..).step_by(short_or_long(4, 1)) {
        let mut place = copy(&place);
        if !tokio::task::block_in_place(|| dies_and_goes_on(&mut place, step)) {
            break;
        }
        let backend = Embedded::new();
        tokio::task::block_in_place(|| {
            let running = place.start(&["--no-tui"]);
            until(Duration::from_secs(60), "the replay has ended", || replays_going_on(&place) == 0);
            running.kill();
        });
        if !compare_whole(&backend.store(&place), &world, blocks.clone(), end).missing.is_empty() {
            lost.push(step);
        }
    }
    lost
}

/// Until every fill is a trade of the stream.
fn without_writer(place: &Workplace) {
    let running = place.start(&["--no-tui", "--only", "ingest-fills,ingest-markets,process-trades"]);
    until(Duration::from_secs(60), "all fills are trades", || {
        let events = |store: rusqlite::Connection| {
            let table = "SELECT 'entries_' || stream FROM streams WHERE name = 'stream:trades'";
            let table: String = store.query_row(table, [], |row| row.get(0)).ok()?;
            store.query_row(&format!("SELECT sum(events) FROM {table}"), [], |row| row.get::<_, Option<u64>>(0)).ok()?
        };
        place.store().and_then(events) == Some(120)
    });
    running.kill();
}

fn damage_one(place: &Workplace) {
    let store = rusqlite::Connection::open(place.data_dir().join("polytape.db")).unwrap();
    let table = "SELECT 'entries_' || stream FROM streams WHERE name = 'stream:trades'";
    let table: String = store.query_row(table, [], |row| row.get(0)).unwrap();
    let first = format!("SELECT id, body FROM {table} ORDER BY id LIMIT 1");
    let (id, mut body): (i64, Vec<u8>) = store.query_row(&first, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    *body.last_mut().unwrap() ^= 1;
    store.execute(&format!("UPDATE {table} SET body = ? WHERE id = ?"), (body, id)).unwrap();
}

fn copy(place: &Workplace) -> Workplace {
    let other = place.another();
    fs::create_dir_all(other.data_dir()).unwrap();
    for file in fs::read_dir(place.data_dir()).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), other.data_dir().join(file.file_name())).unwrap();
        }
    }
    other
}

fn replays_going_on(place: &Workplace) -> u64 {
    let running = "SELECT count(*) FROM jobs WHERE state = 'running'";
    place.store().unwrap().query_row(running, [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_entry_is_read_again() {
    assert_eq!(steps_that_lose_rows(None).await, Vec::<u64>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_recorded_behind_the_acknowledgement_shows() {
    let lost = steps_that_lose_rows(Some(Bug::AcknowledgeBeforeReplay)).await;
    assert!(!lost.is_empty(), "the bug was not found");
}
