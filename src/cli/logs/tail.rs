//! The newest lines of a log, across its files.

use std::io::{self, ErrorKind};
use std::{fs::File, path::PathBuf};

use super::{backward::Backward, line::Line, selection::Selection};

/// The newest lines.
pub(super) struct Tail {
    /// Oldest first.
    pub(super) lines: Vec<Line>,
    /// The newest file and how many bytes of it were looked at.
    pub(super) reached: Option<(PathBuf, u64)>,
}

/// Reads the newest lines of a selection from files, of which the newest is the last one. Where the log is followed, a
/// line that has no end yet is left for later.
pub(super) fn read(files: &[PathBuf], most: usize, selection: &Selection, followed: bool) -> io::Result<Tail> {
    let mut tail = Tail { lines: Vec::new(), reached: None };
    for path in files.iter().rev() {
        let file = match File::open(path) {
            // Its time has come meanwhile.
            Err(cause) if cause.kind() == ErrorKind::NotFound => continue,
            file => file?,
        };
        let length = file.metadata()?.len();
        let mut backward = Backward::new(file, length);
        let rest = backward.take()?.unwrap_or_default();
        let left = if tail.reached.is_none() && followed { rest.len() as u64 } else { 0 };
        if tail.reached.is_none() {
            tail.reached = Some((path.clone(), length - left));
        }
        if left == 0 {
            tail.add(Line::new(rest), most, selection);
        }
        while tail.lines.len() < most
            && let Some(line) = backward.take()?
        {
            tail.add(Line::new(line), most, selection);
        }
        if tail.lines.len() >= most {
            break;
        }
    }
    tail.lines.reverse();
    Ok(tail)
}

impl Tail {
    fn add(&mut self, line: Line, most: usize, selection: &Selection) {
        if self.lines.len() < most && selection.has(&line) {
            self.lines.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    fn all() -> Selection {
        Selection::new(None, None)
    }

    fn files(dir: &TempDir, contents: &[&str]) -> Vec<PathBuf> {
        let write = |(at, content): (usize, &&str)| {
            let path = dir.path().join(at.to_string());
            fs::write(&path, content).unwrap();
            path
        };
        contents.iter().enumerate().map(write).collect()
    }

    fn texts(tail: &Tail) -> Vec<String> {
        tail.lines.iter().map(|line| String::from_utf8(line.raw.clone()).unwrap()).collect()
    }

    #[test]
    fn goes_back_over_files_as_far_as_it_must() {
        let dir = TempDir::new().unwrap();
        let mut files = files(&dir, &["a\nb\n", "c\n\ntorn", "", "d\ne\n"]);
        files.insert(2, dir.path().join("gone"));
        for (most, expected) in
            [(0, &[][..]), (1, &["e"]), (3, &["torn", "d", "e"]), (9, &["a", "b", "c", "torn", "d", "e"])]
        {
            let tail = read(&files, most, &all(), false).unwrap();
            assert_eq!(texts(&tail), expected);
            assert_eq!(tail.reached, Some((files[4].clone(), 4)));
        }
    }

    #[test]
    fn the_end_of_an_unfinished_line_is_waited_for() {
        let dir = TempDir::new().unwrap();
        let files = files(&dir, &["a\nto", "b\nun"]);
        let tail = read(&files, 9, &all(), true).unwrap();
        assert_eq!((texts(&tail).join(" "), tail.reached), ("a to b".into(), Some((files[1].clone(), 2))));
        let tail = read(&files, 9, &all(), false).unwrap();
        assert_eq!((texts(&tail).join(" "), tail.reached), ("a to b un".into(), Some((files[1].clone(), 4))));
    }

    #[test]
    fn counts_only_what_is_selected() {
        let dir = TempDir::new().unwrap();
        let line = |level: &str, stage: &str| {
            format!(
                "{{\"timestamp\":\"2026-11-25T02:36:47.123Z\",\"level\":\"{level}\",\"stage\":\"{stage}\",\
                 \"target\":\"t\",\"message\":\"m\",\"fields\":{{}}}}\n"
            )
        };
        let content = [line("WARN", "resolver"), line("INFO", "resolver"), line("INFO", ""), "no record\n".into()];
        let files = files(&dir, &[&content.concat()]);
        let count = |stage: Option<&str>, level: Option<&str>| {
            let selection = Selection::new(stage.map(str::to_owned), level);
            read(&files, 9, &selection, false).unwrap().lines.len()
        };
        assert_eq!(count(None, None), 4);
        assert_eq!(count(Some("resolver"), None), 2);
        assert_eq!(count(None, Some("info")), 3);
        assert_eq!(count(None, Some("WARN")), 1);
        assert_eq!(count(Some("resolver"), Some("info")), 2);
        assert_eq!(count(Some("write-trades"), None), 0);
    }
}
