//! Goes on with a log where its tail ended, over rotation, as `tail -F` does.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::stop::Stop;
use crate::logs::files_in;

/// Bytes that are read at once.
const BLOCK: usize = 64 << 10;

/// Takes a line without its end.
type Take<'a> = dyn FnMut(Vec<u8>) -> Result<(), Stop> + 'a;

/// A log, and how far it has been read.
pub(super) struct Follower {
    directory: PathBuf,
    /// The file that is read next, if the log has one, and where.
    begin: Option<(PathBuf, u64)>,
    current: Option<Current>,
}

/// The file that is being read.
struct Current {
    path: PathBuf,
    file: File,
    read: u64,
    /// The beginning of a line that has no end yet.
    partial: Vec<u8>,
}

impl Follower {
    /// Begins in a file, or with the first one that comes.
    pub(super) fn new(directory: PathBuf, begin: Option<(PathBuf, u64)>) -> Self {
        Self { directory, begin, current: None }
    }

    /// Takes all whole lines that there are.
    pub(super) fn advance(&mut self, take: &mut Take<'_>) -> Result<(), Stop> {
        if let Some((path, at)) = self.begin.take() {
            self.current = Current::open(path, at).map_err(Stop::Reading)?;
        }
        loop {
            if let Some(current) = &mut self.current {
                current.advance(take)?;
            }
            let Some(next) = self.next() else { return Ok(()) };
            let next = Current::open(next, 0).map_err(Stop::Reading)?;
            if let Some(mut done) = self.current.take() {
                // Nobody writes to it any more, now that there is another.
                done.advance(take)?;
                done.finish(take)?;
            }
            if next.is_none() {
                return Ok(());
            }
            self.current = next;
        }
    }

    /// The file that comes behind the current one. A directory that is gone may come back.
    fn next(&self) -> Option<PathBuf> {
        let files = files_in(&self.directory).unwrap_or_default();
        let Some(current) = &self.current else { return files.into_iter().next() };
        if current.is_replaced() {
            return Some(current.path.clone());
        }
        files.into_iter().find(|file| *file > current.path)
    }
}

impl Current {
    /// Opens a file, unless it is gone.
    fn open(path: PathBuf, at: u64) -> io::Result<Option<Self>> {
        let mut file = match File::open(&path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        file.seek(SeekFrom::Start(at))?;
        Ok(Some(Self { path, file, read: at, partial: Vec::new() }))
    }

    fn advance(&mut self, take: &mut Take<'_>) -> Result<(), Stop> {
        if self.file.metadata().map_err(Stop::Reading)?.len() < self.read {
            // It was emptied.
            self.file.rewind().map_err(Stop::Reading)?;
            (self.read, self.partial) = (0, Vec::new());
        }
        let mut block = vec![0; BLOCK];
        loop {
            let length = self.file.read(&mut block).map_err(Stop::Reading)?;
            if length == 0 {
                return Ok(());
            }
            self.read += length as u64;
            for piece in block[..length].split_inclusive(|byte| *byte == b'\n') {
                self.partial.extend_from_slice(piece);
                if self.partial.pop_if(|byte| *byte == b'\n').is_some() {
                    take(std::mem::take(&mut self.partial))?;
                }
            }
        }
    }

    /// A line whose end will not come is one as it is.
    fn finish(self, take: &mut Take<'_>) -> Result<(), Stop> {
        if self.partial.is_empty() { Ok(()) } else { take(self.partial) }
    }

    /// Whether another file has its name.
    fn is_replaced(&self) -> bool {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let of_name = |path: &Path| fs::metadata(path).ok().map(identity);
        of_name(&self.path).is_some_and(|named| self.file.metadata().ok().map(identity) != Some(named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use tempfile::TempDir;

    struct Log {
        dir: TempDir,
        follower: Follower,
    }

    impl Log {
        fn new(begin: Option<(&str, u64)>, content: &str) -> Self {
            let dir = TempDir::new().unwrap();
            let begin = begin.map(|(name, at)| (dir.path().join(name), at));
            if let Some((path, _)) = &begin {
                fs::write(path, content).unwrap();
            }
            Self { follower: Follower::new(dir.path().to_owned(), begin), dir }
        }

        fn append(&self, name: &str, text: &str) {
            let mut how = fs::OpenOptions::new();
            let mut file = how.create(true).append(true).open(self.dir.path().join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn lines(&mut self) -> String {
            let mut lines = Vec::new();
            let taken = self.follower.advance(&mut |line| {
                lines.push(String::from_utf8(line).unwrap());
                Ok(())
            });
            assert!(taken.is_ok());
            lines.join(" ")
        }
    }

    const FIRST: &str = "polytape.2026-11-25.jsonl";
    const SECOND: &str = "polytape.2026-11-26.jsonl";
    const THIRD: &str = "polytape.2026-11-27.jsonl";

    #[test]
    fn goes_on_with_whole_lines() {
        let mut log = Log::new(Some((FIRST, 4)), "old\npar");
        assert_eq!(log.lines(), "");
        log.append(FIRST, "tial");
        assert_eq!(log.lines(), "");
        log.append(FIRST, "\none\ntwo\nth");
        assert_eq!(log.lines(), "partial one two");
        log.append(FIRST, &format!("{}\n", "r".repeat(3 * BLOCK)));
        assert_eq!(log.lines().len(), 2 + 3 * BLOCK);
    }

    #[test]
    fn goes_on_over_rotation() {
        let mut log = Log::new(Some((FIRST, 0)), "a\n");
        assert_eq!(log.lines(), "a");
        log.append(FIRST, "b\ntorn");
        log.append(SECOND, "c\n");
        log.append(THIRD, "d\n");
        assert_eq!(log.lines(), "b torn c d");
        log.append(THIRD, "e\n");
        fs::remove_file(log.dir.path().join(FIRST)).unwrap();
        assert_eq!(log.lines(), "e");
    }

    #[test]
    fn waits_for_a_first_file() {
        let mut log = Log::new(None, "");
        assert_eq!(log.lines(), "");
        log.append(FIRST, "a\n");
        log.append(SECOND, "b\n");
        assert_eq!(log.lines(), "a b");
    }

    #[test]
    fn a_file_may_be_emptied_or_replaced() {
        let mut log = Log::new(Some((FIRST, 8)), "a\nb\nc\nd\n");
        assert_eq!(log.lines(), "");
        fs::write(log.dir.path().join(FIRST), "e\n").unwrap();
        assert_eq!(log.lines(), "e");
        fs::write(log.dir.path().join("new"), "f\ng\nh\n").unwrap();
        fs::rename(log.dir.path().join("new"), log.dir.path().join(FIRST)).unwrap();
        assert_eq!(log.lines(), "f g h");
        fs::remove_file(log.dir.path().join(FIRST)).unwrap();
        assert_eq!(log.lines(), "");
        log.append(FIRST, "i\n");
        assert_eq!(log.lines(), "i");
    }
}
