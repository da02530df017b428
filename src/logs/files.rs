//! The files of a log directory: `polytape.2026-11-25.jsonl`, one a day.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub(super) const PREFIX: &str = "polytape";
pub(super) const SUFFIX: &str = "jsonl";

/// The files of the log in a directory, oldest first. What else is there is none of ours.
pub fn files_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn is_ours(name: &str) -> bool {
    let date = name
        .strip_prefix(PREFIX)
        .and_then(|name| name.strip_prefix('.'))
        .and_then(|name| name.strip_suffix(SUFFIX))
        .and_then(|name| name.strip_suffix('.'));
    date.is_some_and(|date| date.len() == 10 && date.parse::<Date>().is_ok())
}

/// The day of a time in unix milliseconds, in UTC.
pub(super) fn day(at: i64) -> Date {
    Timestamp::from_millisecond(at).unwrap_or_default().to_zoned(TimeZone::UTC).date()
}

/// The file of a day.
pub(super) fn file_of(directory: &Path, day: Date) -> PathBuf {
    directory.join(format!("{PREFIX}.{day}.{SUFFIX}"))
}

/// Removes all but the newest `keep` files, of which the one of `today` is one. What cannot be removed stays.
pub(super) fn prune(directory: &Path, keep: usize, today: Date) {
    let today = file_of(directory, today);
    let mut others = files_in(directory).unwrap_or_default();
    others.retain(|file| *file != today);
    let too_many = (others.len() + 1).saturating_sub(keep);
    others.iter().take(too_many).for_each(|file| {
        let _ = fs::remove_file(file);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use tempfile::TempDir;

    fn names(files: &[PathBuf]) -> Vec<&str> {
        files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect()
    }

    #[test]
    fn only_ours_are_found_and_removed() {
        let dir = TempDir::new().unwrap();
        let others = ["polytape.jsonl", "polytape.notes.jsonl", "polytape.2026-13-01.jsonl", "x.2026-01-01.jsonl"];
        for name in others {
            fs::write(dir.path().join(name), "").unwrap();
        }
        for day in [3, 1, 4, 2] {
            fs::write(file_of(dir.path(), date(2026, 12, day)), "").unwrap();
        }
        let ours = |days: &[u8]| days.iter().map(|day| format!("polytape.2026-12-0{day}.jsonl")).collect::<Vec<_>>();
        assert_eq!(names(&files_in(dir.path()).unwrap()), ours(&[1, 2, 3, 4]));
        prune(dir.path(), 3, date(2026, 12, 4));
        assert_eq!(names(&files_in(dir.path()).unwrap()), ours(&[2, 3, 4]));
        // A clock that was wrong does not cost the file that is written.
        prune(dir.path(), 1, date(2026, 12, 2));
        assert_eq!(names(&files_in(dir.path()).unwrap()), ours(&[2]));
        assert!(others.iter().all(|name| dir.path().join(name).exists()));
    }

    #[test]
    fn a_day_is_one_of_utc() {
        assert_eq!(day(1_795_574_207_123), date(2026, 11, 25));
        assert_eq!(day(86_399_999), date(1970, 1, 1));
        assert_eq!(day(86_400_000), date(1970, 1, 2));
    }
}
