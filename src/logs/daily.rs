//! The file that is written: rotated at midnight in UTC, whole lines, no more files than are wanted.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::Date;
use tracing_appender::rolling::{RollingFileAppender, Rotation};

use super::files::{PREFIX, SUFFIX, day, file_of, prune};
use crate::clock::unix_ms;

/// Writes lines, each with its end, to the file of the day.
///
/// The appender's own `max_log_files` is not used: it removes by the time of creation whatever begins and ends like our
/// names, and at a start the file of today, too, where one is to be kept.
pub(super) struct DailyFile {
    appender: RollingFileAppender,
    directory: PathBuf,
    keep: usize,
    day: Date,
    /// The file does not end with the end of a line: a disk was full, or the machine stopped.
    torn: bool,
    failed: Arc<AtomicU64>,
}

impl DailyFile {
    /// Opens the file of today, in a directory that is made where there is none. Lines that cannot be written count as
    /// failed.
    pub(super) fn open(directory: &Path, keep: usize, failed: Arc<AtomicU64>) -> io::Result<Self> {
        let day = day(unix_ms());
        std::fs::create_dir_all(directory)?;
        let path = file_of(directory, day);
        let torn = is_torn(OpenOptions::new().create(true).read(true).append(true).open(path)?)?;
        let appender = RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix(PREFIX)
            .filename_suffix(SUFFIX)
            .build(directory)
            .map_err(io::Error::other)?;
        prune(directory, keep, day);
        Ok(Self { appender, directory: directory.to_owned(), keep, day, torn, failed })
    }

    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.appender.write_all(b"\n")?;
            self.torn = false;
        }
        // One write where the disk is not full: who reads meanwhile sees whole lines.
        self.appender.write_all(line).inspect_err(|_| self.torn = true)
    }
}

impl Write for DailyFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_line(line).inspect_err(|_| {
            self.failed.fetch_add(1, Ordering::Relaxed);
        })?;
        let today = day(unix_ms());
        if today != self.day {
            self.day = today;
            prune(&self.directory, self.keep, today);
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
        DailyFile::open(dir.path(), keep, Arc::default()).unwrap()
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

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_costs_lines_that_are_counted() {
        let dir = TempDir::new().unwrap();
        std::os::unix::fs::symlink("/dev/full", file_of(dir.path(), day(unix_ms()))).unwrap();
        let failed = Arc::new(AtomicU64::new(0));
        let mut file = DailyFile::open(dir.path(), 1, Arc::clone(&failed)).unwrap();
        for _ in 0..2 {
            assert!(file.write_all(b"line\n").is_err());
        }
        assert_eq!(failed.load(Ordering::Relaxed), 2);
    }
}
