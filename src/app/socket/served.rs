//! What clients of the socket see and steer.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::lines;
use super::protocol::{Greeting, MAX_MESSAGE};
use crate::control::Control;
use crate::logs::LogRing;
use crate::monitor::Snapshot;

/// What clients see and steer.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) greeting: Greeting,
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(crate) control: Control,
    pub(crate) ring: Arc<LogRing>,
    /// Ends the process.
    pub(crate) stop: CancellationToken,
}

/// The newest snapshot as a line, made once for all who want it.
#[derive(Default)]
pub(super) struct SnapshotLine(Mutex<Option<Made>>);

/// [`Message::Snapshot`](super::protocol::Message::Snapshot), of what stays where it is.
#[derive(Serialize)]
struct ToldSnapshot<'a> {
    snapshot: &'a Snapshot,
}

/// A snapshot, and its line.
type Made = (Arc<Snapshot>, Arc<[u8]>);

impl SnapshotLine {
    /// A snapshot as a line; nothing where it is too large for one.
    pub(super) fn of(&self, snapshot: &Arc<Snapshot>) -> Option<Arc<[u8]>> {
        let mut made = self.0.lock();
        if let Some((of, line)) = &*made
            && Arc::ptr_eq(of, snapshot)
        {
            return Some(Arc::clone(line));
        }
        let line = lines::line(&ToldSnapshot { snapshot }).ok()?;
        if line.len() > MAX_MESSAGE {
            return None;
        }
        let line: Arc<[u8]> = line.into();
        *made = Some((Arc::clone(snapshot), Arc::clone(&line)));
        Some(line)
    }
}

/// One end of a connection as its reader and its writer.
pub(super) fn halves(
    stream: UnixStream,
) -> (tokio::io::BufReader<tokio::net::unix::OwnedReadHalf>, tokio::net::unix::OwnedWriteHalf) {
    let (read, write) = stream.into_split();
    (tokio::io::BufReader::new(read), write)
}
