//! A machine with other users, on which a data directory was made as `umask` would have it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use crate::support::process::Workplace;

const DEMO: [&str; 5] = ["--demo", "--no-tui", "--fills", "300", "--until-caught-up"];

/// What others may read or search, below a directory and itself.
fn open_to_others(path: &Path, found: &mut Vec<String>) {
    let metadata = fs::symlink_metadata(path).unwrap();
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        found.push(format!("{} {mode:04o}", path.display()));
    }
    if metadata.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| open_to_others(&entry.unwrap().path(), found));
    }
}

/// Row 19: the data directory is 0700 and its files are 0600, those of an earlier version, too.
#[test]
fn nobody_else_reads_a_data_directory() {
    let place = Workplace::new("");
    for turn in ["made", "found"] {
        place.run(&DEMO, Duration::from_secs(60)).succeeded();
        let mut found = Vec::new();
        open_to_others(&place.data_dir(), &mut found);
        assert!(found.is_empty(), "a data directory that was {turn} is open to others: {found:#?}");
        for name in ["", "logs", "polytape.db", "polytape.lock"] {
            let path = place.data_dir().join(name);
            let mode = if path.is_dir() { 0o755 } else { 0o644 };
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}
