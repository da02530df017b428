//! What the tests stand on: each release of an engine or a server is a cell, which was run or skipped.
//!
//! Whoever runs the tests names a directory by `POLYTAPE_CELLS`, to which every process adds a file with a line `ran CELL` or
//! `skipped CELL` for each cell that it met. A skip fails its test unless `POLYTAPE_ALLOW_SKIP=1`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// Notes that something runs on a cell.
pub fn ran(cell: &str) {
    note("ran", cell);
}

/// What a cell needs, where it can be had; else the test that asks is skipped.
pub fn have<T>(cell: &str, found: Result<T, String>) -> Option<T> {
    let allows_skips = std::env::var("POLYTAPE_ALLOW_SKIP").is_ok_and(|value| value == "1");
    match found {
        Ok(found) => {
            ran(cell);
            Some(found)
        }
        Err(why) => {
            skip(cell, &why, allows_skips);
            note("skipped", cell);
            None
        }
    }
}

fn skip(cell: &str, why: &str, is_allowed: bool) {
    assert!(is_allowed, "{cell} would be skipped, which is a failure without POLYTAPE_ALLOW_SKIP=1: {why}");
    println!("{cell}: skipped: {why}");
}

fn note(word: &str, cell: &str) {
    let Some(dir) = std::env::var_os("POLYTAPE_CELLS") else { return };
    let path = Path::new(&dir).join(std::process::id().to_string());
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    // In one write, since threads share the file.
    file.write_all(format!("{word} {cell}\n").as_bytes()).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(
        expected = "clickhouse-1.1 would be skipped, which is a failure without POLYTAPE_ALLOW_SKIP=1: no wheel"
    )]
    fn a_skip_is_a_failure() {
        skip("clickhouse-1.1", "no wheel", false);
    }

    #[test]
    fn a_skip_may_be_allowed() {
        skip("clickhouse-1.1", "no wheel", true);
    }
}
