//! Whether there is room for more: backpressure by unread bytes, by the memory of Redis, and by disk.

use std::time::{Duration, Instant};
use std::{path::PathBuf, sync::Arc};

use bytesize::ByteSize;
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, Memory, Stream};
use crate::sqlite::free_space;
use crate::streams::{error::StageError, memory::MemoryProbe, replay_group::is_replay_group, wait::WaitCause};

/// How long to wait before looking again.
const POLL: Duration = Duration::from_millis(200);

/// How long an answer about the streams holds, as long as less is added than half of what there was room for.
const HOLDS: Duration = Duration::from_millis(200);

/// How long an answer about the disk holds.
const DISK_CHECK: Duration = Duration::from_secs(1);

/// How much of Redis's memory may be in use, in percent, while a stage that empties one stream goes on to fill another.
const NEARLY_ALL: u64 = 95;

/// The room that a stage needs for what it writes.
pub(crate) struct Backpressure {
    broker: Arc<dyn Broker>,
    streams: Vec<Stream>,
    most: ByteSize,
    memory: MemoryProbe,
    /// How much of the memory may be in use, in percent.
    full: u64,
    disk: Option<Disk>,
    room: Option<Room>,
}

/// The room that there was in the streams.
struct Room {
    seen: Instant,
    /// Bytes that could be added then, …
    left: u64,
    /// … and that were since.
    added: u64,
}

/// The disk that the data directory is on.
pub(crate) struct Disk {
    pub(crate) path: PathBuf,
    pub(crate) min_free: ByteSize,
    checked: Option<(Instant, Option<ByteSize>)>,
}

impl Disk {
    pub(crate) const fn new(path: PathBuf, min_free: ByteSize) -> Self {
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

impl Backpressure {
    /// Room in streams, each of which may hold `most` bytes, and half of that unread.
    pub(crate) fn new(broker: Arc<dyn Broker>, streams: Vec<Stream>, most: ByteSize) -> Self {
        let memory = MemoryProbe::new(Arc::clone(&broker));
        Self { broker, streams, most, memory, full: Memory::FULL, disk: None, room: None }
    }

    /// For a stage that empties a stream as it fills these: what it reads is gone soon.
    pub(crate) const fn of_forwarder(mut self) -> Self {
        self.full = NEARLY_ALL;
        self
    }

    /// And on a disk.
    pub(crate) fn on_disk(mut self, disk: Disk) -> Self {
        self.disk = Some(disk);
        self
    }

    /// Why there is none for so many bytes more, after a while in which there may have come some; `None` where there is.
    pub(crate) async fn wait(
        &mut self,
        drain: &CancellationToken,
        bytes: usize,
    ) -> Result<Option<WaitCause>, StageError> {
        let lacking = self.lacking().await?;
        match &mut self.room {
            _ if lacking.is_some() => {
                let _ = drain.run_until_cancelled(tokio::time::sleep(POLL)).await;
            }
            Some(room) => room.added += bytes as u64,
            None => {}
        }
        Ok(lacking)
    }

    async fn lacking(&mut self) -> Result<Option<WaitCause>, StageError> {
        let is_known = |room: &Room| room.seen.elapsed() < HOLDS && room.added < room.left / 2;
        if !self.room.as_ref().is_some_and(is_known)
            && let Some(full) = self.full_stream().await?
        {
            return Ok(Some(full));
        }
        if let Some(Memory { server, used, limit: Some(limit) }) = self.memory.from(self.full).await {
            let [used, limit] = [used, limit].map(|bytes| ByteSize::b(bytes).display().iec_short());
            return Ok(Some(WaitCause::Backpressure(format!("backpressure: {} {used} of {limit}", server.label()))));
        }
        if let Some(disk) = &mut self.disk
            && let Some(free) = disk.free().await
            && free < disk.min_free
        {
            let (free, least) = (free.display().iec_short(), disk.min_free.display().iec_short());
            return Ok(Some(WaitCause::Backpressure(format!(
                "disk: {free} free at {}, min_free is {least}",
                disk.path.display()
            ))));
        }
        Ok(None)
    }

    /// The stream that is full, as what is waited for.
    async fn full_stream(&mut self) -> Result<Option<WaitCause>, StageError> {
        self.room = None;
        let mut left = u64::MAX;
        for stream in &self.streams {
            let state = self.broker.stream(stream).await?;
            // A replay holds up nobody who is live.
            let live = state.groups.iter().filter(|group| !is_replay_group(&group.name));
            let unread = live.map(|group| group.unacknowledged_bytes).max().unwrap_or(0);
            let most = self.most.as_u64();
            // What is read is trimmed soon: until then the stream is full all the same.
            if unread >= most / 2 || state.bytes >= most {
                let bytes = if unread >= most / 2 { unread } else { state.bytes };
                return Ok(Some(WaitCause::Backpressure(format!(
                    "backpressure: {stream} {}",
                    ByteSize::b(bytes).display().iec_short()
                ))));
            }
            left = left.min(most / 2 - unread).min(most - state.bytes);
        }
        self.room = Some(Room { seen: Instant::now(), left, added: 0 });
        Ok(None)
    }
}
