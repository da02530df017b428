//! The environment as containers, shells and files `.env` bring it: understood, or told by the name of the variable and its line.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::{at_home, run};
use crate::support::process::{Ended, bare_command};

/// `config show` where a file `.env` holds this, in an environment of these variables.
fn shown(file: &str, set: &[(&str, &str)]) -> Ended {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join(".env"), file).unwrap();
    run(show(&place, set))
}

fn show(place: &TempDir, set: &[(&str, &str)]) -> Command {
    let mut command = at_home(bare_command(), place.path());
    for name in ["REDIS", "CLICKHOUSE"] {
        for part in ["HOST", "PORT", "PASSWORD", "DB", "USER", "DATABASE"] {
            command.env_remove(format!("{name}_{part}"));
        }
    }
    command.args(["config", "show"]).current_dir(place.path()).envs(set.iter().copied());
    command
}

#[test]
fn what_containers_bring_is_understood() {
    let redis = ("REDIS_PORT", "tcp://10.0.0.11:6380");
    let clickhouse = ("CLICKHOUSE_PORT", "tcp://10.0.0.12:8123");
    let more = [
        ("REDIS_SERVICE_HOST", "10.0.0.11"),
        ("REDIS_PORT_6380_TCP", "tcp://10.0.0.11:6380"),
        ("POLYTAPE_PORT", "tcp://10.0.0.9:9464"),
        ("POLYTAPE_REDIS_SERVICE_HOST", "10.0.0.9"),
    ];
    let both = [&[redis, clickhouse][..], &more].concat();
    let named = [&both[..], &[("REDIS_HOST", "r.example"), ("CLICKHOUSE_HOST", "c.example")]].concat();
    for (set, redis, clickhouse) in [
        (&both[..], Some("redis://10.0.0.11:6380"), Some("http://10.0.0.12:8123")),
        (&named[..], Some("redis://r.example:6379"), Some("http://c.example:8123")),
        (&[redis][..], None, None),
        (&more[..], None, None),
    ] {
        let ended = shown("", set);
        ended.succeeded();
        for (section, url) in [("[redis]", redis), ("[clickhouse]", clickhouse)] {
            assert_eq!(ended.stdout.contains(section), url.is_some(), "{set:?}: {}", ended.stdout);
            assert!(url.is_none_or(|url| ended.stdout.contains(url)), "{url:?}: {}", ended.stdout);
        }
    }
}

#[test]
fn a_file_may_hold_what_is_not_ours() {
    let file = "\u{feff}# a comment\r\nhello world\r\nSPRING: yes\nKEY='-----BEGIN\nREDIS-----'\nOPEN=\"\nexport REDIS_HOST = r.example # ours\r\n\
                CLICKHOUSE_HOST=c.example\nCLICKHOUSE_USER=\"t$APE\"\nPOLYTAPE_WRITER__MAX_ROWS=7\n";
    let ended = shown(file, &[]);
    ended.succeeded();
    for line in ["redis://r.example:6379", "http://c.example:8123", "user = \"t$APE\"", "max_rows = 7"] {
        assert!(ended.stdout.contains(line), "{line}: {}", ended.stdout);
    }
    // What the process was given goes before it, also before a line that cannot be read.
    let ended = shown("REDIS_HOST: x\nCLICKHOUSE_HOST=c", &[("REDIS_HOST", "mine")]);
    assert!(ended.stdout.contains("redis://mine:6379"), "{ended:?}");
    // A directory of this name is none.
    let place = TempDir::new().unwrap();
    fs::create_dir(place.path().join(".env")).unwrap();
    run(show(&place, &[])).succeeded();
}

#[test]
fn what_is_wrong_is_told_by_name_and_line() {
    let nothing: &[(&str, &str)] = &[];
    for (file, set, words) in [
        ("\nREDIS_HOST: r", nothing, &["REDIS_HOST in .env line 2: write it as NAME=value"][..]),
        ("REDIS_PASSWORD=\"hidden", nothing, &["REDIS_PASSWORD in .env line 1: its quote is not closed"]),
        (
            "REDIS_HOST=r\nREDIS_PORT=hid\nCLICKHOUSE_HOST=c",
            nothing,
            &["REDIS_PORT in .env line 2: \"hid\" is no port: write it as 6379 or tcp://host:6379"],
        ),
        (
            "POLYTAPE_WRITER__MAX_ROW=7",
            nothing,
            &["POLYTAPE_WRITER__MAX_ROW in .env line 1", "is POLYTAPE_WRITER__MAX_ROWS meant?"],
        ),
        ("REDIS_HOST=r", nothing, &["[redis] is configured and [clickhouse] is not"]),
        (
            "REDIS_HOST=r\nCLICKHOUSE_HOST=c",
            &[("CLICKHOUSE_PASSWORD", "hid\nden")],
            &["CLICKHOUSE_PASSWORD in the environment: holds a control character"],
        ),
        (
            "",
            &[("POLYTAPE_WRITER_MAX_ROWS", "7")],
            &["POLYTAPE_WRITER_MAX_ROWS in the environment", "is POLYTAPE_WRITER__MAX_ROWS meant?"],
        ),
        (
            "",
            &[("POLYTAPE_WRITER__LINGER", "30")],
            &["POLYTAPE_WRITER__LINGER in the environment: 30 is no duration, it lacks a unit"],
        ),
        (
            "",
            &[("POLYTAPE_CLICKHOUSE__URL", "tcp://c:9000")],
            &[
                "POLYTAPE_CLICKHOUSE__URL in the environment",
                "port 9000 is that of ClickHouse's native protocol",
                "http://host:8123",
            ],
        ),
    ] {
        let ended = shown(file, set);
        ended.failed_with(2, words);
        assert!(!ended.stderr.contains("hidden") && !ended.stderr.contains("hid\n"), "{}", ended.stderr);
    }
}
