//! A store of one world and a source of another: nobody writes, with and without a screen.

use std::collections::BTreeSet;
use std::process::Command;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::cli::{place, serve, world};
use crate::pty::rig::{Rig, USUAL};
use crate::servers::Setting;
use crate::support::logs::Sell;
use crate::support::process::{Ended, Running, Workplace, until};
use crate::support::tables::dump;
use crate::support::written::{FIRST, SOON, Written, market, token};

const STAGES: usize = 7;

/// Every row of every table of a store, to its last column.
fn held(place: &Workplace) -> BTreeSet<String> {
    let store = place.store().unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let names: Vec<String> =
        store.prepare(tables).unwrap().query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let rows = |store: &Connection, name: &str| {
        dump(store, name).into_iter().map(|row| format!("{name}: {row:?}")).collect::<Vec<_>>()
    };
    names.iter().flat_map(|name| rows(&store, name)).collect()
}

/// What was changed, in words.
#[track_caller]
fn assert_unchanged(before: &BTreeSet<String>, after: &BTreeSet<String>) {
    let of = |table: &str| {
        let rows = |rows: &BTreeSet<String>, others: &BTreeSet<String>| {
            rows.difference(others).filter(|row| row.starts_with(table)).count()
        };
        format!("{} of {table} gone or overwritten, {} new", rows(before, after), rows(after, before))
    };
    assert!(
        before == after,
        "the store of another world was changed: {}; {}; first: {:?}",
        of("markets:"),
        of("trades:"),
        after.difference(before).next().map(|row| row.chars().take(300).collect::<String>())
    );
}

/// Shows it on a screen until every stage has refused, or something was written; then leaves it.
fn on_a_screen(command: &Command, place: &Workplace, is_changed: impl Fn() -> bool) {
    let mut rig = Rig::start(command, USUAL, place);
    rig.shows("1 Stages");
    let failed = |rig: &Rig| rig.look(|picture| picture.screen().contents().matches("FAIL").count());
    until(SOON, "all stages refuse, or something is written", || failed(&rig) >= STAGES || is_changed());
    rig.press("q");
    rig.shows("Leave?");
    rig.press("s");
    let _ = rig.wait();
}

#[track_caller]
fn succeeded(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// Row 10: the demo of another seed, with the screen.
#[test]
fn the_demo_of_another_seed_on_a_screen() {
    let place = Workplace::new("");
    let demo = ["--demo", "--fills", "500", "--seed"];
    succeeded(&place.run(&[&demo[..], &["42", "--until-caught-up", "--no-tui"]].concat(), SOON));
    let before = held(&place);
    let command = place.command(&[&demo[..], &["7"]].concat());
    on_a_screen(&command, &place, || held(&place) != before);
    assert_unchanged(&before, &held(&place));
}

/// Row 10: a run on the store of another chain, with the screen and without.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_on_a_store_of_another_chain() {
    let (ours, other) = (world(1_001, 50), world(1_002, 50));
    let (ours, other) = (serve(&ours).await, serve(&other).await);
    let place = place(&ours.url());
    ours.freeze_at(ours.head());
    tokio::task::block_in_place(|| {
        succeeded(&place.run(&["--no-tui", "--until-caught-up"], SOON));
        let before = held(&place);
        let elsewhere = |arguments: &[&str]| {
            let mut command = place.command(arguments);
            command.env("POLYTAPE_SOURCES__POLYGON__URLS", other.url());
            command.env("POLYTAPE_SOURCES__GAMMA__URL", other.url());
            command.env("POLYTAPE_SOURCES__DATA_API__URL", other.url());
            command
        };
        on_a_screen(&elsewhere(&[]), &place, || held(&place) != before);
        assert_unchanged(&before, &held(&place));
        let dir = TempDir::new().unwrap();
        let ended = Running::start(elsewhere(&["--no-tui"]), dir.path()).wait(SOON);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("this store holds chain:"), "{}", ended.stderr);
        assert_unchanged(&before, &held(&place));
    });
}

/// Row 10: the same on Redis and ClickHouse.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_on_servers_of_another_chain() {
    let setting = Setting::new(1_003).await;
    let other = serve(&world(1_004, 50)).await;
    let end = setting.server.head();
    setting.server.freeze_at(end);
    succeeded(&setting.run(&["--no-tui", "--until-caught-up", "--timeout", "60s"]));
    let tables = || -> BTreeSet<String> {
        let tables = ["trades", "markets", "dead_letters", "checkpoints", "desired_states", "jobs"];
        let rows = |table: &str| {
            let rows = setting.database.execute(&format!("SELECT * FROM {table} FINAL FORMAT JSONEachRow"));
            rows.lines().map(|row| format!("{table}: {row}")).collect::<Vec<_>>()
        };
        tables.into_iter().flat_map(rows).collect()
    };
    let held = || -> BTreeSet<String> {
        let keys = setting.redis.keys().into_iter().filter(|key| !key.contains("proc:"));
        tables().into_iter().chain(keys.map(|key| format!("{key}: {:?}", setting.redis.run(&["DUMP", &key])))).collect()
    };
    let markets = || setting.database.execute("SELECT * FROM markets FINAL ORDER BY ALL FORMAT JSONEachRow");
    let markets_before = markets();
    let before = held();
    let mut command = setting.place.command(&[]);
    command.env("POLYTAPE_SOURCES__POLYGON__URLS", other.url());
    command.env("POLYTAPE_SOURCES__GAMMA__URL", other.url());
    command.env("POLYTAPE_SOURCES__DATA_API__URL", other.url());
    tokio::task::block_in_place(|| on_a_screen(&command, &setting.place, || markets() != markets_before));
    assert_unchanged(&before, &held());
}

/// Row 10: `--demo` leaves the store of a real run alone, and a run that of a demo.
#[tokio::test(flavor = "multi_thread")]
async fn a_demo_and_a_run_do_not_share_a_store() {
    let real = Written::new(&[Sell::of(token(1), FIRST, 1)], [market(1, 0), market(2, 1)]).await;
    tokio::task::block_in_place(|| {
        real.read();
        let before = held(&real.place);
        let demo = ["--demo", "--fills", "500", "--until-caught-up", "--no-tui"];
        let ended = real.place.run(&demo, SOON);
        assert_unchanged(&before, &held(&real.place));
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("--demo leaves") && ended.stderr.contains("chain:137"), "{}", ended.stderr);

        // The same the other way round, with the source that the store is of: nothing else could refuse it.
        let place = real.place.another();
        succeeded(&place.run(&demo, SOON));
        let before = held(&place);
        let ended = place.run(&["--no-tui", "--until-caught-up", "--timeout", "5s"], SOON);
        assert_unchanged(&before, &held(&place));
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("holds a demo's store"), "{}", ended.stderr);
    });
}
