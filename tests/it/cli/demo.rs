//! `--demo`: a world of its own, a store of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use polytape::demo::{World, WorldConfig};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{at_home, run};
use crate::support::process::{Ended, bare_command};
use crate::support::tables::{Difference, compare_trades};

const DEMO: [&str; 5] = ["--demo", "--fills", "500", "--until-caught-up", "--no-tui"];

fn demo(home: &Path) -> Command {
    let mut command = at_home(bare_command(), home);
    command.args(DEMO);
    command
}

fn difference(store: &Path, seed: u64) -> Difference {
    let world = World::new(WorldConfig { seed, fills: Some(500), ..WorldConfig::default() });
    let blocks = world.config().first_block..=world.last_fill_block().unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    compare_trades(&Connection::open(store).unwrap(), &world, blocks, world.head_at(i64::try_from(now).unwrap()))
}

#[track_caller]
fn assert_all_there(ended: &Ended, store: &Path, seed: u64) {
    ended.succeeded();
    assert!(ended.stdout.contains("500 trades"), "{}", ended.stdout);
    let difference = difference(store, seed);
    assert!(difference.is_none(), "{difference:#?}");
}

#[test]
fn ends_with_its_fills_in_the_tables_twice_in_a_row() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    for _ in 0..2 {
        let mut command = demo(home.path());
        command.arg("--data-dir").arg(&data);
        assert_all_there(&run(command), &data.join("polytape.db"), 42);
    }
}

#[test]
fn a_file_of_an_earlier_release_is_told_once_and_runs() {
    let home = TempDir::new().unwrap();
    let (data, file) = (home.path().join("data"), home.path().join("old.toml"));
    fs::write(&file, "[sources.fills]\nkind = \"polygon\"\n").unwrap();
    let mut command = demo(home.path());
    command.arg("--data-dir").arg(&data).arg("--config").arg(&file);
    let ended = run(command);
    assert_all_there(&ended, &data.join("polytape.db"), 42);
    let told = format!("{} line 2, sources.fills.kind: it is not needed any more", file.display());
    assert_eq!(ended.stderr.matches("sources.fills.kind").count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
}

#[test]
fn without_gamma_there_are_fills_and_no_markets() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("fills.toml");
    fs::write(&file, "[sources.gamma]\nenabled = false\n").unwrap();
    let mut command = demo(home.path());
    command.arg("--config").arg(&file);
    let ended = run(command);
    ended.succeeded();
    assert!(ended.stdout.contains("500 trades, 0 markets"), "{}", ended.stdout);
    let mut command = at_home(bare_command(), home.path());
    command.args(["--demo", "--fills", "500", "--no-tui", "--only", "ingest-markets", "--config"]).arg(&file);
    run(command).failed_with(2, &["sources.gamma.enabled: false, and ingest-markets reads markets"]);
}

#[test]
fn begins_anew_in_the_cache_of_its_user() {
    let home = TempDir::new().unwrap();
    let cache = home.path().join("elsewhere");
    let with_cache = |seed: &str| {
        let mut command = demo(home.path());
        command.env("XDG_CACHE_HOME", &cache).args(["--seed", seed]);
        command
    };
    let store = cache.join("polytape/demo/polytape.db");
    assert_all_there(&run(with_cache("42")), &store, 42);
    // Another seed is another world, which the store of the first one would refuse.
    assert_all_there(&run(with_cache("43")), &store, 43);
    let entries: Vec<PathBuf> = home.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries, [cache], "and nowhere else");
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_named_cache_uses_the_home_directory() {
    let home = TempDir::new().unwrap();
    assert_all_there(&run(demo(home.path())), &home.path().join(".cache/polytape/demo/polytape.db"), 42);
}

#[test]
fn in_a_store_that_was_named_wipes_nothing() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    let with_seed = |seed: &str| {
        let mut command = demo(home.path());
        command.arg("--data-dir").arg(&data).args(["--seed", seed]);
        command
    };
    assert_all_there(&run(with_seed("42")), &data.join("polytape.db"), 42);
    run(with_seed("43")).failed_with(1, &["this store holds chain:", "serves chain:", "--data-dir"]);
    assert!(difference(&data.join("polytape.db"), 42).is_none());
}
