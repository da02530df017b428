//! Whether a data directory can be used, found out without leaving anything behind, so that a check says what a run would.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::io_words::why;

/// The longest name that file systems take, in bytes.
const LONGEST_NAME: usize = 255;

/// The longest path, with room for the names of the files below it.
const LONGEST_PATH: usize = 4_000;

/// Files that are written, which must be files where they are there.
const FILES: [&str; 3] = ["polytape.lock", "polytape.db", "instance"];

/// Why nothing can be written in a directory, which need not be there yet.
pub(super) fn check(path: &Path) -> Result<(), String> {
    if let Some(obstacle) = obstacle(path) {
        return Err(obstacle);
    }
    let there = nearest_there(path);
    // Of a name of its own: somebody may be about to make the directory itself.
    let probe = there.join(format!(".polytape-check-{}", std::process::id()));
    let tried = match there == path {
        true => OpenOptions::new().create_new(true).write(true).open(&probe).and_then(|_| fs::remove_file(&probe)),
        false => DirBuilder::new().create(&probe).and_then(|()| fs::remove_dir(&probe)),
    };
    tried.map_err(|cause| not_made(&there, &cause))
}

/// What is in the way, as far as that shows by looking.
pub(super) fn obstacle(path: &Path) -> Option<String> {
    let is_long = |name: &std::ffi::OsStr| name.len() > LONGEST_NAME;
    if path.as_os_str().len() > LONGEST_PATH || path.iter().any(is_long) {
        return Some(format!("its name is too long: {LONGEST_NAME} bytes are possible between two /"));
    }
    let there = nearest_there(path);
    match fs::metadata(&there) {
        Ok(found) if !found.is_dir() && there == path => return Some("it is a file, not a directory".to_owned()),
        Ok(found) if !found.is_dir() => return Some(format!("{} is a file, not a directory", there.display())),
        // The directory that a relative path begins in may be gone.
        Err(cause) => return Some(format!("{}: {}", there.display(), why(&cause))),
        Ok(_) => {}
    }
    FILES.iter().map(|name| path.join(name)).find_map(|file| {
        let cause = match fs::metadata(&file) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return None,
            Err(cause) => cause,
            Ok(found) if !found.is_file() => {
                return Some(format!("{} is there and no file: move it away", file.display()));
            }
            // Asked, and not opened: closing it would let go of SQLite's locks, if this process has it open.
            Ok(_) => access(&file, Access::WRITE_OK).err()?.into(),
        };
        Some(format!("{}: {}", file.display(), why(&cause)))
    })
}

/// The path, or what of it is there.
pub(super) fn nearest_there(path: &Path) -> PathBuf {
    // The last ancestor of a relative path is empty.
    let mut all = path.ancestors().map(|dir| if dir == Path::new("") { Path::new(".") } else { dir });
    all.find(|dir| is_there(dir)).unwrap_or(path).to_owned()
}

/// What is not to be seen is there: it is in the way.
fn is_there(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
}

/// Why nothing can be made in a directory that is there.
pub(super) fn not_made(there: &Path, cause: &io::Error) -> String {
    let place = there.display();
    match cause.kind() {
        // Some file systems are made by the kernel alone.
        ErrorKind::NotFound => format!("nothing can be made in {place}"),
        ErrorKind::PermissionDenied => {
            format!("the user {} may not write in {place}", rustix::process::geteuid().as_raw())
        }
        ErrorKind::ReadOnlyFilesystem => format!("{place} is on a disk that is mounted read-only"),
        _ => why(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn what_is_in_the_way_is_told_and_nothing_is_left_behind() {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        fs::create_dir_all(dir.path().join("odd/polytape.db")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("link")).unwrap();
        for (path, expected) in [
            ("new", None),
            ("new/below/it", None),
            ("", None),
            ("file", Some("it is a file, not a directory")),
            ("file/below/it", Some("/file is a file, not a directory")),
            ("odd", Some("/odd/polytape.db is there and no file")),
            ("link/below", Some("/link: it is not there")),
            (&"x".repeat(256), Some("its name is too long")),
            ("/proc/nowhere", Some("nothing can be made in /proc")),
        ] {
            let found = check(&dir.path().join(path)).err();
            let is_as_expected = match (&found, expected) {
                (Some(found), Some(expected)) => found.contains(expected),
                (found, expected) => found.is_none() && expected.is_none(),
            };
            assert!(is_as_expected, "{path}: {found:?}");
        }
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["file", "link", "odd"]);
    }
}
