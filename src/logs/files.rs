//! The files of a log directory: `polytape.2026-11-25.jsonl`, one a day, and where a day has more than one may hold,
//! `polytape.2026-11-25.0.jsonl` with what was before.

use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

pub(super) const PREFIX: &str = "polytape";
pub(super) const SUFFIX: &str = "jsonl";

/// Behind the date of the earlier part of a day. Sorted by name it stands before the later one.
const EARLIER: &str = ".0";

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
    day_of(name).is_some()
}

/// The day of a file of the log, by its name.
fn day_of(name: &str) -> Option<Date> {
    let date = name
        .strip_prefix(PREFIX)
        .and_then(|name| name.strip_prefix('.'))
        .and_then(|name| name.strip_suffix(SUFFIX))
        .and_then(|name| name.strip_suffix('.'))
        .map(|date| date.strip_suffix(EARLIER).unwrap_or(date));
    date.filter(|date| date.len() == 10)?.parse().ok()
}

/// The day of a time in unix milliseconds, in UTC.
pub(super) fn day(at: i64) -> Date {
    Timestamp::from_millisecond(at).unwrap_or_default().to_zoned(TimeZone::UTC).date()
}

/// The file of a day.
pub(super) fn file_of(directory: &Path, day: Date) -> PathBuf {
    directory.join(format!("{PREFIX}.{day}.{SUFFIX}"))
}

/// The file of the earlier part of a day.
pub(super) fn earlier_file_of(directory: &Path, day: Date) -> PathBuf {
    directory.join(format!("{PREFIX}.{day}{EARLIER}.{SUFFIX}"))
}

/// Removes the files of all but the newest `keep` days, of which `today` is one. What cannot be removed stays.
pub(super) fn prune(directory: &Path, keep: usize, today: Date) {
    let of_file = |file: &PathBuf| file.file_name().and_then(|name| name.to_str()).and_then(day_of);
    let files = files_in(directory).unwrap_or_default();
    let mut days: Vec<Date> = files.iter().filter_map(of_file).filter(|day| *day != today).collect();
    days.dedup();
    days.truncate((days.len() + 1).saturating_sub(keep));
    files.iter().filter(|file| of_file(file).is_some_and(|day| days.contains(&day))).for_each(|file| {
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
        let earlier = earlier_file_of(dir.path(), date(2026, 12, 4));
        fs::write(&earlier, "").unwrap();
        prune(dir.path(), 3, date(2026, 12, 4));
        assert_eq!(names(&files_in(dir.path()).unwrap()).len(), 4, "two of a day count as one");
        assert_eq!(files_in(dir.path()).unwrap()[2], earlier);
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
