//! The data directory: who may use it, and what it may hold.

use std::fs;

use polytape::demo::WorldConfig;
use tempfile::TempDir;

use super::{SOON, UNTIL_CAUGHT_UP, place, run, serve, world};
use crate::support::process::{Workplace, bare_command, until};
use crate::support::tables::compare_fills;

#[test]
fn a_data_directory_that_cannot_be_used_is_told_by_check_and_run_alike() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    fs::create_dir_all(dir.path().join("odd/polytape.db")).unwrap();
    let at = |name: &str| dir.path().join(name);
    for (path, why) in [
        (at("file"), "it is a file, not a directory"),
        (at("file/below/it"), "/file is a file, not a directory"),
        (at("odd"), "/odd/polytape.db is there and no file"),
        (at(&"x".repeat(300)), "its name is too long"),
        ("/proc/polytape".into(), "nothing can be made in /proc"),
    ] {
        let ended = {
            let mut command = bare_command();
            command.args(UNTIL_CAUGHT_UP).arg("--data-dir").arg(&path);
            run(command)
        };
        let words = ["cannot use the data directory", path.to_str().unwrap(), why, "choose another with --data-dir"];
        ended.failed_with(1, &words);
        let complaint = ended.stderr.lines().last().unwrap().strip_prefix("polytape: ").unwrap();
        for (section, thing) in
            [("", "store   "), ("[redis]\nurl = \"127.0.0.1:1\"\n[clickhouse]\nurl = \"127.0.0.1:1\"", "data-dir")]
        {
            let nobody = "http://127.0.0.1:1";
            let place = Workplace::new(&format!(
                "sources.polygon.urls = [\"{nobody}\"]\nsources.gamma.url = \"{nobody}\"\nsources.data_api.url = \"{nobody}\"\n{section}"
            ));
            let mut command = bare_command();
            let config = place.data_dir().with_file_name("config.toml");
            command.args(["check", "--config"]).arg(config).arg("--data-dir").arg(&path);
            let found = run(command);
            assert!(found.stdout.contains(&format!("FAIL  {thing}  {complaint}")), "{complaint}: {}", found.stdout);
        }
    }
    let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["file", "odd"], "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused_and_the_first_goes_on() {
    let server = serve(&world(1, 10)).await;
    let place = place(&server.url());
    let mut first = place.start(&["--no-tui"]);
    until(SOON, "the first process writes", || place.count("trades") > 0);

    run(place.command(&["--no-tui"])).failed_with(1, &[&format!("pid {}", first.id()), "--data-dir"]);

    let rows = place.count("trades");
    until(SOON, "the first process goes on", || place.count("trades") > rows);
    assert!(first.ended().is_none());
    first.kill();
    let third = place.start(&["--no-tui"]);
    let rows = place.count("trades");
    until(SOON, "a killed process holds nothing", || place.count("trades") > rows);
    third.terminate();
    third.wait(SOON).succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_another_world_is_refused_and_not_touched() {
    let (ours, other) = (world(1, 10), world(2, 10));
    let (ours, other) = (serve(&ours).await, serve(&other).await);
    let place = place(&ours.url());
    ours.freeze_at(ours.head());
    run(place.command(&UNTIL_CAUGHT_UP)).succeeded();

    let mut command = place.command(&UNTIL_CAUGHT_UP);
    command.env("POLYTAPE_SOURCES__POLYGON__URLS", other.url());
    let names = [&ours, &other].map(|server| format!("chain:{}", server.world().chain_id()));
    run(command).failed_with(1, &[&names[0], &names[1], "--data-dir"]);

    let blocks = WorldConfig::default().first_block..=ours.world().finalized(ours.head());
    let difference = compare_fills(&place.store().unwrap(), ours.world(), blocks);
    assert!(difference.is_none(), "{difference:#?}");
}

#[test]
fn a_file_that_is_no_store_is_told_and_kept() {
    let place = Workplace::new("");
    let file = place.data_dir().join("polytape.db");
    let bytes = "Dear diary, today I saw a database. ".repeat(1_000);
    fs::create_dir(place.data_dir()).unwrap();
    fs::write(&file, &bytes).unwrap();
    run(place.command(&UNTIL_CAUGHT_UP)).failed_with(1, &["polytape.db", "not a database"]);
    assert_eq!(fs::read_to_string(file).unwrap(), bytes);
}
