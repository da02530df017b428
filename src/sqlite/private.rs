//! What is in a data directory is nobody else's: rows, log lines, and what a configuration says. Directories are 0700,
//! files 0600.
//!
//! What earlier versions or a lax `umask` left open is closed at the start, whoever opened it: nobody can tell a mode that
//! somebody chose from one that came by itself. Who wants to share the log names another `log.dir`, which is left as it is.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::{io, path::Path};

use rustix::fs::Mode;

/// What of a mode is for others than the owner.
const OTHERS: u32 = 0o077;

/// In a directory with this bit everybody may create files.
const STICKY: u32 = 0o1000;

/// Whether a file can be executed, which none of ours can.
const EXECUTE: u32 = 0o100;

/// What this process creates from now on is for its owner only.
pub(crate) fn create_privately() {
    rustix::process::umask(Mode::from_raw_mode(OTHERS));
}

/// Makes a directory where there is none, and those above it.
pub(super) fn make(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Closes a directory, the files of polytape in it, and its log. Says what was open, or cannot be closed.
pub(super) fn close(directory: &Path) -> Vec<String> {
    let mut said = Vec::new();
    match fs::metadata(directory).map(|metadata| metadata.permissions().mode()) {
        // A directory that is made for everybody, like /tmp, is no data directory that was left open.
        Ok(mode) if mode & STICKY != 0 => {
            said.push(format!(
                "{} is shared with other users: give polytape a directory of its own",
                directory.display()
            ));
        }
        _ => close_one(directory, &mut said),
    }
    for place in [directory.to_owned(), directory.join("logs")] {
        for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_ours = |name: &str| {
                ["polytape.", "saved-"].iter().any(|begin| name.starts_with(begin))
                    || ["instance", "logs"].contains(&name)
            };
            // A link leads to what is somebody else's.
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            if !is_link && name.to_str().is_some_and(is_ours) {
                close_one(&entry.path(), &mut said);
            }
        }
    }
    said
}

fn close_one(path: &Path, said: &mut Vec<String>) {
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & OTHERS == 0 || !(metadata.is_file() || metadata.is_dir()) {
        return;
    }
    let closed_mode = if metadata.is_dir() { mode & !OTHERS } else { mode & !(OTHERS | EXECUTE) };
    let closed = fs::set_permissions(path, fs::Permissions::from_mode(closed_mode));
    let path = path.display();
    said.push(match closed {
        Ok(()) => format!("{path} was open to other users ({mode:04o}) and is not any more"),
        Err(cause) => format!("{path} is open to other users ({mode:04o}), and cannot be closed: {cause}"),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_ours_is_closed_and_the_rest_is_left() {
        let dir = TempDir::new().unwrap();
        let data = dir.path().join("a/data");
        make(&data).unwrap();
        assert_eq!([mode(&data), mode(&dir.path().join("a"))], [0o700, 0o700]);
        fs::create_dir(data.join("logs")).unwrap();
        let ours = ["polytape.db", "polytape.db-wal", "polytape.lock", "instance", "logs/polytape.2026-11-25.jsonl"];
        let theirs = ["config.toml", "logs/notes"];
        for name in ours.iter().chain(&theirs) {
            fs::write(data.join(name), "").unwrap();
            fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o644)).unwrap();
        }
        for name in ["", "logs"] {
            fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        std::os::unix::fs::symlink(data.join("config.toml"), data.join("polytape.link")).unwrap();
        let said = close(&data);
        assert_eq!(said.len(), ours.len() + 2, "{said:?}");
        assert!(said[0].ends_with("a/data was open to other users (0755) and is not any more"), "{said:?}");
        assert!(ours.iter().all(|name| mode(&data.join(name)) == 0o600));
        assert!(theirs.iter().all(|name| mode(&data.join(name)) == 0o644));
        assert_eq!([mode(&data), mode(&data.join("logs"))], [0o700, 0o700]);
        assert_eq!(close(&data), [""; 0], "once");
        fs::set_permissions(data.join("polytape.db"), fs::Permissions::from_mode(0o777)).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(close(&data)[0].contains("give polytape a directory of its own"));
        assert_eq!([mode(&data), mode(&data.join("polytape.db"))], [0o777, 0o600]);
    }
}
