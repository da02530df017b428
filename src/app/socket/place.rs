//! Where the socket is: `polytape.sock` in the data directory.
//!
//! The name of a socket has at most 107 bytes. Where the directory's is longer, Linux reaches it by way of an open directory;
//! elsewhere the socket is in `$XDG_RUNTIME_DIR`, and a file in the data directory says where.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

const NAME: &str = "polytape.sock";

/// The file that says where it is, where it is not here.
const ELSEWHERE: &str = "polytape.sock.at";

/// Bytes that a name may have: `sun_path` without its last one.
const MOST: usize = 107;

/// A name by which the socket of a directory can be bound or reached.
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// Keeps the name good.
    _directory: Option<File>,
}

fn fits(path: &Path) -> bool {
    path.as_os_str().as_bytes().len() <= MOST
}

/// Where it is for whoever looks into the directory.
pub(super) fn shown(data_dir: &Path) -> PathBuf {
    data_dir.join(NAME)
}

/// The name by which it can be reached.
pub(super) fn reach(data_dir: &Path) -> io::Result<Place> {
    let path = shown(data_dir);
    if fits(&path) {
        return Ok(Place { path, _directory: None });
    }
    if let Ok(told) = fs::read_to_string(data_dir.join(ELSEWHERE)) {
        return Ok(Place { path: told.trim_end().into(), _directory: None });
    }
    through_directory(data_dir)
}

/// The name by which it can be bound. The directory is locked by who calls, so that what is there is nobody's any more.
pub(super) fn make(data_dir: &Path) -> io::Result<Place> {
    let place = if fits(&shown(data_dir)) {
        Place { path: shown(data_dir), _directory: None }
    } else if Path::new("/proc/self/fd").exists() {
        through_directory(data_dir)?
    } else {
        elsewhere(data_dir)?
    };
    match fs::remove_file(&place.path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(place),
    }
}

fn through_directory(data_dir: &Path) -> io::Result<Place> {
    let directory = File::open(data_dir)?;
    let path = format!("/proc/self/fd/{}/{NAME}", directory.as_raw_fd()).into();
    Ok(Place { path, _directory: Some(directory) })
}

fn elsewhere(data_dir: &Path) -> io::Result<Place> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let path = runtime.map(|runtime| runtime.join(format!("polytape-{}.sock", std::process::id())));
    let path = path.filter(|path| fits(path)).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidFilename,
            "its name is too long for a socket, and there is no XDG_RUNTIME_DIR",
        )
    })?;
    fs::write(data_dir.join(ELSEWHERE), path.as_os_str().as_bytes())?;
    Ok(Place { path, _directory: None })
}

/// Removes it, at the end.
pub(super) fn remove(place: &Place, data_dir: &Path) {
    let _ = fs::remove_file(&place.path);
    let _ = fs::remove_file(data_dir.join(ELSEWHERE));
}
