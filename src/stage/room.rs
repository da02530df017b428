//! Whether there is room for more: backpressure by unread bytes, by the memory of Redis, and by disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use tokio_util::sync::CancellationToken;

use super::gauge::Gauge;
use super::{StageError, is_replay_group};
use crate::broker::{Broker, Memory, Stream};
use crate::embedded::free_space;

/// How long to wait before looking again.
const POLL: Duration = Duration::from_millis(200);

/// How long an answer about the disk holds.
const DISK_CHECK: Duration = Duration::from_secs(1);

/// How much of Redis's memory may be in use, in percent, while a stage that empties one stream goes on to fill another.
const NEARLY_ALL: u64 = 95;

/// Whether a stage waits for room, by what it says: nothing is wrong with what it reads from.
pub fn is_for_room(cause: &str) -> bool {
    cause.starts_with(BACKPRESSURE) || cause.starts_with(DISK)
}

/// What such a cause begins with.
const BACKPRESSURE: &str = "backpressure: ";
const DISK: &str = "disk: ";

/// The room that a stage needs for what it writes.
pub(super) struct Room {
    broker: Arc<dyn Broker>,
    streams: Vec<Stream>,
    most: ByteSize,
    memory: Gauge,
    /// How much of the memory may be in use, in percent.
    full: u64,
    disk: Option<Disk>,
}

/// The disk that the data directory is on.
pub(super) struct Disk {
    pub(super) path: PathBuf,
    pub(super) min_free: ByteSize,
    checked: Option<(Instant, Option<ByteSize>)>,
}

impl Disk {
    pub(super) const fn new(path: PathBuf, min_free: ByteSize) -> Self {
        Self { path, min_free, checked: None }
    }

    /// Free bytes, where they can be told.
    async fn free(&mut self) -> Option<ByteSize> {
        if let Some((at, free)) = self.checked
            && at.elapsed() < DISK_CHECK
        {
            return free;
        }
        let path = self.path.clone();
        let free = tokio::task::spawn_blocking(move || free_space(&path)).await.ok().and_then(Result::ok);
        self.checked = Some((Instant::now(), free));
        free
    }
}

impl Room {
    /// Room in streams, each of which may hold `most` bytes, and half of that unread.
    pub(super) fn new(broker: Arc<dyn Broker>, streams: Vec<Stream>, most: ByteSize) -> Self {
        let memory = Gauge::new(Arc::clone(&broker));
        Self { broker, streams, most, memory, full: Memory::FULL, disk: None }
    }

    /// For a stage that empties a stream as it fills these: what it reads is gone soon.
    pub(super) const fn of_forwarder(mut self) -> Self {
        self.full = NEARLY_ALL;
        self
    }

    /// And on a disk.
    pub(super) fn on_disk(mut self, disk: Disk) -> Self {
        self.disk = Some(disk);
        self
    }

    /// Why there is none, after a while in which there may have come some; `None` where there is.
    pub(super) async fn wait(&mut self, drain: &CancellationToken) -> Result<Option<String>, StageError> {
        let lacking = self.lacking().await?;
        if lacking.is_some() {
            let _ = drain.run_until_cancelled(tokio::time::sleep(POLL)).await;
        }
        Ok(lacking)
    }

    async fn lacking(&mut self) -> Result<Option<String>, StageError> {
        for stream in &self.streams {
            let state = self.broker.stream(stream).await?;
            // A replay holds up nobody who is live.
            let live = state.groups.iter().filter(|group| !is_replay_group(&group.name));
            let unread = live.map(|group| group.unacknowledged_bytes).max().unwrap_or(0);
            let most = self.most.as_u64();
            // What is read is trimmed soon: until then the stream is full all the same.
            if unread >= most / 2 || state.bytes >= most {
                let bytes = if unread >= most / 2 { unread } else { state.bytes };
                return Ok(Some(format!("{BACKPRESSURE}{stream} {}", ByteSize::b(bytes).display().iec_short())));
            }
        }
        if let Some(Memory { used, limit: Some(limit) }) = self.memory.from(self.full).await {
            let [used, limit] = [used, limit].map(|bytes| ByteSize::b(bytes).display().iec_short());
            return Ok(Some(format!("{BACKPRESSURE}redis {used} of {limit}")));
        }
        if let Some(disk) = &mut self.disk
            && let Some(free) = disk.free().await
            && free < disk.min_free
        {
            let (free, least) = (free.display().iec_short(), disk.min_free.display().iec_short());
            return Ok(Some(format!("{DISK}{free} free at {}, min_free is {least}", disk.path.display())));
        }
        Ok(None)
    }
}
