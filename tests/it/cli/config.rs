//! Usage and configuration: exit code 2, and a line that names the key.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use tempfile::TempDir;

use super::{UNTIL_CAUGHT_UP, at_home, place, run, serve, world};
use crate::support::process::{Workplace, bare_command};

#[test]
fn what_is_wrong_in_the_file_is_told_with_its_line() {
    let cases = [
        ("[writer]\nmax_row = 5", ["config.toml line 2, max_row: ", "is max_rows meant?"]),
        ("[wrtier]\nmax_rows = 5", ["line 1, [wrtier]: ", "is [writer] meant?"]),
        ("[gamma]\nscan = \"all\"", ["line 1, [gamma]: ", "is [sources.gamma] meant?"]),
        ("[streams]\nmax_rows = 5", ["line 2, max_rows: ", "it belongs under [writer]"]),
        (
            "[writer]\nmax_rows = \"many\"",
            ["line 2, max_rows: \"many\" is no whole number", "1 to 1000000 rows are expected"],
        ),
        ("[writer]\nlinger = \"30\"", ["line 2, linger: \"30\" is no duration, it lacks a unit", "\"10s\""]),
        ("[writer]\nmax_bytes = \"5 sacks\"", ["line 2, max_bytes: \"5 sacks\" is no size", "\"32MiB\""]),
        ("[pipeline]\nstart = 51866068", ["line 2, start: 51866068 is no start", "\"51866068\""]),
        ("[log]\nlevel = debug", ["line 2, level: ", "a text stands in quotes"]),
        ("[log]\nlevel = \"info\"\nlevel = \"warn\"", ["line 3, level: ", "on line 2 already"]),
        ("[pipeline\n", ["config.toml line 1: ", "the bracket of a section is not closed"]),
    ];
    for (config, words) in cases {
        let place = Workplace::new(config);
        run(place.command(&UNTIL_CAUGHT_UP)).failed_with(2, &words);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let dir = TempDir::new().unwrap();
    let (absent, binary) = (dir.path().join("absent.toml"), dir.path().join("binary.toml"));
    fs::write(&binary, b"\xff\xfe\x00").unwrap();
    for (path, why) in [
        (absent.as_path(), "it is not there; polytape config init writes one"),
        (binary.as_path(), "it is not text (UTF-8)"),
        (dir.path(), "it is a directory"),
    ] {
        let mut command = bare_command();
        command.arg("--config").arg(path).args(UNTIL_CAUGHT_UP);
        run(command).failed_with(2, &["cannot read the config file", path.to_str().unwrap(), why]);
    }
}

#[test]
fn what_is_wrong_in_the_environment_is_told() {
    for (name, value) in [
        ("POLYTAPE_WRITER__MAX_ROWS", "many"),
        ("POLYTAPE_WRITER__MAX_ROW", "5"),
        ("POLYTAPE_WRTIER__MAX_ROWS", "5"),
        ("POLYTAPE_SOURCES__POLYGON__URLS", "ftp://127.0.0.1"),
    ] {
        let place = Workplace::new("");
        let mut command = place.command(&UNTIL_CAUGHT_UP);
        command.env(name, value);
        run(command).failed_with(2, &[name, "in the environment"]);
    }
}

/// The environment is everybody's; only what is ours has to make sense.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_variable_that_is_not_text_is_nobodys_business() {
    let server = serve(&world(1, 10)).await;
    let place = place(&server.url());
    let mut command = place.command(&UNTIL_CAUGHT_UP);
    command.env("SOMEBODY_ELSES", OsStr::from_bytes(b"\xff\xfe"));
    run(command).succeeded();
}

#[test]
fn one_of_ours_that_is_not_text_is_told() {
    let place = Workplace::new("");
    let mut command = place.command(&UNTIL_CAUGHT_UP);
    command.env("POLYTAPE_LOG__LEVEL", OsStr::from_bytes(b"\xff\xfe"));
    run(command).failed_with(2, &["POLYTAPE_LOG__LEVEL"]);
}

#[test]
fn flags_that_make_no_sense_are_told() {
    for (flags, word) in [
        (&["--what"][..], "--what"),
        (&["walk"], "walk"),
        (&["--fills", "5"], "--demo"),
        (&["--until-caught-up", "--timeout", "soon"], "soon"),
    ] {
        let mut command = bare_command();
        command.args(flags);
        let ended = run(command);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(word) && !ended.stderr.contains("panicked"), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn help_and_version_are_answers() {
    let home = TempDir::new().unwrap();
    for (flag, words) in [("--help", "--until-caught-up"), ("--version", env!("CARGO_PKG_VERSION"))] {
        let mut command = at_home(bare_command(), home.path());
        command.arg(flag);
        let ended = run(command);
        ended.succeeded();
        assert!(ended.stdout.contains(words) && ended.stderr.is_empty(), "{ended:?}");
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "they leave nothing behind");
}
