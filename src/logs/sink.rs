//! Where records go.

use super::record::LogRecord;

/// Takes every record. Called by whoever logs, so it must be quick, must not wait for a disk, a terminal or a person,
/// and must not log.
pub trait Sink: Send + Sync {
    /// Takes one.
    fn accept(&self, record: &LogRecord);
}
