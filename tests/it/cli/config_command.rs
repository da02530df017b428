//! `polytape config show` and `polytape config init`.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{at_home, run};
use crate::support::process::bare_command;

fn config(home: &Path, arguments: &[&str]) -> Command {
    let mut command = at_home(bare_command(), home);
    command.arg("config").args(arguments);
    command
}

#[test]
fn what_init_writes_is_what_show_shows() {
    let home = TempDir::new().unwrap();
    let ended = run(config(home.path(), &["show"]));
    ended.succeeded();
    assert!(ended.stdout.starts_with("# no file: all of it is default"), "{}", ended.stdout);
    let defaults = ended.stdout.split_once("\n\n").unwrap().1.to_owned();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "it only looks");

    let ended = run(config(home.path(), &["init"]));
    ended.succeeded();
    let path = home.path().join(".config/polytape/config.toml");
    assert_eq!(ended.stdout, format!("wrote {}\n", path.display()));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("[sources.gamma]") && text.contains("# "), "{text}");

    let ended = run(config(home.path(), &["show"]));
    assert!(ended.stdout.starts_with(&format!("# {}, and POLYTAPE_*", path.display())), "{}", ended.stdout);
    assert!(ended.stdout.ends_with(&defaults), "{}", ended.stdout);
}

#[test]
fn init_replaces_nothing_unless_it_is_told_to() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("mine.toml");
    let file = path.to_str().unwrap();
    fs::write(&path, "[log]\nlevel = \"warn\"\n").unwrap();
    run(config(home.path(), &["init", "--config", file])).failed_with(1, &[file, "is there already", "--force"]);
    assert!(fs::read_to_string(&path).unwrap().starts_with("[log]"));
    run(config(home.path(), &["init", "--config", file, "--force"])).succeeded();
    assert!(fs::read_to_string(&path).unwrap().contains("[writer]"));
    run(config(home.path(), &["init", "--config", "/proc/nowhere/c.toml"]))
        .failed_with(1, &["cannot write /proc/nowhere"]);
}

#[test]
fn show_says_what_is_in_force_and_no_keys() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("mine.toml");
    fs::write(&path, "[sources.gamma]\nurl = \"https://user:SECRET1@g.example/SECRET2\"\n[log]\nlevel = \"warn\"\n")
        .unwrap();
    let mut command = config(home.path(), &["show", "--config", path.to_str().unwrap()]);
    command.env("POLYTAPE_LOG__LEVEL", "debug").env("POLYTAPE_SOURCES__GAMMA__SCAN", "all");
    command.env("POLYTAPE_SOURCES__POLYGON__URLS", "https://node.example/v2/SECRET3");
    let ended = run(command);
    ended.succeeded();
    for line in ["level = \"debug\"", "scan = \"all\"", "url = \"https://…@g.example/…\"", "\"https://node.example/…\""]
    {
        assert!(ended.stdout.contains(line), "{line} is not in {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("SECRET"), "{}", ended.stdout);

    fs::write(&path, "[log]\nlevel = \"loud\"\n").unwrap();
    run(config(home.path(), &["show", "--config", path.to_str().unwrap()])).failed_with(2, &["line 2", "level"]);
}
