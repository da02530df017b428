//! The socket of a running pipeline: whoever may connect sees it and steers it.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, io, path::Path, path::PathBuf};

use tokio::net::UnixListener;
use tokio_util::task::AbortOnDropHandle;

use super::place::{self, Place};
use super::served::{Served, SnapshotLine};
use super::session;
use crate::app::caller;

/// Clients at a time.
pub(super) const CLIENTS: usize = 100;

/// How long to wait after a client could not be accepted, since there are too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// A socket that is served as long as this is kept.
pub(crate) struct Server {
    place: Place,
    data_dir: PathBuf,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    /// Serves the socket of a directory that this process has locked.
    pub(crate) fn start(data_dir: &Path, served: Served) -> io::Result<Self> {
        let place = place::make(data_dir)?;
        let listener = UnixListener::bind(&place.path)?;
        // The umask of this process allows nobody else; of a library's user it may.
        fs::set_permissions(&place.path, fs::Permissions::from_mode(0o600))?;
        let task = AbortOnDropHandle::new(tokio::spawn(accept(listener, served)));
        Ok(Self { place, data_dir: data_dir.to_owned(), _task: task })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        place::remove(&self.place, &self.data_dir);
    }
}

/// Counts a client as long as it is there.
struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn accept(listener: UnixListener, served: Served) {
    let (clients, line) = (Arc::new(AtomicUsize::new(0)), Arc::new(SnapshotLine::default()));
    let own = rustix::process::geteuid().as_raw();
    loop {
        let client = match listener.accept().await {
            Ok((client, _)) => client,
            Err(error) => {
                tracing::debug!("a client of the socket could not be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let seat = Seat(Arc::clone(&clients));
        let before = clients.fetch_add(1, Ordering::Relaxed);
        // Who may open the socket is checked by its mode; who opened it, here.
        let peer = client.peer_cred().ok().filter(|peer| peer.uid() == own || peer.uid() == 0);
        let Some(peer) = peer else {
            tracing::warn!("a client of another user was turned away from the socket");
            continue;
        };
        if before >= CLIENTS {
            tokio::spawn(async move {
                let _seat = seat;
                session::turn_away(client, format!("{CLIENTS} clients are connected: no more are served")).await;
            });
            continue;
        }
        let (served, line) = (served.clone(), Arc::clone(&line));
        let user = caller::user(peer.uid());
        let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok());
        tokio::spawn(async move {
            let _seat = seat;
            // That it goes is no news.
            if let Err(error) = session::serve(client, served, &line, user, pid).await {
                tracing::debug!("a client of the socket is gone: {error}");
            }
        });
    }
}
