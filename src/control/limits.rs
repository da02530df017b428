//! The bounds of a pipeline.

use std::{path::PathBuf, time::Duration};

use bytesize::ByteSize;

/// The bounds of a pipeline.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Rows of one batch.
    pub max_rows: usize,
    /// Bytes of one batch.
    pub max_batch_bytes: ByteSize,
    /// How long a batch waits to be filled.
    pub linger: Duration,
    /// Bytes of one stream. Half of them may be unread before the stage in front of it waits.
    pub max_stream_bytes: ByteSize,
    /// Events of one entry of a stream, at most.
    pub batch: usize,
    /// How long entries are kept that everybody has read, as long as there is room.
    pub keep: Duration,
    /// The directory whose disk is watched.
    pub data_dir: PathBuf,
    /// Bytes that must stay free there.
    pub min_free: ByteSize,
}
