//! kill -9 at random instants, against a world on a bad day: the tables equal the truth.
//!
//! `POLYTAPE_KILLS=500 POLYTAPE_SEED=7 cargo nextest run --features planted-bugs -E 'test(kill::)'` runs more of it, or
//! the same again. The planted bugs show that the comparison can fail.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use polytape::demo::{DemoServer, World, WorldConfig};
use polytape::planted::Bug;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::process::Workplace;
use crate::support::tables::{Difference, compare};

/// Time between two blocks: so short that there is always something to do, and many blocks share a second.
const BLOCK_TIME: Duration = Duration::from_millis(20);

struct Outcome {
    difference: Difference,
    /// Rows in the truth.
    rows: usize,
    /// Kills after which there were more rows than after the one before.
    kills_in_progress: usize,
    /// Requests that met a fault.
    faulted: u64,
    /// Ranges that were refused as too large.
    refused_ranges: u64,
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

async fn kill_loop(seed: u64, kills: usize, bug: Option<Bug>) -> Outcome {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let backlog = BLOCK_TIME * 100;
    let world = Arc::new(World::new(WorldConfig {
        seed,
        rate: 1_500.0,
        block_time: BLOCK_TIME,
        genesis_ms: i64::try_from((now - backlog).as_millis()).unwrap(),
        ..WorldConfig::default()
    }));
    let first_block = world.config().first_block;
    let server = DemoServer::start(Arc::clone(&world), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    server.faults().storm();

    let urls = server.urls(3);
    let place = Workplace::new(&format!(
        r#"
        pipeline.start = "{first_block}"
        sources.polygon = {{ urls = {urls:?}, poll_interval = "10ms", timeout = "2s" }}
        writer.linger = "10ms"
        storage.min_free = "0B"
        "#
    ))
    .with_bug(bug.map(Bug::name));

    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut rows, mut kills_in_progress) = (0, 0);
    for _ in 0..kills {
        let running = place.start(&["--no-tui"]);
        tokio::time::sleep(Duration::from_millis(random.random_range(20..400))).await;
        running.kill();
        let found = place.count("trades");
        kills_in_progress += usize::from(found > rows);
        rows = found;
    }

    let end = server.head();
    server.freeze_at(end);
    let arguments = ["--no-tui", "--until-caught-up", "--timeout", "60s"];
    let ended = tokio::task::block_in_place(|| place.run(&arguments, Duration::from_secs(120)));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let blocks = first_block..=world.finalized(end);
    let difference = compare(&place.store().unwrap(), &world, blocks.clone());
    let rows = world.truth(blocks).trades.len();
    Outcome { difference, rows, kills_in_progress, faulted: server.faulted(), refused_ranges: server.refused_ranges() }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_equal_the_truth_after_any_kill() {
    let seed = from_environment("POLYTAPE_SEED", 20_261_123);
    let kills = usize::try_from(from_environment("POLYTAPE_KILLS", 50)).unwrap();
    println!("POLYTAPE_SEED={seed} POLYTAPE_KILLS={kills}");
    let outcome = kill_loop(seed, kills, None).await;
    println!(
        "{} rows, {} of {kills} kills in progress, {} requests met a fault",
        outcome.rows, outcome.kills_in_progress, outcome.faulted
    );
    assert!(outcome.difference.is_none(), "{:#?}", outcome.difference);
    assert!(outcome.kills_in_progress >= kills / 3, "only {} kills came in time", outcome.kills_in_progress);
    assert!(outcome.faulted as usize >= kills, "only {} faults", outcome.faulted);
    assert!(outcome.refused_ranges as usize >= kills / 5, "only {} ranges refused", outcome.refused_ranges);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_committed_before_its_entries_shows() {
    let outcome = kill_loop(1, 25, Some(Bug::CursorBeforeEntries)).await;
    assert!(!outcome.difference.missing.is_empty(), "the bug was not found");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_before_the_warehouse_confirms_shows() {
    let outcome = kill_loop(2, 25, Some(Bug::AcknowledgeBeforeConfirm)).await;
    assert!(!outcome.difference.missing.is_empty(), "the bug was not found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_log_index_shows() {
    let outcome = kill_loop(3, 2, Some(Bug::KeyWithoutLogIndex)).await;
    assert!(!outcome.difference.missing.is_empty(), "the bug was not found");
}
