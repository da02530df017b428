//! The log of a run: its files, and `polytape logs`, which prints them.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write, pipe};
use std::path::PathBuf;
use std::process::Stdio;

use polytape::flow::StageId;
use polytape::logs::{LogRecord, files_in};
use serde_json::Value;

use super::SOON;
use crate::support::outside;
use crate::support::process::{Ended, Workplace, until};

const DEMO: [&str; 5] = ["--demo", "--no-tui", "--fills", "500", "--until-caught-up"];

/// A place where a demo ran to its end, with every state of its stages in the log.
fn ran() -> Workplace {
    let place = Workplace::new("log.level = \"debug\"");
    place.run(&DEMO, SOON).succeeded();
    place
}

fn files(place: &Workplace) -> Vec<PathBuf> {
    files_in(&place.data_dir().join("logs")).unwrap()
}

/// All lines of the log, of which each is JSON.
fn lines(place: &Workplace) -> Vec<String> {
    let text: String = files(place).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    assert!(text.ends_with('\n'), "the last line is whole");
    text.lines().map(str::to_owned).collect()
}

/// Writes a file of an earlier day, so that there are two.
fn with_a_day_before(place: &Workplace, text: &str) {
    let old = files(place)[0].with_file_name("polytape.2020-01-02.jsonl");
    fs::write(old, text).unwrap();
}

fn logs(place: &Workplace, arguments: &[&str]) -> Ended {
    place.run(&[&["logs"][..], arguments].concat(), SOON)
}

/// What is printed, without the dates between the lines.
fn printed(place: &Workplace, arguments: &[&str]) -> Vec<String> {
    let ended = logs(place, arguments);
    ended.succeeded();
    assert_eq!(ended.stderr, "");
    ended.stdout.lines().filter(|line| line.parse::<jiff::civil::Date>().is_err()).map(str::to_owned).collect()
}

fn old_line(n: u32) -> String {
    format!(
        r#"{{"timestamp":"2020-01-02T03:04:05.{n:03}Z","level":"WARN","stage":"","target":"polytape","message":"old {n}","fields":{{"n":"{n}"}}}}"#
    )
}

#[test]
fn every_line_of_a_file_is_a_record_and_stages_are_named() {
    let place = ran();
    let mut stages = Vec::new();
    for line in lines(&place) {
        let value: Value = serde_json::from_str(&line).unwrap();
        assert!(value["stage"].is_string() && value["fields"].is_object(), "{line}");
        let record: LogRecord = serde_json::from_str(&line).unwrap();
        // A source says it without knowing for whom, on whatever thread.
        if ["polytape::stage::status", "polytape::source::gamma"].contains(&record.target.as_str()) {
            assert!(record.stage.is_some(), "{line}");
        }
        stages.extend(record.stage);
    }
    for stage in outside::stages() {
        assert!(stages.iter().any(|named| named == stage.as_str()), "{stage} says nothing");
    }
}

#[test]
fn stderr_has_the_lines_of_the_file() {
    let place = Workplace::new("");
    let ended = place.run(&DEMO, SOON);
    ended.succeeded();
    let (mut stderr, mut file) = (ended.stderr.lines().map(str::to_owned).collect::<Vec<_>>(), lines(&place));
    // Two lines of one moment may change places.
    stderr.sort();
    file.sort();
    assert_eq!(stderr, file);
}

#[test]
fn the_directory_and_the_files_are_as_configured() {
    let elsewhere = tempfile::TempDir::new().unwrap();
    let dir = elsewhere.path().join("a/b");
    let place = Workplace::new(&format!("log = {{ dir = {dir:?}, keep_files = 2 }}"));
    fs::create_dir_all(&dir).unwrap();
    for day in 1..=5 {
        fs::write(dir.join(format!("polytape.2020-01-0{day}.jsonl")), old_line(day) + "\n").unwrap();
    }
    place.run(&DEMO, SOON).succeeded();
    let files = files_in(&dir).unwrap();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(!place.data_dir().join("logs").exists());
    let shown = printed(&place, &[]);
    assert!(shown[0].ends_with("old 5 n=5") && shown.len() > 2, "{shown:?}");
}

/// Row 19: a day's log has a bound, the newest lines are kept, and it is said.
#[test]
fn a_day_has_a_bound_and_keeps_its_newest_lines() {
    let place = Workplace::new("log = { level = \"info\", max_bytes = \"1MiB\" }");
    let dir = place.data_dir().join("logs");
    fs::create_dir_all(&dir).unwrap();
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let before = vec![old_line(1); (512 << 10) / old_line(1).len() + 1].join("\n") + "\n";
    fs::write(dir.join(format!("polytape.{today}.jsonl")), &before).unwrap();
    place.run(&DEMO, SOON).succeeded();
    let files = files(&place);
    if !files[0].ends_with(format!("polytape.{today}.0.jsonl")) {
        // Midnight came: the next day has a file of its own.
        return;
    }
    assert_eq!(fs::read_to_string(&files[0]).unwrap(), before);
    let first = fs::read_to_string(&files[1]).unwrap().lines().next().unwrap().to_owned();
    assert!(first.contains("since log.max_bytes is 1.0 MiB"), "{first}");
    let shown = printed(&place, &["-n", "1000000"]);
    assert!(shown[0].ends_with("old 1 n=1") && !shown.last().unwrap().ends_with("old 1 n=1"), "{}", shown[0]);
}

#[test]
fn a_directory_that_cannot_be_used_is_told_and_the_run_goes_on() {
    let place = Workplace::new("log.dir = \"/dev/null/logs\"");
    let ended = place.run(&DEMO, SOON);
    ended.succeeded();
    assert!(ended.stderr.contains("cannot write the log in /dev/null/logs"), "{}", ended.stderr);
}

#[test]
fn prints_the_newest_lines_across_files() {
    let place = ran();
    let old: String = (1..=3).map(|n| old_line(n) + "\n").collect();
    with_a_day_before(&place, &format!("no JSON\n{old}"));
    let all = lines(&place);

    assert_eq!(printed(&place, &["--json", "-n", "1000000"]), all);
    assert_eq!(printed(&place, &["--json", "--lines", "3"]), all[all.len() - 3..]);
    let count = (all.len() - 1).to_string();
    let shown = logs(&place, &["-n", &count]);
    shown.succeeded();
    let begin = "2020-01-02\n03:04:05.001 WARN  polytape old 1 n=1\n";
    assert!(shown.stdout.starts_with(begin), "{}", shown.stdout);
    assert_eq!(shown.stdout.lines().filter(|line| line.parse::<jiff::civil::Date>().is_ok()).count(), 2);
    assert_eq!(printed(&place, &["-n", "1000000"])[0], "no JSON");
    assert_eq!(printed(&place, &["-n", "0"]), [""; 0]);
}

#[test]
fn prints_a_stage_or_a_level() {
    let place = ran();
    with_a_day_before(&place, &format!("{}\n", old_line(1)));
    let of_stage = printed(&place, &["--stage", "write-trades"]);
    assert!(!of_stage.is_empty() && of_stage.iter().all(|line| line.contains(" write-trades ")), "{of_stage:?}");
    let records = printed(&place, &["--stage", "ingest-fills", "--level", "info", "--json"]);
    assert!(records.iter().any(|line| line.contains("first run")), "{records:?}");
    for line in records {
        let record: LogRecord = serde_json::from_str(&line).unwrap();
        assert_eq!(record.stage.as_deref(), Some("ingest-fills"));
        assert!(record.level <= tracing::Level::INFO);
    }
    assert!(printed(&place, &["--level", "WARN"]).iter().any(|line| line.contains("old 1")));
}

#[test]
fn follows_over_rotation() {
    let place = ran();
    let now = files(&place).pop().unwrap();
    let running = place.start(&["logs", "--follow", "-n", "0", "--json"]);
    let append = |path: &PathBuf, text: &str| {
        OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    };
    // It has begun when it shows what comes; until then nobody knows which lines are the newest.
    until(SOON, "it follows", || {
        append(&now, "begun\n");
        running.stdout().contains("begun\n")
    });
    append(&now, "half of ");
    append(&now, "a line\n");
    append(&now.with_file_name("polytape.2999-01-01.jsonl"), &format!("{}\n", old_line(7)));
    until(SOON, "the lines arrive", || running.stdout().ends_with(&format!("\nhalf of a line\n{}\n", old_line(7))));
}

#[test]
fn a_reader_may_go_away() {
    let place = ran();
    for arguments in [&["logs", "-n", "1000000"][..], &["logs", "--follow", "--stage", "resolver"]] {
        let (reader, writer) = pipe().unwrap();
        let mut command = place.command(arguments);
        let mut child = command.stdout(writer).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // The command holds a writer, too.
        drop(command);
        let mut line = String::new();
        BufReader::new(reader).read_line(&mut line).unwrap();
        until(SOON, "it ends", || child.try_wait().unwrap().is_some());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
    }
}

#[test]
fn says_what_is_wrong() {
    let place = Workplace::new("");
    for arguments in [&[][..], &["--follow"]] {
        let ended = logs(&place, arguments);
        ended.failed_with(1, &["there is no log in", "data/logs", "--data-dir"]);
        assert_eq!((ended.stderr.lines().count(), ended.stdout.as_str()), (1, ""));
    }
    let ended = logs(&place, &["--stage", "ingest-rumours"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for stage in StageId::ALL {
        assert!(ended.stderr.contains(stage.as_str()), "{}", ended.stderr);
    }
}
