//! The file that is written: rotated at midnight in UTC, whole lines, no more files than are wanted, and no day larger than
//! it may be.
//!
//! A day has two halves. Where the file of the day has half of what a day may have, it becomes the earlier half, in place of
//! the one before: the newest lines are there, whatever fills the log, and the days before are left alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytesize::ByteSize;
use jiff::civil::Date;
use tracing::Level;
use tracing_appender::rolling::{RollingFileAppender, Rotation};

use super::files::{PREFIX, SUFFIX, day, earlier_file_of, file_of, prune};
use super::record::LogRecord;
use crate::clock::unix_ms;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Days.
    pub days: usize,
    /// Bytes of one of them.
    pub day_bytes: u64,
}

/// Writes lines, each with its end, to the file of the day.
///
/// The appender's own `max_log_files` is not used: it removes by the time of creation whatever begins and ends like our
/// names, and at a start the file of today, too, where one is to be kept.
pub(super) struct DailyFile {
    appender: RollingFileAppender,
    directory: PathBuf,
    bounds: Bounds,
    day: Date,
    /// Bytes of the file.
    written: u64,
    /// The file does not end with the end of a line: a disk was full, or the machine stopped.
    torn: bool,
    failed: Arc<AtomicU64>,
}

impl DailyFile {
    /// Opens the file of today, in a directory that is made where there is none. Lines that cannot be written count as
    /// failed.
    pub(super) fn open(directory: &Path, bounds: Bounds, failed: Arc<AtomicU64>) -> io::Result<Self> {
        let day = day(unix_ms());
        std::fs::create_dir_all(directory)?;
        let path = file_of(directory, day);
        let file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let written = file.metadata()?.len();
        let torn = is_torn(file)?;
        let appender = appender(directory)?;
        prune(directory, bounds.days, day);
        Ok(Self { appender, directory: directory.to_owned(), bounds, day, written, torn, failed })
    }

    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.appender.write_all(b"\n")?;
            self.torn = false;
        }
        self.written += line.len() as u64;
        // One write where the disk is not full: who reads meanwhile sees whole lines.
        self.appender.write_all(line).inspect_err(|_| self.torn = true)
    }

    /// Makes the file of the day the earlier half of the day, and begins another, which says so.
    fn halve(&mut self) -> io::Result<()> {
        let earlier = earlier_file_of(&self.directory, self.day);
        std::fs::rename(file_of(&self.directory, self.day), &earlier)?;
        self.appender = appender(&self.directory)?;
        (self.written, self.torn) = (0, false);
        let (earlier, most) = (earlier.display(), ByteSize::b(self.bounds.day_bytes));
        let record = LogRecord {
            at: unix_ms(),
            level: Level::WARN,
            stage: None,
            target: module_path!().into(),
            message: format!(
                "much is logged: what was before is in {earlier}, and what was there is gone, since log.max_bytes is {most}"
            ),
            fields: Vec::new(),
        };
        self.write_line(record.json_line().as_bytes())
    }
}

fn appender(directory: &Path) -> io::Result<RollingFileAppender> {
    let builder = RollingFileAppender::builder().rotation(Rotation::DAILY);
    builder.filename_prefix(PREFIX).filename_suffix(SUFFIX).build(directory).map_err(io::Error::other)
}

impl Write for DailyFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Where it cannot be halved it grows, and the next line tries again.
        if self.written >= self.bounds.day_bytes / 2 && day(unix_ms()) == self.day {
            let _ = self.halve();
        }
        self.write_line(line).inspect_err(|_| {
            self.failed.fetch_add(1, Ordering::Relaxed);
        })?;
        let today = day(unix_ms());
        if today != self.day {
            self.day = today;
            // The line that was the first of its day is in the new file.
            self.written = line.len() as u64;
            prune(&self.directory, self.bounds.days, today);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.appender.flush()
    }
}

fn is_torn(mut file: File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::super::files_in;
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    fn open(dir: &TempDir, keep: usize) -> DailyFile {
        DailyFile::open(dir.path(), Bounds { days: keep, day_bytes: 1 << 30 }, Arc::default()).unwrap()
    }

    fn content(dir: &TempDir) -> String {
        fs::read_to_string(files_in(dir.path()).unwrap().last().unwrap()).unwrap()
    }

    #[test]
    fn goes_on_where_it_was_and_mends_a_torn_line() {
        let dir = TempDir::new().unwrap();
        open(&dir, 1).write_all(b"one\ntw").unwrap();
        open(&dir, 1).write_all(b"three\n").unwrap();
        open(&dir, 1).write_all(b"four\n").unwrap();
        assert_eq!(content(&dir), "one\ntw\nthree\nfour\n");
        assert_eq!(files_in(dir.path()).unwrap().len(), 1);
    }

    #[test]
    fn old_files_go_at_the_start_and_with_the_day() {
        let dir = TempDir::new().unwrap();
        let old = |day: i8| fs::write(file_of(dir.path(), jiff::civil::date(2020, 1, day)), "old\n").unwrap();
        (1..=9).for_each(old);
        let mut file = open(&dir, 3);
        assert_eq!(files_in(dir.path()).unwrap().len(), 3);
        (1..=9).for_each(old);
        file.write_all(b"a\n").unwrap();
        assert_eq!(files_in(dir.path()).unwrap().len(), 10, "once a day");
        file.day = jiff::civil::date(2020, 1, 9);
        file.write_all(b"b\n").unwrap();
        assert_eq!(files_in(dir.path()).unwrap().len(), 3);
        assert_eq!(content(&dir), "a\nb\n");
    }

    #[test]
    fn a_day_is_bounded_and_its_newest_lines_are_kept() {
        let dir = TempDir::new().unwrap();
        let bounds = Bounds { days: 2, day_bytes: 8_000 };
        let line = |n: u32| format!("{n:099}\n");
        for part in 0..4 {
            // It goes on where an earlier process was.
            let mut file = DailyFile::open(dir.path(), bounds, Arc::default()).unwrap();
            (part * 50..(part + 1) * 50).for_each(|n| file.write_all(line(n).as_bytes()).unwrap());
            let all: u64 = files_in(dir.path()).unwrap().iter().map(|file| file.metadata().unwrap().len()).sum();
            assert!(all < bounds.day_bytes + 1_000, "{all}");
        }
        let files = files_in(dir.path()).unwrap();
        assert_eq!(files.len(), 2);
        let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        let said = text.lines().filter(|line| line.contains("log.max_bytes is 7.8 KiB")).count();
        assert_eq!(said, 2, "each half that is not the first says why");
        let kept: Vec<&str> = text.lines().filter(|line| line.starts_with('0')).collect();
        let first: u32 = kept[0].parse().unwrap();
        assert!((120..160).contains(&first), "{first}");
        assert!(kept.iter().zip(first..).all(|(kept, n)| kept.parse() == Ok(n)) && kept.len() as u32 == 200 - first);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_costs_lines_that_are_counted() {
        let dir = TempDir::new().unwrap();
        std::os::unix::fs::symlink("/dev/full", file_of(dir.path(), day(unix_ms()))).unwrap();
        let failed = Arc::new(AtomicU64::new(0));
        let mut file =
            DailyFile::open(dir.path(), Bounds { days: 1, day_bytes: 1 << 30 }, Arc::clone(&failed)).unwrap();
        for _ in 0..2 {
            assert!(file.write_all(b"line\n").is_err());
        }
        assert_eq!(failed.load(Ordering::Relaxed), 2);
    }
}
