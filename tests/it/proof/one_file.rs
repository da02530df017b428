//! The embedded store is one file: after every clean end a copy of it is the whole store.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::cli::{place, serve, world};
use crate::pty::rig::Rig;
use crate::support::process::{Ended, Workplace, until};
use crate::support::tables::dump;
use crate::support::written::SOON;

/// What a store holds, table by table.
fn held(store: &Connection) -> Vec<(String, Vec<String>)> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let names = store.prepare(tables).unwrap().query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>();
    let names: Vec<String> = names.unwrap();
    let rows = |table: &str| dump(store, table).into_iter().map(|row| format!("{row:?}")).collect();
    names
        .into_iter()
        .map(|table| {
            let rows = rows(&table);
            (table, rows)
        })
        .collect()
}

/// Copies `polytape.db` and nothing else, and compares the copy with the store.
#[track_caller]
fn assert_one_file(data_dir: &Path, how: &str) {
    let elsewhere = TempDir::new().unwrap();
    let copy = elsewhere.path().join("polytape.db");
    let file = data_dir.join("polytape.db");
    fs::copy(&file, &copy).unwrap();
    let copied = held(&Connection::open(&copy).unwrap());
    let whole = held(&Connection::open(&file).unwrap());
    let rows = |held: &[(String, Vec<String>)]| {
        held.iter().find(|(table, _)| table == "trades").map_or(0, |(_, rows)| rows.len())
    };
    let [copied_rows, rows] = [&copied, &whole].map(|held| rows(held));
    assert!(rows > 0, "{how}: nothing was written");
    assert!(copied == whole, "{how}: a copy of polytape.db alone holds {copied_rows} of {rows} trades");
}

#[track_caller]
fn succeeded(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// Row 12: after `--until-caught-up`, in the demo and in a run, and a look by `check`.
#[tokio::test(flavor = "multi_thread")]
async fn when_it_has_caught_up() {
    let demo = Workplace::new("");
    let bounded = ["--demo", "--fills", "500", "--until-caught-up", "--no-tui"];
    succeeded(&tokio::task::block_in_place(|| demo.run(&bounded, SOON)));
    assert_one_file(&demo.data_dir(), "demo");

    let server = serve(&world(1_201, 100)).await;
    let place = place(&server.url());
    let run = |arguments: &[&str]| tokio::task::block_in_place(|| place.run(arguments, SOON));
    succeeded(&run(&["--no-tui", "--until-caught-up"]));
    assert_one_file(&place.data_dir(), "--until-caught-up");
    run(&["check"]);
    assert_one_file(&place.data_dir(), "check");
}

/// Row 12: after a signal.
#[tokio::test(flavor = "multi_thread")]
async fn when_it_is_told_to_end() {
    let server = serve(&world(1_202, 100)).await;
    let place = place(&server.url());
    for signal in ["TERM", "INT"] {
        let running = place.start(&["--no-tui"]);
        let before = place.count("trades");
        until(SOON, "rows arrive", || place.count("trades") > before + 100);
        running.signal(signal);
        succeeded(&running.wait(SOON));
        assert_one_file(&place.data_dir(), signal);
    }
}

/// Row 12: from the screen.
#[test]
fn when_the_screen_is_left() {
    let place = Workplace::new("");
    let mut rig = Rig::demo(&place, &[]);
    rig.shows("1 Stages");
    until(SOON, "rows arrive", || place.count("trades") > 100);
    rig.press("q");
    rig.shows("Leave?");
    rig.press("\r");
    assert_eq!(rig.wait(), Ok(0));
    assert_one_file(&place.data_dir(), "q");
}

/// Row 12: a store that runs is copied by SQLite itself, as README says.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_runs_is_copied_by_sqlite() {
    let server = serve(&world(1_203, 100)).await;
    let place = place(&server.url());
    let running = place.start(&["--no-tui"]);
    until(SOON, "rows arrive", || place.count("trades") > 100);
    let copy = place.data_dir().join("copy.db");
    place.store().unwrap().execute("VACUUM INTO ?", [copy.to_str().unwrap()]).unwrap();
    let copy = Connection::open(copy).unwrap();
    let [trades, told] = ["SELECT count(*) FROM trades", "SELECT rows FROM row_counts WHERE name = 'trades'"]
        .map(|sql| copy.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap());
    assert!(trades > 100 && trades == told, "{trades} rows, and {told} are on record: one moment");
    let fit: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(fit, "ok");
    until(SOON, "it goes on", || place.count("trades") > trades + 100);
    running.terminate();
    succeeded(&tokio::task::block_in_place(|| running.wait(SOON)));
}
